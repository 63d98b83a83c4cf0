// What Log::open makes of the folder it is given.
#include <almanac/log/log.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

Error refusal(const fs::path& folder, Access access) {
  auto log = Log::open(folder, {.access = access});
  return log ? Error{ErrorCode::invalid, "it was opened", ""} : log.error();
}

// Every name below a folder.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    names.push_back(entry.path().lexically_relative(folder));
  }
  std::ranges::sort(names);
  return names;
}

unsigned mode_of(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

const std::vector<std::string> names_of_a_log = {
    "lock", "log", "log/commits", "log/data.mdb", "log/durable", "log/journal", "log/lock.mdb"};

TEST(LogOpen, MakesExactlyTheFilesOfALog) {
  TempFolder folder;
  { TestLog log(folder / "log"); }
  EXPECT_EQ(names_in(folder / "log"), names_of_a_log);
}

TEST(LogOpen, MakesMissingFoldersAndKeepsOthersOut) {
  TempFolder folder;
  for (const char* name : {"a/b/plain", "c/d/slash/"}) {
    TestLog log(folder / name);
    EXPECT_EQ(mode_of(folder / name), 0700U) << name;
    EXPECT_EQ(mode_of(folder / name / "lock"), 0600U);
    EXPECT_EQ(mode_of(folder / name / "log/data.mdb"), 0600U);
  }
  EXPECT_EQ(names_in(folder / "c/d/slash"), names_of_a_log);
}

TEST(LogOpen, TakesARelativeFolder) {
  TempFolder folder;
  auto before = fs::current_path();
  fs::current_path(folder.path());
  { TestLog log("relative"); }
  { TestLog log("./deep/er/"); }
  fs::current_path(before);
  EXPECT_EQ(names_in(folder / "relative"), names_of_a_log);
  EXPECT_EQ(names_in(folder / "deep/er"), names_of_a_log);
}

TEST(LogOpen, TakesAnEmptyFolderThatIsThereAlready) {
  TempFolder folder;
  TestLog log(folder.path());
  EXPECT_TRUE(log.append(numbered_events(1, 1)));
}

TEST(LogOpen, CleansUpWhatACrashedCreationLeft) {
  TempFolder folder;
  fs::create_directories(folder / "log.creating/deeper");
  write_file(folder / "log.creating/data.mdb", "half a log");
  write_file(folder / "lock", "process 1 (crashed)");
  TestLog log(folder.path());
  EXPECT_EQ(names_in(folder.path()), names_of_a_log);
  EXPECT_TRUE(log.append(numbered_events(1, 1)));
}

TEST(LogOpen, RefusesAFolderOfSomethingElseAndLeavesItAsItIs) {
  TempFolder folder;
  write_file(folder / "letter.txt", "dear");
  auto error = refusal(folder.path(), Access::write);
  EXPECT_EQ(error.code, ErrorCode::refused);
  EXPECT_NE(error.message.find("letter.txt"), std::string::npos) << error.message;
  EXPECT_NE(error.next_step, "");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"letter.txt"});
}

// As `almanac token create` makes them, while this process looks.
TEST(LogOpen, TakesAFolderOfTokensThatAreJustComing) {
  for (const char* name : {"", "tokens.lock", "tokens.new", "tokens"}) {
    TempFolder folder;
    fs::create_directory(folder / "daemon");
    if (*name != '\0') write_file(folder / "daemon" / name, "");
    TestLog log(folder.path());
    EXPECT_TRUE(log.append(numbered_events(1, 1))) << name;
  }
  TempFolder folder;
  fs::create_directory(folder / "daemon");
  write_file(folder / "daemon" / "letter.txt", "dear");
  EXPECT_EQ(refusal(folder.path(), Access::write).code, ErrorCode::refused);
}

TEST(LogOpen, RefusesAFolderWhoseLogFolderIsSomethingElses) {
  TempFolder folder;
  fs::create_directory(folder / "log");
  write_file(folder / "log/server.log", "GET /");
  EXPECT_EQ(refusal(folder.path(), Access::write).code, ErrorCode::refused);
  EXPECT_EQ(refusal(folder.path(), Access::read).code, ErrorCode::not_found);
  EXPECT_EQ(names_in(folder.path()), (std::vector<std::string>{"log", "log/server.log"}));
}

