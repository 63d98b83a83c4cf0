// The process that outlives an engine by a moment: it kills the groups it was told of and was not
// told to forget.
#include <almanac/engine/guard.h>
#include <almanac/engine/spawn.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/temp_folder.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <optional>

namespace almanac::test {
namespace {

class Guarded : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Guard::start();
    ASSERT_TRUE(started.has_value()) << describe(started.error());
    guard.emplace(std::move(*started));
  }
  // A shell whose child writes its number on the news.
  pid_t start_family() {
    FileDescriptor null_device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto spawned =
        spawn({.arguments = {"/bin/sh", "-c", "sleep 1000 & echo $! > " + news.path() + "; wait"},
               .environment = {"PATH=/usr/bin:/bin"},
               .null_device = null_device.get(),
               .guard_socket = guard->socket()});
    EXPECT_TRUE(spawned.has_value());
    return spawned ? spawned->process : -1;
  }

  TempFolder folder;
  NamedPipe news{folder / "news"};
  std::optional<Guard> guard;
};

TEST_F(Guarded, GroupsAreKilledWithAllTheirChildrenWhenTheGuardGoes) {
  pid_t process = start_family();
  ProcessWatch child(std::stoi(news.read_line()));
  guard.reset();
  EXPECT_TRUE(child.ends());
  int status = 0;
  EXPECT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(Guarded, GroupsThatWereForgottenAreLeftAlone) {
  pid_t kept = start_family();
  ProcessWatch kept_child(std::stoi(news.read_line()));
  pid_t killed = start_family();
  ProcessWatch killed_child(std::stoi(news.read_line()));
  guard->forget(kept);
  guard.reset();
  EXPECT_TRUE(killed_child.ends());
  EXPECT_TRUE(kept_child.is_alive());
  ::kill(-kept, SIGKILL);
  EXPECT_EQ(::waitpid(kept, nullptr, 0), kept);
  EXPECT_EQ(::waitpid(killed, nullptr, 0), killed);
}

TEST_F(Guarded, NothingIsLeftOfTheGuardItself) {
  guard.reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace almanac::test
