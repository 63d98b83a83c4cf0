#include <almanac/log/hash.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/event_text.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t frame_digest_at = 24;

struct Copy {
  Position first;
  std::string bytes;
};

// Frames with 2 events each: 1 2 | 3 4 | 5 6 | 7 8, and the empty log they were written to.
class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    { TestLog empty(folder_ / "empty"); }
    fs::copy(folder_ / "empty", folder_ / "log", fs::copy_options::recursive);
    TestLog log(folder_ / "log");
    for (std::uint64_t next : {1, 3, 5, 7}) EXPECT_TRUE(log.append(numbered_events(next, 2)));
    auto read = log->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
      starts_.push_back(frame.header().first);
      return true;
    });
    EXPECT_TRUE(read);
    timeline_ = log->timeline();
  }

  [[nodiscard]] fs::path data_file() const { return folder_ / "log/log/data.mdb"; }

  // The frames as they are stored.
  [[nodiscard]] std::vector<Copy> frames() const {
    auto store = Store::open(folder_ / "log/log", {.map_bytes = limits::gibibyte});
    EXPECT_TRUE(store);
    std::vector<Copy> copies;
    EXPECT_TRUE((*store)->read(Position(1), [&](const Store::Frame& frame) -> Result<bool> {
      copies.push_back({frame.first, std::string(as_text(frame.value))});
      return true;
    }));
    return copies;
  }

  // The error of verify() for the log as it lies there, as "code: message".
  static std::string verdict(const fs::path& folder) {
    auto log = Log::open(folder, {.access = Access::read});
    if (!log) return std::string(name(log.error().code)) + ": " + log.error().message;
    Position whole;
    auto report = verify(**log, [&](Position through) { whole = through; });
    auto found = report ? "ok through " + std::to_string(report->last.value)
                        : std::string(name(report.error().code)) + ": " + report.error().message;
    auto prefixes = reports_through(**log, whole);
    log->reset();
    for (const VerifyReport& from : prefixes) {
      auto behind = parallel_verdict(folder, {.from = from});
      // Another frame may lie where that one ended: then all is checked anew.
      bool is_anew = behind.starts_with("conflict: ") && report_is_damage(found);
      EXPECT_TRUE(is_anew || behind == found) << "behind " << from.last.value << " " << behind;
    }
    for (std::uint64_t range_events : {0, 1, 3}) {
      EXPECT_EQ(parallel_verdict(folder, {.jobs = 3, .range_events = range_events}), found);
    }
    return found;
  }

  static bool report_is_damage(const std::string& found) { return !found.starts_with("ok "); }

  // What a verification knows behind each frame that is whole.
  static std::vector<VerifyReport> reports_through(const Log& log, Position whole) {
    std::vector<VerifyReport> reports;
    VerifyReport report;
    (void)log.read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
      if (frame.header().last() > whole) return false;
      report.last = frame.header().last();
      report.digest = frame.digest();
      report.time = frame.event(frame.header().count - 1)->at;
      reports.push_back(report);
      return true;
    });
    return reports;
  }

  // The same by several threads.
  static std::string parallel_verdict(const fs::path& folder, const VerifyOptions& options) {
    auto log = Log::open(folder, {.access = Access::read});
    if (!log) return std::string(name(log.error().code)) + ": " + log.error().message;
    auto done = verify(**log, options);
    if (!done) return std::string(name(done.error().code)) + ": " + done.error().message;
    return "ok through " + std::to_string(done->report.last.value);
  }

  // The same for a log of the same timeline that holds these frames instead.
  [[nodiscard]] std::string verdict_of(const std::vector<Copy>& frames) const {
    const auto folder = folder_ / "other";
    fs::remove_all(folder);
    fs::copy(folder_ / "empty", folder, fs::copy_options::recursive);
    {
      auto store = Store::open(folder / "log", {.map_bytes = limits::gibibyte});
      EXPECT_TRUE(store);
      for (const Copy& frame : frames) {
        const std::vector<Store::Frame> one = {{frame.first, as_bytes(frame.bytes)}};
        EXPECT_TRUE((*store)->append(one));
      }
    }
    return verdict(folder);
  }

  // A frame of this log with any header and events.
  [[nodiscard]] Copy encode(Position first, const Digest& previous,
                            const std::vector<Event>& events) const {
    EventBatch batch{.events = events, .memory = {}};
    std::vector<const EventBatch*> batches = {&batch};
    FrameEncoder encoder;
    auto encoded = encoder.encode(
        {.timeline = timeline_, .first = first, .time = events.front().at, .previous = previous},
        batches);
    return {first, std::string(as_text(encoded.value))};
  }

  TempFolder folder_;
  std::vector<Position> starts_;
  Timeline timeline_{};
};

