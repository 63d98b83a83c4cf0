#include <almanac/log/import.h>
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr Timeline timeline = {std::byte{1}, std::byte{2}};

struct FrameBytes {
  Position first;
  std::string bytes;
  bool operator==(const FrameBytes&) const = default;
};

// The frames of a log nobody has open, as they are stored.
std::vector<FrameBytes> frames_of(const fs::path& folder) {
  auto store = Store::open(folder / "log", {.access = Access::read, .map_bytes = limits::gibibyte});
  EXPECT_TRUE(store);
  std::vector<FrameBytes> frames;
  EXPECT_TRUE((*store)->read(Position(1), [&](const Store::Frame& frame) -> Result<bool> {
    frames.push_back({frame.first, std::string(as_text(frame.value))});
    return true;
  }));
  return frames;
}

// No file of this process grows above it.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t signal_;
};

// Imports a log, frame by frame, into another folder.
Result<void> copy_log(const fs::path& from, const fs::path& to) {
  auto log = Log::open(from, {.access = Access::read});
  if (!log) return std::unexpected(log.error());
  auto copy = LogImport::begin(to, (*log)->timeline());
  if (!copy) return std::unexpected(copy.error());
  auto read = (*log)->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    std::vector<Event> events;
    for (std::uint32_t i = 0; i < frame.header().count; ++i) events.push_back(*frame.event(i));
    auto added = (*copy)->add(frame.header().time, events);
    if (!added) return std::unexpected(added.error());
    EXPECT_EQ((*copy)->tail().digest, frame.digest());
    return true;
  });
  return read ? (*copy)->finish() : read;
}

class LogImportTest : public testing::Test {
 protected:
  Result<std::unique_ptr<LogImport>> begin() { return LogImport::begin(folder_ / "new", timeline); }
  // Names in the folder of the test.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  TempFolder folder_;
};

TEST_F(LogImportTest, MakesTheSameLogOfTheSameFrames) {
  {
    TestLog log(folder_ / "old");
    ASSERT_TRUE(log.append(one_of_each(Time(Duration(1'000'000)))));
    for (std::uint64_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(log.append(numbered_events(2'000'000 + i * 10, 1 + i % 3)));
    }
  }
  ASSERT_TRUE(copy_log(folder_ / "old", folder_ / "new"));
  EXPECT_EQ(frames_of(folder_ / "new"), frames_of(folder_ / "old"));
  auto old = Log::open(folder_ / "old", {.access = Access::read});
  auto copy = Log::open(folder_ / "new", {.access = Access::read});
  EXPECT_EQ((*copy)->timeline(), (*old)->timeline());
  EXPECT_TRUE(verify(**copy));
}

RC_GTEST_PROP(LogImportProperty, MakesTheSameLogOfAnyFrames, ()) {
  TempFolder folder;
  {
    TestLog log(folder / "old");
    Time time;
    for (int left = *rc::gen::inRange(1, 5); left > 0; --left) {
      auto batch = any_batch(20, time);
      time = batch->events.back().at;
      RC_ASSERT(log.append(batch).has_value());
    }
  }
  RC_ASSERT(copy_log(folder / "old", folder / "new").has_value());
  RC_ASSERT(frames_of(folder / "new") == frames_of(folder / "old"));
}

// Another timeline, so that every frame is another one: what events say of it is the same.
TEST_F(LogImportTest, TakesTheFramesOfAnotherLogAsTheirEvents) {
  {
    TestLog log(folder_ / "from");
    ASSERT_TRUE(log.append(one_of_each(Time(Duration(1'000'000)))));
    for (std::uint64_t i = 0; i < 20; ++i) {
      ASSERT_TRUE(log.append(numbered_events(2'000'000 + i * 10, 1 + i % 3)));
    }
  }
  auto from = Log::open(folder_ / "from", {.access = Access::read});
  auto by_bytes = LogImport::begin(folder_ / "bytes", timeline);
  auto by_events = LogImport::begin(folder_ / "events", timeline);
  ASSERT_TRUE((*from)->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    std::vector<Event> events;
    for (std::uint32_t i = 0; i < frame.header().count; ++i) events.push_back(*frame.event(i));
    EXPECT_TRUE((*by_events)->add(frame.header().time, events));
    EXPECT_TRUE((*by_bytes)->add(frame));
    EXPECT_EQ(code_of((*by_bytes)->add(frame)), "invalid") << "it comes once";
    return true;
  }));
  EXPECT_EQ((*by_bytes)->committed(), Position());
  ASSERT_TRUE((*by_bytes)->commit());
  EXPECT_EQ((*by_bytes)->committed(), (*from)->tail()->last);
  std::uint64_t frames = 0;
  ASSERT_TRUE((*by_bytes)->read_frames(Position(1), [&](const FrameReader&) -> Result<bool> {
    ++frames;
    return true;
  }));
  ASSERT_TRUE((*by_bytes)->finish());
  ASSERT_TRUE((*by_events)->finish());
  from->reset();
  EXPECT_EQ(frames, frames_of(folder_ / "from").size());
  EXPECT_EQ(frames_of(folder_ / "bytes"), frames_of(folder_ / "events"));
  EXPECT_NE(frames_of(folder_ / "bytes"), frames_of(folder_ / "from"));
}

