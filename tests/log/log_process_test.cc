// One log, several processes.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

constexpr uid_t nobody = 65534;

std::vector<std::string> peer(const std::string& access, const fs::path& folder) {
  return {program_path("log_peer"), access, folder};
}
// Root may read everything; another user may not. A user who is not root stays who he is.
std::vector<std::string> other_user(const fs::path& folder) {
  auto arguments = peer("read", folder);
  if (::geteuid() == 0) arguments.push_back(std::to_string(nobody));
  return arguments;
}

TEST(LogProcesses, TellASecondWriterWhoHoldsTheLog) {
  TempFolder folder;
  ChildProcess writer(peer("write", folder / "log"));
  ASSERT_EQ(writer.read_line(), "open 0");
  auto second = Log::open(folder / "log");
  ASSERT_FALSE(second);
  EXPECT_EQ(code_of(second), "conflict");
  EXPECT_TRUE(contains(second.error().message, "process " + std::to_string(writer.id()) + " ("))
      << second.error().message;
  EXPECT_TRUE(contains(second.error().message, "log_peer write ")) << second.error().message;
  EXPECT_NE(second.error().next_step, "");
  EXPECT_EQ(writer.ask("append 1"), "appended through 1") << "the first one is not disturbed";
  EXPECT_EQ(writer.wait(), 0);
  TestLog log(folder / "log");
  EXPECT_EQ(log->opened_tail().last, Position(1));
}

TEST(LogProcesses, LetOnlyOneOfTwoBeginALog) {
  for (int round = 0; round < 10; ++round) {
    TempFolder folder;
    ChildProcess first(peer("write", folder / "log"));
    ChildProcess second(peer("write", folder / "log"));
    const std::string first_line = first.read_line();
    const std::string second_line = second.read_line();
    const bool first_won = first_line == "open 0";
    EXPECT_NE(first_won, second_line == "open 0") << first_line << " / " << second_line;
    EXPECT_TRUE(contains(first_won ? second_line : first_line, "conflict: "))
        << first_line << " / " << second_line;
    EXPECT_EQ((first_won ? first : second).ask("append 2"), "appended through 2");
  }
}

TEST(LogProcesses, ReadWhileAnotherWrites) {
  TempFolder folder;
  TestLog log(folder / "log");
  ASSERT_TRUE(log.append(numbered_events(1, 10)));
  ChildProcess reader(peer("read", folder / "log"));
  EXPECT_EQ(reader.read_line(), "open 10");
  EXPECT_EQ(reader.ask("read 1"), "read 10 through 10");
  std::uint64_t last = 10;
  for (std::uint64_t count = 1; count <= 30; ++count) {
    ASSERT_TRUE(log.append(numbered_events(last + 1, count)));
    EXPECT_EQ(reader.ask("read " + std::to_string(last + 1)),
              "read " + std::to_string(count) + " through " + std::to_string(last + count));
    last += count;
    EXPECT_EQ(reader.ask("tail"), "tail " + std::to_string(last));
    EXPECT_EQ(reader.ask("read " + std::to_string(last + 1)), "read 0 through 0");
  }
  EXPECT_EQ(reader.wait(), 0);
}

TEST(LogProcesses, SeeABatchWholeOrNotAtAll) {
  TempFolder folder;
  TestLog log(folder / "log");
  ChildProcess reader(peer("read", folder / "log"));
  ASSERT_EQ(reader.read_line(), "open 0");
  constexpr std::uint64_t batches = 100;
  for (std::uint64_t i = 0; i < batches; ++i) {
    ASSERT_TRUE(log->append(make_batch(numbered_events(7 * i + 1, 7))));
  }
  for (std::uint64_t last = 0; last < 7 * batches;) {
    const std::string tail = reader.ask("tail");
    ASSERT_TRUE(tail.starts_with("tail ")) << tail;
    last = std::stoull(tail.substr(5));
    EXPECT_EQ(last % 7, 0U);
  }
  EXPECT_EQ(reader.ask("read 1"), "read 700 through 700");
}

TEST(LogProcesses, FindEverythingAcknowledgedByAWriterThatWasKilled) {
  TempFolder folder;
  for (std::uint64_t round = 1; round <= 5; ++round) {
    ChildProcess writer(peer("write", folder / "log"));
    EXPECT_EQ(writer.read_line(), "open " + std::to_string(30 * (round - 1)));
    EXPECT_EQ(writer.ask("append 10"), "appended through " + std::to_string(30 * round - 20));
    EXPECT_EQ(writer.ask("append 20"), "appended through " + std::to_string(30 * round));
    writer.kill(SIGKILL);
    EXPECT_EQ(writer.wait(), -SIGKILL);
  }
  TestLog log(folder / "log");
  EXPECT_EQ(log->opened_tail().last, Position(150));
  EXPECT_EQ(read_texts(*log), texts_of(numbered_events(1, 150)));
  EXPECT_TRUE(verify(*log));
}

TEST(LogProcesses, SayThatTooManyReadAtOnceAndForgetThoseThatWereKilled) {
  TempFolder folder;
  { ASSERT_TRUE(TestLog(folder / "log").append(numbered_events(1, 1))); }
  TestLog log(folder / "log");
  ChildProcess first(peer("read", folder / "log"));
  ChildProcess second(peer("read", folder / "log"));
  ASSERT_EQ(first.read_line(), "open 1");
  ASSERT_EQ(second.read_line(), "open 1");
  EXPECT_EQ(first.ask("nest 200"), "holding 200");
  EXPECT_TRUE(contains(second.ask("nest 100"), "busy: too many processes read this log"));
  first.kill(SIGKILL);
  EXPECT_EQ(first.wait(), -SIGKILL);
  EXPECT_EQ(second.ask("nest 100"), "holding 100");
}

