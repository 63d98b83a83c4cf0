// How appended batches become frames and commits, seen through a log.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

// A log whose writer stands still in its first report until it is released, so that what a test
// appends meanwhile waits for one commit.
class HeldLog {
 public:
  explicit HeldLog(const std::filesystem::path& folder)
      : log_(folder, {.on_commit = [this](const CommitReport& report) {
               if (report.through == Position(1)) released_.get_future().wait();
             }}) {
    EXPECT_EQ(log_.append({numbered_event(1)}), Position(1));
  }
  ~HeldLog() {
    if (held_) release();
  }
  HeldLog(const HeldLog&) = delete;
  HeldLog& operator=(const HeldLog&) = delete;

  Position queue(std::vector<Event> events) {
    auto first = log_->append(make_batch(std::move(events)));
    EXPECT_TRUE(first);
    return first ? *first : Position();
  }
  void release() {
    held_ = false;
    released_.set_value();
  }
  // The commits behind the first: where each ended.
  std::vector<std::uint64_t> release_and_wait_for(Position last) {
    release();
    EXPECT_FALSE(log_.wait_for(last).error);
    std::vector<std::uint64_t> ends;
    for (const CommitReport& report : log_.reports()) ends.push_back(report.through.value);
    ends.erase(ends.begin());
    return ends;
  }
  // The frames behind the first: how many events each holds.
  std::vector<std::uint32_t> frames() {
    std::vector<std::uint32_t> counts;
    auto read = log_->read_frames(Position(2), [&](const FrameReader& frame) -> Result<bool> {
      counts.push_back(frame.header().count);
      bytes_.push_back(frame.size_bytes());
      return true;
    });
    EXPECT_TRUE(read);
    EXPECT_TRUE(verify(*log_));
    return counts;
  }
  [[nodiscard]] const std::vector<std::size_t>& frame_bytes() const { return bytes_; }
  [[nodiscard]] Log& log() { return *log_; }

 private:
  std::promise<void> released_;
  bool held_ = true;
  std::vector<std::size_t> bytes_;
  TestLog log_;
};

Event custom(std::string_view data, std::uint64_t at = 1) {
  return {.at = Time(Duration(at)), .body = CustomEvent{"", as_bytes(data)}};
}

TEST(Writer, PutsWhatWaitsIntoOneFrameOfOneCommit) {
  TempFolder folder;
  HeldLog log(folder / "log");
  for (std::uint64_t i = 2; i <= 101; ++i) EXPECT_EQ(log.queue({numbered_event(i)}), Position(i));
  EXPECT_EQ(log.release_and_wait_for(Position(101)), std::vector<std::uint64_t>{101});
  EXPECT_EQ(log.frames(), std::vector<std::uint32_t>{100});
  EXPECT_EQ(read_texts(log.log()), texts_of(numbered_events(1, 101)));
}

TEST(Writer, StartsAnotherFrameOnceOneHoldsAMebibyte) {
  TempFolder folder;
  HeldLog log(folder / "log");
  const std::string data(300 * limits::kibibyte, 'x');
  for (int i = 0; i < 10; ++i) log.queue({custom(data)});
  EXPECT_EQ(log.release_and_wait_for(Position(11)), (std::vector<std::uint64_t>{5, 9, 11}));
  EXPECT_EQ(log.frames(), (std::vector<std::uint32_t>{4, 4, 2}));
  for (auto bytes : log.frame_bytes()) EXPECT_LT(bytes, 2 * limits::mebibyte);
}

TEST(Writer, KeepsABatchWholeHoweverLargeItIs) {
  TempFolder folder;
  HeldLog log(folder / "log");
  const std::string data(4 * limits::mebibyte, 'x');
  log.queue({custom("small")});
  log.queue({custom(data), custom(data), custom(data)});
  log.queue({custom("small")});
  EXPECT_EQ(log.release_and_wait_for(Position(6)).back(), 6U);
  EXPECT_EQ(log.frames(), (std::vector<std::uint32_t>{4, 1}));
}

TEST(Writer, WritesTheLargestEvent) {
  TempFolder folder;
  const std::string data(limits::event_bytes_max, 'x');
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append({custom(data)}));
  ASSERT_TRUE(log.append({custom("small")}));
  EXPECT_EQ(read_texts(*log), texts_of({custom(data), custom("small")}));
  EXPECT_TRUE(verify(*log));
}

