#include <almanac/log/write_lock.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace almanac::test {
namespace {

std::string self() { return "process " + std::to_string(::getpid()) + " ("; }

TEST(WriteLock, SaysInTheFileWhoHoldsIt) {
  TempFolder folder;
  auto lock = WriteLock::take(folder.path());
  ASSERT_TRUE(lock);
  const std::string text = read_file(folder / "lock");
  EXPECT_TRUE(text.starts_with(self())) << text;
  EXPECT_TRUE(text.ends_with(")")) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST(WriteLock, IsTakenOnce) {
  TempFolder folder;
  auto lock = WriteLock::take(folder.path());
  ASSERT_TRUE(lock);
  auto second = WriteLock::take(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(code_of(second), "conflict");
  EXPECT_NE(second.error().message.find(self()), std::string::npos) << second.error().message;
  EXPECT_NE(second.error().message.find(folder.path().string()), std::string::npos);
  EXPECT_TRUE(read_file(folder / "lock").starts_with(self())) << "the loser writes nothing";
}

TEST(WriteLock, IsFreeAgainWhenItsHolderGoes) {
  TempFolder folder;
  for (int round = 0; round < 3; ++round) EXPECT_TRUE(WriteLock::take(folder.path()));
}

TEST(WriteLock, IsWaitedForAsLongAsOneLikes) {
  TempFolder folder;
  auto lock = std::make_unique<WriteLock>(std::move(*WriteLock::take(folder.path())));
  const auto began = std::chrono::steady_clock::now();
  const auto late = WriteLock::take(folder.path(), "log", std::chrono::milliseconds(50));
  EXPECT_EQ(code_of(late), "conflict");
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(50));
  std::jthread waiting(
      [&] { EXPECT_TRUE(WriteLock::take(folder.path(), "log", std::chrono::minutes(1))); });
  lock.reset();
}

TEST(WriteLock, StaysHeldWhenItsHolderMoves) {
  TempFolder folder;
  std::optional<WriteLock> kept;
  {
    auto lock = WriteLock::take(folder.path());
    ASSERT_TRUE(lock);
    kept = std::move(*lock);
  }
  EXPECT_FALSE(WriteLock::take(folder.path()));
  kept.reset();
  EXPECT_TRUE(WriteLock::take(folder.path()));
}

TEST(WriteLock, OverwritesALongerTextOfAnEarlierHolder) {
  TempFolder folder;
  write_file(folder / "lock", std::string(5'000, 'x'));
  auto lock = WriteLock::take(folder.path());
  ASSERT_TRUE(lock);
  EXPECT_EQ(read_file(folder / "lock").find("xxxx"), std::string::npos);
}

TEST(WriteLock, IsTakenWhereNothingCanBeWritten) {
  TempFolder folder;
  write_file(folder / "lock", "process 1 (an earlier holder)");
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit two_bytes{2, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &two_bytes);
  auto lock = WriteLock::take(folder.path());
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  ASSERT_TRUE(lock);
  EXPECT_EQ(read_file(folder / "lock"), "");
  const auto second = WriteLock::take(folder.path());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("held by another process"), std::string::npos);
}

TEST(WriteLock, IsSharedByReadersAndKeepsWritersOut) {
  TempFolder folder;
  { ASSERT_TRUE(WriteLock::take(folder.path())); }
  auto first = WriteLock::share(folder.path());
  auto second = WriteLock::share(folder.path());
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_EQ(code_of(WriteLock::take(folder.path())), "conflict");
}

TEST(WriteLock, IsNotSharedWhileSomeoneWrites) {
  TempFolder folder;
  auto lock = WriteLock::take(folder.path());
  ASSERT_TRUE(lock);
  EXPECT_EQ(code_of(WriteLock::share(folder.path())), "conflict");
}

TEST(WriteLock, GivesAnErrorWhereThereIsNoFolder) {
  TempFolder folder;
  EXPECT_EQ(code_of(WriteLock::take(folder / "missing")), "io");
}

TEST(WriteLock, IsSharedWithoutAFileButMakesNone) {
  TempFolder folder;
  EXPECT_TRUE(WriteLock::share(folder.path()));
  EXPECT_FALSE(std::filesystem::exists(folder / "lock"));
}

}  // namespace
}  // namespace almanac::test
