// Starting a command: a session of its own, known to the guard, gone with the thread that started
// it, and an error with nothing left behind when it cannot be.
#include <almanac/engine/guard.h>
#include <almanac/engine/spawn.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/temp_folder.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <future>
#include <thread>

namespace almanac::test {
namespace {

class Spawn : public ::testing::Test {
 protected:
  Spawn() : null_device_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), 0);
    ours_ = FileDescriptor(pair[0]);
    guards_ = FileDescriptor(pair[1]);
  }

  Result<Spawned> start(std::vector<std::string> arguments, std::string folder = {},
                        std::vector<std::string> environment = {"PATH=/usr/bin:/bin"}) {
    return spawn({.arguments = std::move(arguments),
                  .environment = std::move(environment),
                  .working_folder = std::move(folder),
                  .null_device = null_device_.get(),
                  .guard_socket = ours_.get()});
  }

  // What a guard would have heard so far.
  std::vector<GuardMessage> messages() {
    std::vector<GuardMessage> heard;
    GuardMessage message;
    while (::recv(guards_.get(), &message, sizeof(message), MSG_DONTWAIT) == sizeof(message)) {
      heard.push_back(message);
    }
    return heard;
  }

  // Everything it writes, and its exit code.
  static std::pair<std::string, int> run_to_end(const Spawned& spawned) {
    ::fcntl(spawned.output.get(), F_SETFL, 0);  // to wait for the end
    std::string output;
    std::array<char, 4096> part;
    for (ssize_t size = 0; (size = ::read(spawned.output.get(), part.data(), part.size())) > 0;) {
      output.append(part.data(), static_cast<std::size_t>(size));
    }
    int status = 0;
    EXPECT_EQ(::waitpid(spawned.process, &status, 0), spawned.process);
    return {output, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)};
  }

 private:
  FileDescriptor null_device_;
  FileDescriptor ours_;
  FileDescriptor guards_;
};

TEST_F(Spawn, FindsAProgramInThePathItIsGiven) {
  TempFolder folder;
  std::ofstream(folder / "tool") << "#!/bin/sh\necho found \"$@\"\n";
  ::chmod((folder / "tool").c_str(), 0700);
  auto spawned = start({"tool", "a b"}, {}, {"PATH=/nowhere:" + folder.path().string()});
  ASSERT_TRUE(spawned.has_value()) << describe(spawned.error());
  EXPECT_EQ(run_to_end(*spawned), std::pair(std::string("found a b\n"), 0));
}

TEST_F(Spawn, LooksWhereAShellWouldWithoutAPath) {
  auto spawned = start({"true"}, {}, {});
  ASSERT_TRUE(spawned.has_value()) << describe(spawned.error());
  EXPECT_EQ(run_to_end(*spawned).second, 0);
}

TEST_F(Spawn, NeverRunsAProgramOfTheWorkingFolderThatIsNotInThePath) {
  TempFolder folder;
  std::ofstream(folder / "tool") << "#!/bin/sh\necho trap\n";
  ::chmod((folder / "tool").c_str(), 0700);
  for (std::string path : {"PATH=/nowhere", "PATH=", "PATH=:/nowhere:"}) {
    auto spawned = start({"tool"}, folder.path(), {path});
    ASSERT_FALSE(spawned.has_value()) << path;
    EXPECT_EQ(spawned.error().code, ErrorCode::not_found);
  }
  auto named = start({"./tool"}, folder.path(), {"PATH=/nowhere"});
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(run_to_end(*named).first, "trap\n");
}

TEST_F(Spawn, MakesASessionAndAGroupOfItsOwn) {
  auto spawned = start({"sleep", "1000"});
  ASSERT_TRUE(spawned.has_value());
  EXPECT_EQ(::getsid(spawned->process), spawned->process);
  EXPECT_EQ(::getpgid(spawned->process), spawned->process);
  ::kill(-spawned->process, SIGKILL);
  EXPECT_EQ(run_to_end(*spawned).second, -SIGKILL);
}

TEST_F(Spawn, IgnoresNoSignalThatItsEngineIgnores) {
  const std::vector<int> ignored = {SIGUSR1, SIGTTOU, SIGALRM, SIGXFSZ, SIGRTMAX};
  for (int signal : ignored) std::signal(signal, SIG_IGN);
  auto spawned = start({"grep", "SigIgn", "/proc/self/status"});
  for (int signal : ignored) std::signal(signal, SIG_DFL);
  ASSERT_TRUE(spawned.has_value()) << describe(spawned.error());
  EXPECT_EQ(run_to_end(*spawned).first, "SigIgn:\t0000000000000000\n");
}

TEST_F(Spawn, TellsTheGuardBeforeTheCommandDoesAnything) {
  auto spawned = start({"true"});
  ASSERT_TRUE(spawned.has_value());
  auto heard = messages();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard.front().group, spawned->process);
  EXPECT_TRUE(heard.front().running);
  run_to_end(*spawned);
}

TEST_F(Spawn, LeavesNoChildNoDescriptorAndNoWordWithTheGuardWhenItFails) {
  auto before = std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(start({"/no/such/program"}).error().code, ErrorCode::not_found);
    EXPECT_EQ(start({"no-such-program"}).error().code, ErrorCode::not_found);
    EXPECT_EQ(start({"true"}, "/no/such/folder").error().code, ErrorCode::not_found);
    EXPECT_EQ(start({"/etc/passwd"}).error().code, ErrorCode::refused);
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  // Whoever was announced was taken back, or the guard would kill who gets that number next.
  std::vector<pid_t> known;
  for (const GuardMessage& message : messages()) {
    if (message.running) {
      known.push_back(message.group);
    } else {
      std::erase(known, message.group);
    }
  }
  EXPECT_TRUE(known.empty()) << known.size();
}

TEST_F(Spawn, SaysWhatCouldNotBeDone) {
  EXPECT_EQ(start({"/no/such/program"}).error().message,
            "cannot run /no/such/program: No such file or directory");
  EXPECT_EQ(start({"true"}, "/no/such/folder").error().message,
            "cannot enter /no/such/folder: No such file or directory");
}

TEST_F(Spawn, EndsWithTheThreadThatStartedIt) {
  std::promise<pid_t> started;
  std::promise<void> seen;
  std::thread parent([&] {
    auto spawned = start({"sleep", "1000"});
    started.set_value(spawned ? spawned->process : -1);
    seen.get_future().wait();
  });
  pid_t process = started.get_future().get();
  ASSERT_GT(process, 0);
  ProcessWatch watch(process);
  seen.set_value();
  parent.join();
  EXPECT_TRUE(watch.ends());
  int status = 0;
  EXPECT_EQ(::waitpid(process, &status, 0), process);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(Spawn, TakesArgumentsAsLongAsTheSystemDoesAndRefusesLongerOnes) {
  auto fits = start({"true", std::string(100'000, 'x')});
  ASSERT_TRUE(fits.has_value()) << describe(fits.error());
  run_to_end(*fits);
  EXPECT_FALSE(start({"true", std::string(300'000, 'x')}).has_value());
}

}  // namespace
}  // namespace almanac::test