Digest digest_of(const Copy& frame) {
  Digest digest;
  std::memcpy(digest.data(), frame.bytes.data() + frame_digest_at, digest.size());
  return digest;
}

TEST_F(VerifyTest, ReportsAWholeLog) {
  ASSERT_EQ(starts_, (std::vector<Position>{Position(1), Position(3), Position(5), Position(7)}));
  auto log = Log::open(folder_ / "log", {.access = Access::read});
  ASSERT_TRUE(log);
  std::vector<Position> progress;
  auto report = verify(**log, [&](Position through) { progress.push_back(through); });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->last, Position(8));
  EXPECT_EQ(report->frames, 4U);
  EXPECT_EQ(report->digest, (*log)->tail()->digest);
  EXPECT_EQ(progress, (std::vector<Position>{Position(2), Position(4), Position(6), Position(8)}));
  log->reset();
  std::uint64_t bytes = 0;
  for (const Copy& frame : frames()) bytes += frame.bytes.size();
  EXPECT_EQ(report->bytes, bytes);
}

TEST_F(VerifyTest, ReportsAnEmptyLog) {
  EXPECT_EQ(verdict(folder_ / "empty"), "ok through 0");
  EXPECT_EQ(verdict_of({}), "ok through 0");
}

TEST_F(VerifyTest, TakesTheSameFramesInAnotherFile) {
  EXPECT_EQ(verdict_of(frames()), "ok through 8");
}

TEST_F(VerifyTest, FindsEveryDamagedByteOfAFrameWithItsPosition) {
  const std::string whole = read_file(data_file());
  ASSERT_EQ(verdict(folder_ / "log"), "ok through 8");
  for (const Copy& frame : frames()) {
    const auto begin = whole.find(frame.bytes);
    ASSERT_NE(begin, std::string::npos);
    // An old version of the page may hold the same bytes; the last is the one in use.
    const auto in_use = whole.rfind(frame.bytes);
    const std::string position = "(at position " + std::to_string(frame.first.value) + ")";
    for (std::size_t at = 0; at < frame.bytes.size(); ++at) {
      std::string damaged = whole;
      for (auto place = begin; place <= in_use; place = whole.find(frame.bytes, place + 1)) {
        damaged[place + at] ^= static_cast<char>(1U << (at % 8));
      }
      write_file(data_file(), damaged);
      const std::string found = verdict(folder_ / "log");
      const bool in_format = at == 12 || at == 13;
      EXPECT_TRUE(contains(found, in_format ? "newer_format: " : "corrupt: ")) << at << found;
      EXPECT_TRUE(contains(found, position)) << at << ": " << found;
    }
  }
}