TEST_F(LogImportTest, KeepsAFrameTimeThatIsNotThatOfItsFirstEvent) {
  auto log = begin();
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->add(Time(Duration(5)), numbered_events(7, 2)));
  ASSERT_TRUE((*log)->finish());
  log->reset();
  auto made = Log::open(folder_ / "new", {.access = Access::read});
  auto read = (*made)->read_frames(Position(1), [](const FrameReader& frame) -> Result<bool> {
    EXPECT_EQ(frame.header().time, Time(Duration(5)));
    EXPECT_EQ(frame.event(0)->at, Time(Duration(7)));
    return true;
  });
  EXPECT_TRUE(read);
}

TEST_F(LogImportTest, MakesALogThatCanBeWrittenTo) {
  auto log = begin();
  ASSERT_TRUE((*log)->add(Time(Duration(1)), numbered_events(1, 3)));
  ASSERT_TRUE((*log)->finish());
  log->reset();
  TestLog written(folder_ / "new");
  EXPECT_EQ(written->timeline(), timeline);
  EXPECT_EQ(written.append(numbered_events(4, 1)), Position(4));
}

TEST_F(LogImportTest, MakesAnEmptyLogAndFillsAnEmptyFolderAndNewOnesAbove) {
  fs::create_directory(folder_ / "new");
  auto log = begin();
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->finish());
  EXPECT_EQ(frames_of(folder_ / "new").size(), 0U);
  auto deep = LogImport::begin(folder_ / "a/b/c/", timeline);
  ASSERT_TRUE(deep);
  ASSERT_TRUE((*deep)->finish());
  EXPECT_TRUE(fs::exists(folder_ / "a/b/c/log/data.mdb"));
}

TEST_F(LogImportTest, LeavesNothingBehindWhenItIsGivenUp) {
  {
    auto log = LogImport::begin(folder_ / "above/new", timeline);
    ASSERT_TRUE(log);
    ASSERT_TRUE((*log)->add(Time(Duration(1)), numbered_events(1, 3)));
    EXPECT_FALSE(fs::exists(folder_ / "above/new"));
  }
  EXPECT_EQ(names(), std::vector<std::string>());
}

TEST_F(LogImportTest, LeavesNothingUnderTheNameWhenItIsKilledAndGoesOnFromNothing) {
  auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto log = begin();
    bool added = log && (*log)->add(Time(Duration(1)), numbered_events(1, 3));
    ::_exit(added ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_EQ(names(), std::vector<std::string>{"new.importing"});
  auto log = begin();
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->add(Time(Duration(1)), numbered_events(1, 1)));
  ASSERT_TRUE((*log)->finish());
  EXPECT_EQ(names(), std::vector<std::string>{"new"});
  EXPECT_EQ(frames_of(folder_ / "new").size(), 1U);
}

TEST_F(LogImportTest, RefusesAFolderThatHoldsSomething) {
  fs::create_directory(folder_ / "new");
  write_file(folder_ / "new/letter.txt", "dear");
  EXPECT_EQ(code_of(begin()), "conflict");
  EXPECT_EQ(code_of(LogImport::begin(folder_ / "new/letter.txt", timeline)), "invalid");
  EXPECT_EQ(names(), std::vector<std::string>{"new"});
}

