// `almanac log verify` as it is stopped and run again. What it finds is shown in tests/log.
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/test_log.h>

#include <almanac/tools/verify_record.h>

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The sample log: frames end at positions 2, 5, 6 and 10.
class LogVerify : public LogCommands {
 protected:
  LogVerify() { write_frames(log_folder(), sample_frames()); }

  // What a run that was stopped behind that many frames would have recorded.
  [[nodiscard]] VerifyRecord record_behind(std::uint64_t frames) const {
    auto log = Log::open(log_folder(), {.access = Access::read});
    VerifyRecord record{.timeline = (*log)->timeline(), .report = {}, .checked_at = sample_time(0)};
    VerifyReport& report = record.report;
    auto read = (*log)->read_frames(Position(1), [&](const FrameReader& frame) -> Result<bool> {
      if (report.frames == frames) return false;
      report = {.last = frame.header().last(),
                .frames = report.frames + 1,
                .bytes = report.bytes + frame.size_bytes(),
                .digest = frame.digest(),
                .time = frame.event(frame.header().count - 1)->at};
      return true;
    });
    EXPECT_TRUE(read);
    return record;
  }
  void leave(const VerifyRecord& record) const { EXPECT_TRUE(save_record(log_folder(), record)); }
  [[nodiscard]] fs::path record_file() const { return log_folder() / "verify.progress"; }
  // Ctrl-C was pressed before it began: it is noticed before anything is read.
  [[nodiscard]] CommandOutput interrupted() const {
    return run_almanac(
        {.arguments = {"log", "verify", "--dir", "log"}, .folder = folder_.path(), .in_child = [] {
           sigset_t set;
           ::sigemptyset(&set);
           ::sigaddset(&set, SIGINT);
           ::sigprocmask(SIG_BLOCK, &set, nullptr);
           ::raise(SIGINT);
         }});
  }
  // Changes what is said in event 6, in the third frame.
  void damage() const {
    auto file = log_folder() / "log/data.mdb";
    auto bytes = read_file(file);
    for (auto at = bytes.find("no space"); at != std::string::npos; at = bytes.find("no space")) {
      bytes[at] = 'N';
    }
    write_file(file, bytes);
  }
};

TEST_F(LogVerify, SaysTheSameWithAnyNumberOfThreads) {
  auto whole = output({"verify"});
  EXPECT_TRUE(whole.starts_with("whole: 10 events in 4 frames, ")) << whole;
  for (const char* jobs : {"0", "1", "2", "64"}) EXPECT_EQ(output({"verify", "-j", jobs}), whole);
  EXPECT_FALSE(fs::exists(record_file()));
}

TEST_F(LogVerify, GoesOnWhereItWasStoppedAndSaysSo) {
  auto whole = json::parse(output({"verify", "--json"}));
  for (std::uint64_t frames : {1, 2, 3, 4}) {
    leave(record_behind(frames));
    auto last = record_behind(frames).report.last.value;
    auto done = log({"verify", "--json"});
    EXPECT_EQ(done.code, 0);
    EXPECT_TRUE(contains(done.errors, "going on behind position " + std::to_string(last) +
                                          ": up to there it was checked until "
                                          "2026-11-21T10:00:00.000000Z; --from-start"))
        << done.errors;
    auto expected = whole;
    expected["checked_before"] = last;
    EXPECT_EQ(json::parse(done.output), expected);
    EXPECT_FALSE(fs::exists(record_file())) << "it finished";
  }
}

TEST_F(LogVerify, StoppedItSaysHowFarItGotAndRecordsIt) {
  auto done = interrupted();
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(done.output, "");
  EXPECT_TRUE(contains(done.errors, "stopped behind position 0 of 10")) << done.errors;
  EXPECT_FALSE(fs::exists(record_file())) << "there is nothing to go on from";
  leave(record_behind(2));
  done = interrupted();
  EXPECT_EQ(done.code, 1);
  EXPECT_TRUE(contains(done.errors, "stopped behind position 5 of 10")) << done.errors;
  EXPECT_TRUE(contains(done.errors, "goes on from there")) << done.errors;
  auto record = load_record(log_folder());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->report.last, Position(5));
  EXPECT_EQ(record->report.digest, record_behind(2).report.digest);
  EXPECT_TRUE(contains(log({"verify"}).errors, "going on behind position 5"));
}

TEST_F(LogVerify, FromTheStartItIgnoresTheRecord) {
  leave(record_behind(3));
  auto done = log({"verify", "--from-start", "--json"});
  EXPECT_EQ(done.errors, "");
  EXPECT_FALSE(json::parse(done.output).contains("checked_before"));
  EXPECT_FALSE(fs::exists(record_file()));
}

TEST_F(LogVerify, DamageInFrontOfTheRecordIsFoundFromTheStart) {
  auto behind = record_behind(3);
  auto before = record_behind(2);
  damage();
  leave(before);
  auto found = log({"verify"});
  EXPECT_EQ(found.code, 6);
  EXPECT_TRUE(contains(found.errors, "(at position 6)")) << found.errors;
  leave(behind);
  found = log({"verify", "--from-start"});
  EXPECT_EQ(found.code, 6);
  EXPECT_TRUE(contains(found.errors, "(at position 6)")) << found.errors;
}

TEST_F(LogVerify, ARecordOfAnotherLogIsIgnored) {
  auto other = record_behind(2);
  other.report.digest[0] ^= std::byte{1};
  leave(other);
  auto done = log({"verify", "--json"});
  EXPECT_EQ(done.code, 0);
  EXPECT_TRUE(contains(done.errors, "checking from the start")) << done.errors;
  EXPECT_FALSE(json::parse(done.output).contains("checked_before"));
  other = record_behind(2);
  other.timeline[0] ^= std::byte{1};
  leave(other);
  EXPECT_FALSE(contains(output({"verify", "--json"}), "checked_before"));
  other = record_behind(2);
  other.report.last = Position(99);
  leave(other);
  EXPECT_FALSE(contains(output({"verify", "--json"}), "checked_before"));
}

TEST_F(LogVerify, ARecordThatIsNotWholeIsIgnored) {
  leave(record_behind(2));
  auto whole = read_file(record_file());
  ASSERT_TRUE(load_record(log_folder()));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] ^= 1;
    write_file(record_file(), damaged);
    EXPECT_FALSE(load_record(log_folder())) << at;
    bool lacks_its_last_newline = at + 1 == whole.size();
    write_file(record_file(), whole.substr(0, at));
    EXPECT_EQ(load_record(log_folder()).has_value(), lacks_its_last_newline) << at;
  }
}

TEST_F(LogVerify, ShowsOnATerminalHowFarItIs) {
  auto done = run_on_terminal(
      {.arguments = {"log", "verify", "--dir", "log"}, .folder = folder_.path()}, 60);
  EXPECT_EQ(done.code, 0);
  EXPECT_TRUE(contains(done.output, "\r\033[K0 of 10 events whole, 0%")) << done.output;
  EXPECT_TRUE(contains(done.output, "\r\033[Kwhole: 10 events in 4 frames")) << done.output;
}

}  // namespace
}  // namespace almanac::test
