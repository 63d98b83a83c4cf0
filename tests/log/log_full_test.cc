// A log that runs out of space, or whose disk fails.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <future>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::size_t small_map_bytes = 512 * limits::kibibyte;

const std::string& filler() {
  static const std::string bytes(16 * limits::kibibyte, 'x');
  return bytes;
}

Event filling_event() { return {.at = {}, .body = CustomEvent{"", as_bytes(filler())}}; }

// Appends until a commit is refused. Answers how many events are in the log.
std::uint64_t fill(TestLog& log) {
  for (std::uint64_t next = 1;; ++next) {
    auto appended = log.append({filling_event()});
    if (appended) {
      EXPECT_EQ(*appended, Position(next));
      continue;
    }
    EXPECT_EQ(code_of(appended), "storage_full");
    return next - 1;
  }
}

TEST(FullLog, RefusesACommitAndChangesNothing) {
  TempFolder folder;
  TestLog log(folder / "log", {.map_bytes = small_map_bytes});
  const auto count = fill(log);
  EXPECT_GT(count, 10U);
  const CommitReport report = log.reports().back();
  EXPECT_EQ(report.through, Position(count));
  EXPECT_EQ(report.error->message, "the log has reached its largest size");
  EXPECT_NE(report.error->next_step, "");
  EXPECT_EQ(log->tail()->last, Position(count));
  EXPECT_EQ(read_texts(*log), texts_of(std::vector<Event>(count, filling_event())));
  EXPECT_TRUE(verify(*log));
}

TEST(FullLog, DropsWhatIsAppendedUntilItIsResumed) {
  TempFolder folder;
  TestLog log(folder / "log", {.map_bytes = small_map_bytes});
  const auto count = fill(log);
  const auto reports = log.reports().size();
  EXPECT_TRUE(log->append(make_batch({numbered_event(1)}))) << "it takes a position";
  EXPECT_TRUE(log->append(make_batch({numbered_event(1)})));
  EXPECT_EQ(log.reports().size(), reports) << "and is neither written nor reported";
  EXPECT_EQ(log->tail()->last, Position(count));
}

TEST(FullLog, GoesOnBehindTheLastDurableEventWhenThereIsRoomAgain) {
  TempFolder folder;
  TestLog log(folder / "log", {.map_bytes = 4 * limits::mebibyte});
  const auto count = fill(log);
  ASSERT_TRUE(log->append(make_batch({{.at = Time(std::chrono::hours(1))}})));
  ASSERT_TRUE(log->set_checkpoint(Position(count)));
  log.resume();
  std::uint64_t trimmed_events = 0;
  // What waits in memory takes the room that a trim makes until all of it is in the store.
  while (!log.append({filling_event()})) {
    auto trimmed = log->trim({.before = Position(count)});
    ASSERT_TRUE(trimmed) << trimmed.error().message;
    trimmed_events += trimmed->events;
    log.resume();
  }
  EXPECT_GT(trimmed_events, 0U);
  EXPECT_EQ(log.append(numbered_events(1, 1)), Position(count + 2)) << "and the time is forgotten";
  EXPECT_TRUE(verify(*log));
}

TEST(FullLog, TakesTheEndOfWhatWasBegunFromItsReserve) {
  TempFolder folder;
  TestLog log(folder / "log", {.map_bytes = small_map_bytes});
  log->set_reserve(64 * limits::kibibyte);
  const auto count = fill(log);
  log.resume();
  EXPECT_EQ(log.append({filling_event()}, {.space = Space::reserve}), Position(count + 1));
  EXPECT_EQ(code_of(log.append({filling_event()})), "storage_full");
  log.resume();
  EXPECT_EQ(log.append({filling_event()}, {.space = Space::reserve}), Position(count + 2));
  EXPECT_EQ(read_texts(*log).value().size(), count + 2);
}

TEST(FullLog, RefusesAgainAfterItWasResumedInVain) {
  TempFolder folder;
  TestLog log(folder / "log", {.map_bytes = small_map_bytes});
  const auto count = fill(log);
  for (int round = 0; round < 3; ++round) {
    log.resume();
    auto appended = log.append({filling_event()});
    ASSERT_FALSE(appended);
    EXPECT_EQ(code_of(appended), "storage_full");
    EXPECT_EQ(log.reports().back().through, Position(count));
  }
}

TEST(FullLog, RefusesEverythingThatWaitedBehindTheRefusedCommitInOneReport) {
  TempFolder folder;
  std::promise<void> release;
  auto released = release.get_future().share();
  TestLog log(folder / "log", {.map_bytes = small_map_bytes,
                               .on_commit = [&](const CommitReport&) { released.wait(); }});
  ASSERT_TRUE(log.append({filling_event()}));
  // More than may wait in memory for the store.
  constexpr auto count = limits::recent_bytes_max / (16 * limits::kibibyte) + 100;
  for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(log->append(make_batch({filling_event()})));
  release.set_value();
  auto report = log.wait_for(Position(count + 1));
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode::storage_full);
  EXPECT_EQ(read_texts(*log).value().size(), report.through.value);
  const auto reports = log.reports();
  EXPECT_EQ(std::ranges::count_if(reports, [](const auto& one) { return one.error.has_value(); }),
            1);
}

TEST(FullLog, TakesMoreWhenItIsOpenedWithALargerMap) {
  TempFolder folder;
  std::uint64_t count = 0;
  {
    TestLog log(folder / "log", {.map_bytes = small_map_bytes});
    count = fill(log);
  }
  TestLog log(folder / "log", {.map_bytes = 2 * small_map_bytes});
  EXPECT_EQ(log->opened_tail().last, Position(count));
  EXPECT_EQ(log.append({filling_event()}), Position(count + 1));
  EXPECT_TRUE(verify(*log));
}

// No file of this process may grow beyond `bytes` while this lives: writes fail with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_signal_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, before_signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*before_signal_)(int) = nullptr;
};

TEST(FailingDisk, LeavesTheOutcomeUnknownAndTakesNothingMore) {
  TempFolder folder;
  {
    TestLog log(folder / "log");
    ASSERT_TRUE(log.append(numbered_events(1, 3)));
    {
      FileSizeLimit limit(limits::kibibyte);
      auto appended = log.append({{.at = Time(Duration(9)), .body = filling_event().body}});
      ASSERT_FALSE(appended);
      EXPECT_EQ(code_of(appended), "unknown_outcome");
      EXPECT_NE(appended.error().next_step, "");
      EXPECT_EQ(log.reports().back().through, Position(3));
    }
    log.resume();  // which is for refused commits, not for this
    ASSERT_TRUE(log->append(make_batch(numbered_events(10, 1))));
    EXPECT_EQ(log.reports().size(), 2U);
    EXPECT_EQ(read_texts(*log, Position(1)), texts_of(numbered_events(1, 3)));
  }
  TestLog log(folder / "log");
  EXPECT_EQ(log->opened_tail().last, Position(3));
  EXPECT_EQ(log.append(numbered_events(4, 1)), Position(4));
  EXPECT_TRUE(verify(*log));
}

}  // namespace
}  // namespace almanac::test