TEST_F(LogImportTest, RefusesWhatCameIntoTheFolderMeanwhile) {
  auto log = begin();
  ASSERT_TRUE(log);
  fs::create_directory(folder_ / "new");
  write_file(folder_ / "new/letter.txt", "dear");
  EXPECT_EQ(code_of((*log)->finish()), "conflict");
  log->reset();
  EXPECT_EQ(names(), std::vector<std::string>{"new"});
  EXPECT_EQ(read_file(folder_ / "new/letter.txt"), "dear");
}

TEST_F(LogImportTest, RefusesASecondImportIntoOneFolder) {
  auto one = begin();
  ASSERT_TRUE(one);
  EXPECT_EQ(code_of(begin()), "conflict");
  ASSERT_TRUE((*one)->add(Time(Duration(1)), numbered_events(1, 3)));
  EXPECT_TRUE((*one)->finish());
}

TEST_F(LogImportTest, RefusesFramesThatNoLogHolds) {
  auto log = begin();
  ASSERT_TRUE(log);
  LogImport& import = **log;
  auto add = [&](std::int64_t time, std::vector<Event> events) {
    return code_of(import.add(Time(Duration(time)), std::move(events)));
  };
  EXPECT_EQ(add(1, {}), "invalid");
  EXPECT_EQ(add(2, numbered_events(1, 1)), "invalid") << "older than its frame";
  EXPECT_EQ(add(-1, numbered_events(1, 1)), "invalid") << "before 1970";
  EXPECT_EQ(add(1, {numbered_event(5), numbered_event(4)}), "invalid")
      << "older than the one before";
  EXPECT_EQ(add(1, {numbered_event(5), numbered_event(5'000'000'000)}), "invalid") << "hours apart";
  std::string name(129, 'n');
  EXPECT_EQ(add(1, {{.at = Time(Duration(1)), .body = CustomEvent{name, {}}}}), "invalid");
  EXPECT_EQ(add(1, numbered_events(1, 2)), "ok");
  EXPECT_EQ(add(1, numbered_events(1, 2)), "invalid") << "older than the frame before";
  EXPECT_EQ(import.tail().last, Position(2));
}

TEST_F(LogImportTest, RefusesMoreNamesThanAFrameHasRoomFor) {
  std::deque<std::string> types;
  std::vector<Event> events;
  for (std::size_t i = 0; i < limits::frame_names_max; ++i) {
    types.push_back("type " + std::to_string(i));
    events.push_back({.at = Time(Duration(1)), .body = CustomEvent{types.back(), {}}});
  }
  auto log = begin();
  EXPECT_EQ(code_of((*log)->add(Time(Duration(1)), events)), "invalid");
  events.pop_back();
  EXPECT_EQ(code_of((*log)->add(Time(Duration(1)), events)), "ok");
}

TEST_F(LogImportTest, TakesAFrameOfMoreThanOneLargestBatch) {
  auto log = begin();
  ASSERT_TRUE((*log)->add(Time(Duration(1)), numbered_events(1, limits::batch_events_max + 3'000)));
  ASSERT_TRUE((*log)->finish());
  ASSERT_TRUE(copy_log(folder_ / "new", folder_ / "again"));
  EXPECT_EQ(frames_of(folder_ / "again"), frames_of(folder_ / "new"));
}

// What is written goes to the disk behind the back of who adds: it is told all the same, and what
// would stand behind the hole is refused as well.
TEST_F(LogImportTest, IsRefusedForGoodOnceTheDiskIsFull) {
  auto copy = begin();
  ASSERT_TRUE(copy) << describe(copy.error());
  const std::string large(limits::mebibyte, 'x');
  const Event event{.at = noon, .body = CustomEvent{"large", as_bytes(large)}};
  Result<void> added;
  {
    const FileSizeLimit limit(24 * limits::mebibyte);
    for (int i = 0; added && i < 64; ++i) added = (*copy)->add(noon, {event});
  }
  ASSERT_FALSE(added);
  const Position committed = (*copy)->committed();
  EXPECT_GT(committed, Position());
  EXPECT_EQ(code_of((*copy)->add(noon, {event})), code_of(added));
  EXPECT_EQ(code_of((*copy)->commit()), code_of(added));
  EXPECT_EQ(code_of((*copy)->finish()), code_of(added));
  EXPECT_EQ((*copy)->committed(), committed);
  copy->reset();
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

}  // namespace
}  // namespace almanac::test