TEST_F(VerifyTest, FindsDamageThatReadingFindsToo) {
  const auto frame = frames()[1];
  std::string bytes = read_file(data_file());
  for (auto at = bytes.find(frame.bytes); at != std::string::npos; at = bytes.find(frame.bytes)) {
    bytes[at + frame.bytes.size() - 1] ^= 1;
  }
  write_file(data_file(), bytes);
  auto log = Log::open(folder_ / "log", {.access = Access::read});
  ASSERT_TRUE(log) << "only its last frame is looked at";
  std::vector<std::string> texts;
  auto read = (*log)->read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    texts.push_back(event_text(recorded));
    return true;
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(code_of(read), "corrupt");
  EXPECT_TRUE(contains(read.error().message, "(at position 3)")) << read.error().message;
  EXPECT_EQ(texts, texts_of(numbered_events(1, 2))) << "what is whole is still read";
  EXPECT_EQ(read_texts(**log, Position(5)), texts_of(numbered_events(5, 4), Position(5)));
  auto ignore = [](const Event&) {};
  EXPECT_EQ(code_of((*log)->read_one(Position(4), ignore)), "corrupt");
  EXPECT_TRUE((*log)->read_one(Position(2), ignore));
}

TEST_F(VerifyTest, FindsAFrameThatIsMissing) {
  const auto all = frames();
  const std::string missing = "corrupt: a frame does not follow the one before it (at position ";
  EXPECT_EQ(verdict_of({all[1], all[2], all[3]}), missing + "1)");
  EXPECT_EQ(verdict_of({all[0], all[2], all[3]}), missing + "3)");
  EXPECT_EQ(verdict_of({all[0], all[1], all[3]}), missing + "5)");
  EXPECT_EQ(verdict_of({all[0], all[1], all[2]}), "ok through 6") << "a shorter log is a log";
}

TEST_F(VerifyTest, FindsAFrameThatIsMissingWhereverReadingBegins) {
  const auto all = frames();
  const std::string missing = "corrupt: a frame does not follow the one before it (at position ";
  ASSERT_EQ(verdict_of({all[0], all[2], all[3]}), missing + "3)");
  auto log = Log::open(folder_ / "other", {.access = Access::read});
  ASSERT_TRUE(log);
  auto ignore = [](const Event&) {};
  for (std::uint64_t from : {3, 4}) {
    EXPECT_EQ(code_of(read_texts(**log, Position(from))), "corrupt") << from;
    EXPECT_EQ(code_of((*log)->read_one(Position(from), ignore)), "corrupt") << from;
  }
  EXPECT_EQ(read_texts(**log, Position(5)), texts_of(numbered_events(5, 4), Position(5)));
  log->reset();
  ASSERT_EQ(verdict_of({all[1], all[2], all[3]}), missing + "1)");
  log = Log::open(folder_ / "other", {.access = Access::read});
  ASSERT_TRUE(log);
  EXPECT_EQ(code_of(read_texts(**log, Position(2))), "corrupt");
  EXPECT_EQ(code_of((*log)->read_one(Position(2), ignore)), "corrupt");
  EXPECT_TRUE((*log)->read_one(Position(3), ignore));
}

TEST_F(VerifyTest, FindsFramesThatWereSwapped) {
  auto all = frames();
  std::swap(all[1].bytes, all[2].bytes);
  EXPECT_EQ(verdict_of(all), "corrupt: a frame stands in another one's place (at position 3)");
}

TEST_F(VerifyTest, FindsAFrameOfAnotherLog) {
  std::vector<Copy> foreign;
  {
    TestLog log(folder_ / "foreign");
    for (std::uint64_t next : {1, 3, 5, 7}) ASSERT_TRUE(log.append(numbered_events(next, 2)));
  }
  auto store = Store::open(folder_ / "foreign/log", {.map_bytes = limits::gibibyte});
  ASSERT_TRUE(store);
  auto all = frames();
  ASSERT_TRUE((*store)->read(Position(3), [&](const Store::Frame& frame) -> Result<bool> {
    all[1].bytes = as_text(frame.value);
    return false;
  }));
  EXPECT_EQ(verdict_of(all), "corrupt: a frame belongs to another log (at position 3)");
}

TEST_F(VerifyTest, FindsAFrameThatWasWrittenAnew) {
  auto all = frames();
  all[1] = encode(Position(3), digest_of(all[0]),
                  {numbered_event(3), {.at = Time(Duration(4)), .body = TaskReadied{TaskId(5)}}});
  EXPECT_EQ(verdict_of(all), "corrupt: a frame does not follow the one before it (at position 5)");
}