TEST(LogProcesses, LetTheFileGrowNoFurtherForAReaderThatWasKilled) {
  TempFolder folder;
  { ASSERT_TRUE(TestLog(folder / "log").append(numbered_events(1, 1))); }
  TestLog log(folder / "log");
  ChildProcess reader(peer("read", folder / "log"));
  ASSERT_EQ(reader.read_line(), "open 1");
  ASSERT_EQ(reader.ask("nest 1"), "holding 1");
  reader.kill(SIGKILL);
  EXPECT_EQ(reader.wait(), -SIGKILL);
  for (std::uint64_t i = 2; i <= 500; ++i) ASSERT_TRUE(log.append(numbered_events(i, 1)));
  // 500 frames take 0.2 MB; every commit's old pages, kept for good, would take 8 MB.
  EXPECT_LT(fs::file_size(folder / "log/log/data.mdb"), 2 * limits::mebibyte);
}

// A log in a folder nobody may write to.
class ReadOnlyLog {
 public:
  ReadOnlyLog() {
    { EXPECT_TRUE(TestLog(folder_ / "log").append(numbered_events(1, 5))); }
    if (::geteuid() == 0) {
      fs::permissions(folder_.path(), fs::perms(0755));
      EXPECT_EQ(::chown(path().c_str(), nobody, nobody), 0);
      for (const auto& entry : fs::recursive_directory_iterator(path())) {
        EXPECT_EQ(::chown(entry.path().c_str(), nobody, nobody), 0);
      }
    }
    set_permissions(0500, 0400);
  }
  ~ReadOnlyLog() { set_permissions(0700, 0600); }
  ReadOnlyLog(const ReadOnlyLog&) = delete;
  ReadOnlyLog& operator=(const ReadOnlyLog&) = delete;

  void set_permissions(unsigned of_folders, unsigned of_files) {
    fs::permissions(path(), fs::perms(0700));
    fs::permissions(path() / "log", fs::perms(0700));
    for (const char* name : {"lock", "log/data.mdb", "log/lock.mdb"}) {
      if (fs::exists(path() / name)) fs::permissions(path() / name, fs::perms(of_files));
    }
    fs::permissions(path() / "log", fs::perms(of_folders));
    fs::permissions(path(), fs::perms(of_folders));
  }
  [[nodiscard]] fs::path path() const { return folder_ / "log"; }

 private:
  TempFolder folder_;
};

TEST(LogProcesses, ReadALogInAFolderTheyMayNotWriteTo) {
  ReadOnlyLog log;
  ChildProcess reader(other_user(log.path()));
  EXPECT_EQ(reader.read_line(), "open 5");
  EXPECT_EQ(reader.ask("read 1"), "read 5 through 5");
  EXPECT_EQ(reader.ask("read 4"), "read 2 through 5");
}

TEST(LogProcesses, ReadACopyWithoutLocksInAFolderTheyMayNotWriteTo) {
  ReadOnlyLog log;
  log.set_permissions(0700, 0600);
  fs::remove(log.path() / "lock");
  fs::remove(log.path() / "log/lock.mdb");
  log.set_permissions(0500, 0400);
  ChildProcess reader(other_user(log.path()));
  EXPECT_EQ(reader.read_line(), "open 5");
  EXPECT_EQ(reader.ask("read 1"), "read 5 through 5");
}

TEST(LogProcesses, KeepWritersOutWhileTheyReadWithoutRegistering) {
  ReadOnlyLog log;
  ChildProcess reader(other_user(log.path()));
  ASSERT_EQ(reader.read_line(), "open 5");
  log.set_permissions(0700, 0600);
  EXPECT_EQ(code_of(Log::open(log.path())), "conflict");
  ChildProcess second(other_user(log.path()));
  EXPECT_EQ(second.read_line(), "open 5") << "readers do not keep each other out";
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(reader.wait(), 0);
  EXPECT_TRUE(TestLog(log.path()).append(numbered_events(6, 1)));
}

TEST(LogProcesses, SayThatAWriterKeepsThemFromReadingWithoutRegistering) {
  ReadOnlyLog log;
  log.set_permissions(0700, 0600);
  TestLog writer(log.path());
  log.set_permissions(0500, 0400);
  ChildProcess reader(other_user(log.path()));
  EXPECT_TRUE(contains(reader.read_line(), "conflict: "));
}

TEST(LogProcesses, RefuseAFolderTheyMayNotEnter) {
  ReadOnlyLog log;
  log.set_permissions(0000, 0400);
  EXPECT_TRUE(contains(ChildProcess(other_user(log.path())).read_line(), "refused: "));
  log.set_permissions(0500, 0000);
  EXPECT_TRUE(contains(ChildProcess(other_user(log.path())).read_line(), "refused: "));
}

TEST(LogProcesses, RefuseToWriteWhereTheyMayNot) {
  ReadOnlyLog log;
  auto arguments = other_user(log.path());
  arguments[1] = "write";
  EXPECT_TRUE(contains(ChildProcess(arguments).read_line(), "refused: "));
  arguments[2] = log.path() / "new";
  EXPECT_TRUE(contains(ChildProcess(arguments).read_line(), "refused: "));
}

}  // namespace
}  // namespace almanac::test
