// Verification by several threads: the same report as by one, whatever the ranges; stopped and gone
// on with; the first damaged position. What is damage at all is shown in verify_test.cc.
#include <almanac/log/verify.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// 60 frames of 1 to 90 events.
class ParallelVerify : public testing::Test {
 protected:
  ParallelVerify() {
    TestLog log(folder_ / "log");
    for (std::uint64_t i = 0; i < 60; ++i) {
      starts_.push_back(next_);
      EXPECT_TRUE(log.append(numbered_events(next_, 1 + i * i % 90)));
      next_ += 1 + i * i % 90;
    }
  }
  [[nodiscard]] std::unique_ptr<Log> open() const {
    auto log = Log::open(folder_ / "log", {.access = Access::read});
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }
  // Flips a bit of the frame's last byte.
  void damage(std::uint64_t first) const {
    std::string bytes;
    {
      auto store =
          Store::open(folder_ / "log/log", {.access = Access::read, .map_bytes = limits::gibibyte});
      EXPECT_TRUE((*store)->read(Position(first), [&](const Store::Frame& frame) -> Result<bool> {
        EXPECT_EQ(frame.first, Position(first));
        bytes = as_text(frame.value);
        return false;
      }));
    }
    auto file = folder_ / "log/log/data.mdb";
    auto all = read_file(file);
    for (auto at = all.find(bytes); at != std::string::npos; at = all.find(bytes)) {
      all[at + bytes.size() - 1] ^= 1;
    }
    write_file(file, all);
  }

  TempFolder folder_;
  std::vector<std::uint64_t> starts_;
  std::uint64_t next_ = 1;
};

bool operator==(const VerifyReport& one, const VerifyReport& other) {
  return one.last == other.last && one.frames == other.frames && one.bytes == other.bytes &&
         one.digest == other.digest && one.time == other.time;
}

TEST_F(ParallelVerify, ReportsWhatOneThreadReports) {
  auto expected = verify(*open());
  ASSERT_TRUE(expected);
  for (std::size_t jobs : {0, 1, 2, 8}) {
    for (std::uint64_t range_events : {0, 1, 7, 100, 100'000}) {
      auto done = verify(*open(), {.jobs = jobs, .range_events = range_events});
      ASSERT_TRUE(done) << done.error().message;
      EXPECT_TRUE(done->finished);
      EXPECT_TRUE(done->report == *expected) << jobs << " " << range_events;
    }
  }
}

TEST_F(ParallelVerify, NamesTheFirstOfSeveralDamagedPositions) {
  for (std::size_t at : {58, 40, 39, 20, 1, 0}) {
    damage(starts_[at]);
    auto by_one = verify(*open());
    ASSERT_FALSE(by_one);
    auto position = "(at position " + std::to_string(starts_[at]) + ")";
    EXPECT_NE(by_one.error().message.find(position), std::string::npos) << by_one.error().message;
    for (std::uint64_t range_events : {0, 1, 7, 100}) {
      auto done = verify(*open(), {.jobs = 4, .range_events = range_events});
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().message, by_one.error().message) << range_events;
    }
  }
}

TEST_F(ParallelVerify, ReadsNothingWhenItIsToldToStopAtOnce) {
  auto from = *verify(*open());
  auto log = open();
  for (const VerifyReport& begin : {VerifyReport(), from}) {
    auto done =
        verify(*log, {.from = begin, .progress = [](const VerifyReport&) { return false; }});
    ASSERT_TRUE(done);
    EXPECT_FALSE(done->finished);
    EXPECT_TRUE(done->report == begin);
  }
}

TEST_F(ParallelVerify, StopsWhenItIsToldToAndGoesOnFromThere) {
  auto expected = verify(*open());
  VerifyReport so_far;
  bool finished = false;
  while (!finished) {
    // Told to stop at the first news. How much was checked by then is the machine's affair.
    auto done = verify(
        *open(),
        {.jobs = 2, .range_events = 20, .from = so_far, .progress = [&](const VerifyReport& now) {
           EXPECT_GE(now.last, so_far.last);
           return now.last == so_far.last;
         }});
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_TRUE(done->finished || done->report.last > so_far.last);
    so_far = done->report;
    finished = done->finished;
  }
  EXPECT_TRUE(so_far == *expected);
}

TEST_F(ParallelVerify, GoesOnBehindEveryFrame) {
  auto expected = verify(*open());
  std::vector<VerifyReport> reports;
  VerifyReport so_far;
  auto log = open();
  auto read = log->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
    so_far = {.last = frame.header().last(),
              .frames = so_far.frames + 1,
              .bytes = so_far.bytes + frame.size_bytes(),
              .digest = frame.digest(),
              .time = frame.event(frame.header().count - 1)->at};
    reports.push_back(so_far);
    return true;
  });
  ASSERT_TRUE(read);
  ASSERT_EQ(reports.size(), starts_.size());
  for (const VerifyReport& from : reports) {
    auto done = verify(*log, {.jobs = 2, .range_events = 50, .from = from});
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(done->report == *expected);
  }
}

TEST_F(ParallelVerify, DoesNotGoOnInAnotherLog) {
  auto whole = verify(*open());
  auto other_digest = *whole;
  other_digest.digest[0] ^= std::byte{1};
  EXPECT_EQ(code_of(verify(*open(), {.from = other_digest})), "conflict");
  auto inside_a_frame = *whole;
  inside_a_frame.last = Position(starts_[30]);
  EXPECT_EQ(code_of(verify(*open(), {.from = inside_a_frame})), "conflict");
  auto behind_the_end = *whole;
  behind_the_end.last = Position(next_ + 5);
  EXPECT_EQ(code_of(verify(*open(), {.from = behind_the_end})), "conflict");
}

TEST_F(ParallelVerify, GoesOnWhenTheLogHasGrown) {
  auto before = verify(*open());
  {
    TestLog log(folder_ / "log");
    ASSERT_TRUE(log.append(numbered_events(next_, 5)));
  }
  auto done = verify(*open(), {.from = *before});
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->report == *verify(*open()));
}

TEST(ParallelVerifyOfNothing, Works) {
  TempFolder folder;
  { TestLog empty(folder / "log"); }
  auto log = Log::open(folder / "log", {.access = Access::read});
  auto done = verify(**log, {.jobs = 4});
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->finished);
  EXPECT_EQ(done->report.last, Position());
}

}  // namespace
}  // namespace almanac::test