TEST_F(VerifyTest, FindsAFrameThatOverlapsTheNext) {
  auto all = frames();
  all[1] = encode(Position(3), digest_of(all[0]), numbered_events(3, 3));
  all[2] = encode(Position(5), digest_of(all[1]), numbered_events(5, 2));
  all.resize(3);
  EXPECT_EQ(verdict_of(all), "corrupt: a frame does not follow the one before it (at position 6)");
}

TEST_F(VerifyTest, FindsADigestThatIsNotOfItsBytes) {
  auto all = frames();
  all.resize(3);
  all[2].bytes[frame_digest_at] ^= 1;
  auto checksum = xxh3(as_bytes(all[2].bytes).subspan(sizeof(std::uint64_t)));
  std::memcpy(all[2].bytes.data(), &checksum, sizeof(checksum));
  EXPECT_EQ(verdict_of(all),
            "corrupt: the frame's digest does not match its bytes (at position 5)");
}

TEST_F(VerifyTest, FindsAnEventThatIsOlderThanTheOneBeforeInAnotherFrame) {
  auto all = frames();
  all.resize(2);
  all[1] = encode(Position(3), digest_of(all[0]), {numbered_event(2), numbered_event(2)});
  EXPECT_EQ(verdict_of(all), "ok through 4");
  all[1] = encode(Position(3), digest_of(all[0]), {numbered_event(1), numbered_event(2)});
  EXPECT_EQ(verdict_of(all), "corrupt: an event is older than the one before it (at position 3)");
}

TEST_F(VerifyTest, FindsAnEventThatIsOlderThanTheOneBeforeInItsFrame) {
  auto all = frames();
  all.resize(2);
  std::vector<Event> events = {{.at = Time(Duration(10)), .body = EngineStopped{}},
                               {.at = Time(Duration(500)), .body = EngineStopped{}},
                               {.at = Time(Duration(490)), .body = EngineStopped{}}};
  all[1] = encode(Position(3), digest_of(all[0]), events);
  EXPECT_EQ(verdict_of(all), "corrupt: an event is older than the one before it (at position 5)");
}

TEST_F(VerifyTest, FindsAnEventThatCannotBeRead) {
  auto all = frames();
  all.resize(2);
  std::vector<Event> events = {{.at = Time(Duration(9)), .body = EngineStopped{}}};
  all[1] = encode(Position(3), digest_of(all[0]), events);
  // The type of the only event, behind 4 bytes of time and 2 of name.
  const std::string word("\0\0\0\0\0\0\x0c\0", 8);
  const auto at = all[1].bytes.find(word, 56);
  ASSERT_NE(at, std::string::npos);
  all[1].bytes[at + 6] = 99;
  auto digest = blake2b(as_bytes(all[1].bytes).subspan(56));
  std::memcpy(all[1].bytes.data() + frame_digest_at, digest.data(), digest.size());
  auto checksum = xxh3(as_bytes(all[1].bytes).subspan(sizeof(std::uint64_t)));
  std::memcpy(all[1].bytes.data(), &checksum, sizeof(checksum));
  EXPECT_EQ(verdict_of(all), "newer_format: event 3 is of a type this version does not know");
}

TEST_F(VerifyTest, FindsAValueThatIsNoFrame) {
  auto all = frames();
  all[2].bytes = std::string(64, 'x');
  EXPECT_EQ(verdict_of(all), "corrupt: the bytes are not a frame (at position 5)");
  all[2].bytes = std::string(8, 'x');
  EXPECT_EQ(verdict_of(all), "corrupt: a frame of 8 bytes cannot be whole (at position 5)");
}

TEST_F(VerifyTest, FindsADamagedLastFrameWhenTheLogIsOpened) {
  auto all = frames();
  all.back().bytes.back() ^= 1;
  EXPECT_EQ(verdict_of(all),
            "corrupt: the frame's checksum does not match its bytes (at position 7)");
}

}  // namespace
}  // namespace almanac::test