TEST(LogOpen, SaysThatAFileIsNotAFolder) {
  TempFolder folder;
  write_file(folder / "file", "content");
  for (auto access : {Access::read, Access::write}) {
    auto error = refusal(folder / "file", access);
    EXPECT_EQ(error.code, ErrorCode::invalid);
    EXPECT_NE(error.message.find("is a file, not a folder"), std::string::npos) << error.message;
  }
  EXPECT_NE(refusal(folder / "file/below", Access::write).message, "it was opened");
  EXPECT_NE(refusal(folder / "file/below", Access::read).message, "it was opened");
  EXPECT_EQ(read_file(folder / "file"), "content");
}

TEST(LogOpen, SaysThatThereIsNoLogToReadAndMakesNone) {
  TempFolder folder;
  fs::create_directory(folder / "empty");
  EXPECT_EQ(refusal(folder / "missing", Access::read).code, ErrorCode::not_found);
  EXPECT_EQ(refusal(folder / "empty", Access::read).code, ErrorCode::not_found);
  EXPECT_NE(refusal(folder / "empty", Access::read).next_step, "");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"empty"});
}

TEST(LogOpen, GivesAnErrorForANameThatIsTooLong) {
  TempFolder folder;
  for (auto access : {Access::read, Access::write}) {
    EXPECT_EQ(refusal(folder / std::string(300, 'x'), access).code, ErrorCode::io);
  }
}

TEST(LogOpen, SaysThatAFolderOfALogWithoutItsFileIsNone) {
  TempFolder folder;
  { TestLog log(folder / "log"); }
  fs::remove(folder / "log/log/data.mdb");
  EXPECT_EQ(refusal(folder / "log", Access::write).code, ErrorCode::refused);
  EXPECT_EQ(refusal(folder / "log", Access::read).code, ErrorCode::not_found);
}

TEST(LogOpen, ReadsACopyOfTheFileAlone) {
  TempFolder folder;
  { EXPECT_TRUE(TestLog(folder / "log").append(numbered_events(1, 3))); }
  fs::create_directories(folder / "copy/log");
  fs::copy(folder / "log/log/data.mdb", folder / "copy/log/data.mdb");
  auto log = Log::open(folder / "copy", {.access = Access::read});
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ(read_texts(**log), texts_of(numbered_events(1, 3)));
  EXPECT_TRUE(fs::exists(folder / "copy/log/lock.mdb")) << "it registers as a reader";
}

TEST(LogOpen, GivesAnErrorForADamagedFileAndKeepsIt) {
  TempFolder folder;
  { TestLog log(folder / "log"); }
  write_file(folder / "log/log/data.mdb", "garbage");
  EXPECT_EQ(refusal(folder / "log", Access::write).code, ErrorCode::corrupt);
  EXPECT_EQ(refusal(folder / "log", Access::read).code, ErrorCode::corrupt);
  EXPECT_EQ(read_file(folder / "log/log/data.mdb"), "garbage");
}

TEST(LogOpen, LetsAProcessOpenALogOnlyOnce) {
  TempFolder folder;
  TestLog log(folder / "log");
  auto writing = refusal(folder / "log", Access::write);
  EXPECT_EQ(writing.code, ErrorCode::conflict);
  EXPECT_NE(writing.message.find("process " + std::to_string(::getpid())), std::string::npos);
  auto reading = refusal(folder / "log", Access::read);
  EXPECT_EQ(reading.code, ErrorCode::conflict);
  EXPECT_NE(reading.message.find("this process already has the log"), std::string::npos);
  EXPECT_TRUE(log.append(numbered_events(1, 1))) << "the one that is open is not disturbed";
}

TEST(LogOpen, OpensAgainAfterItWasClosedOrRefused) {
  TempFolder folder;
  const auto data = folder / "log/log/data.mdb";
  { TestLog log(folder / "log"); }
  const std::string whole = read_file(data);
  write_file(data, whole.substr(0, 8'192));  // the meta pages
  EXPECT_EQ(refusal(folder / "log", Access::write).code, ErrorCode::corrupt);
  write_file(data, whole);
  for (int round = 0; round < 3; ++round) {
    {
      TestLog log(folder / "log");
    }
    EXPECT_TRUE(Log::open(folder / "log", {.access = Access::read}));
  }
}

TEST(LogOpen, OpensALogThatIsLargerThanTheMap) {
  TempFolder folder;
  const std::string data(limits::mebibyte, 'x');
  const std::vector<Event> events(4, {.at = {}, .body = CustomEvent{"", as_bytes(data)}});
  {
    TestLog log(folder / "log");
    ASSERT_TRUE(log.append(events));
  }
  TestLog log(folder / "log", {.map_bytes = limits::mebibyte});
  EXPECT_EQ(read_texts(*log), texts_of(events));
}

}  // namespace
}  // namespace almanac::test