TEST(Writer, StartsAnotherFrameBeforeItsNamesAreTooMany) {
  TempFolder folder;
  HeldLog log(folder / "log");
  std::vector<std::string> texts;
  for (int i = 0; i < 120'000; ++i) texts.push_back(std::to_string(i));
  const std::vector<std::string_view> names(texts.begin(), texts.end());
  for (std::size_t batch = 0; batch < 3; ++batch) {
    std::span<const std::string_view> tags(names.data() + 40'000 * batch, 40'000);
    log.queue({{.at = Time(Duration(1)), .body = TaskEnqueued{.tags = NameListView(tags)}}});
  }
  log.release_and_wait_for(Position(4));
  EXPECT_EQ(log.frames(), (std::vector<std::uint32_t>{1, 1, 1}));
  bool right = true;
  auto read = log.log().read(Position(2), [&](const RecordedEvent& recorded) -> Result<bool> {
    const auto& tags = std::get<TaskEnqueued>(recorded.event.body).tags;
    auto first = 40'000 * (recorded.position.value - 2);
    for (std::size_t i = 0; i < tags.size(); ++i) right = right && tags[i] == names[first + i];
    return tags.size() == 40'000;
  });
  EXPECT_TRUE(read);
  EXPECT_TRUE(right);
}

TEST(Writer, StartsAnotherFrameBeforeTheTimesLieTooFarApart) {
  TempFolder folder;
  HeldLog log(folder / "log");
  std::vector<Event> events = {numbered_event(1)};
  constexpr std::chrono::minutes step(20);
  for (std::uint64_t i = 1; i <= 9; ++i) {
    events.push_back({.at = Time(i * step), .body = TaskReadied{TaskId(i)}});
    log.queue({events.back()});
  }
  EXPECT_EQ(log.release_and_wait_for(Position(10)), (std::vector<std::uint64_t>{5, 9, 10}));
  EXPECT_EQ(log.frames(), (std::vector<std::uint32_t>{4, 4, 1})) << "60 minutes fit, 80 do not";
  EXPECT_EQ(read_texts(log.log()), texts_of(events));
}

TEST(Writer, KeepsTheMemoryOfABatchUntilItIsOnDiskAndNoLonger) {
  TempFolder folder;
  std::promise<void> let_go;
  auto on_disk_when_let_go = std::make_shared<Position>();
  {
    TestLog log(folder / "log");
    // Event and text live in memory that is overwritten when the batch is let go.
    auto text = std::make_unique<std::string>(1'000, 'x');
    Event event = custom(*text);
    std::shared_ptr<const void> memory(text.get(), [&](const void*) {
      *on_disk_when_let_go = log->tail()->last;
      text->assign(1'000, '!');
      let_go.set_value();
    });
    auto batch = std::make_shared<EventBatch>(EventBatch{.events = {event}, .memory = memory});
    memory.reset();
    ASSERT_TRUE(log->append(std::move(batch)));
    let_go.get_future().wait();  // without another append
    EXPECT_EQ(*on_disk_when_let_go, Position(1));
    EXPECT_EQ(read_texts(*log), texts_of({custom(std::string(1'000, 'x'))}));
  }
}

TEST(Writer, ReportsCommitsInOrder) {
  TempFolder folder;
  TestLog log(folder / "log");
  for (std::uint64_t i = 1; i <= 500; ++i) {
    ASSERT_TRUE(log->append(make_batch({numbered_event(i)})));
  }
  EXPECT_FALSE(log.wait_for(Position(500)).error);
  Position before;
  for (const CommitReport& report : log.reports()) {
    EXPECT_GT(report.through, before);
    before = report.through;
  }
  EXPECT_EQ(before, Position(500));
}

TEST(Writer, LeavesAnAppendToItsCallerWhereNothingElseIsOnItsWay) {
  TempFolder folder;
  std::vector<std::thread::id> reporters;
  TestLog log(folder / "log", {.on_commit = [&](const CommitReport&) {
                reporters.push_back(std::this_thread::get_id());
              }});
  for (std::uint64_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(log->append(make_batch({numbered_event(i)}), {.by_caller = true}));
    EXPECT_EQ(log->tail()->last, Position(i));
  }
  EXPECT_EQ(reporters, std::vector(20, std::this_thread::get_id()));
}

// Another thread looks at the tail all the time, and reads what it has moved to.
TEST(Writer, MovesTheTailOnlyToWhatCanBeRead) {
  TempFolder folder;
  TestLog log(folder / "log");
  constexpr std::uint64_t count = 1'000;
  auto missing = std::async(std::launch::async, [&] {
    std::vector<std::uint64_t> positions;
    for (Position next(1); next.value <= count;) {
      if (log->tail()->last < next) continue;
      if (!log->read_one(next, [](const Event&) {})) positions.push_back(next.value);
      next = next.next();
    }
    return positions;
  });
  for (std::uint64_t i = 1; i <= count; ++i) {
    ASSERT_TRUE(log->append_and_wait(numbered_event(i)));
  }
  EXPECT_EQ(missing.get(), std::vector<std::uint64_t>{});
}

}  // namespace
}  // namespace almanac::test
