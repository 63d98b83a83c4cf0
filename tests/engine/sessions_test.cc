// Killing whole sessions: all that a command has started, in whatever groups, and nobody else.
#include <almanac/engine/sessions.h>
#include <almanac/engine/spawn.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/temp_folder.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace almanac::test {
namespace {

// A shell that leads a session, and two of its descendants: one in its group, and one in a group
// of its own, where timeout(1) puts what it runs.
class Session {
 public:
  explicit Session(const TempFolder& folder, std::string_view name) : news_(folder / name) {
    FileDescriptor null_device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto say = "echo $$ > " + news_.path() + "; ";
    auto spawned = spawn({.arguments = {"/bin/sh", "-c",
                                        "sh -c '" + say +
                                            "sleep 1000; :' &\n"
                                            "timeout 1000 sh -c '" +
                                            say + "sleep 1000; :' &\n wait"},
                          .environment = {"PATH=/usr/bin:/bin"},
                          .null_device = null_device.get()});
    EXPECT_TRUE(spawned.has_value());
    leader_ = spawned ? spawned->process : -1;
    for (pid_t& child : children_) child = std::stoi(news_.read_line());
  }
  ~Session() {
    kill_sessions(std::span(&leader_, 1));
    ::waitpid(leader_, nullptr, 0);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] pid_t leader() const { return leader_; }
  [[nodiscard]] const std::array<pid_t, 2>& children() const { return children_; }

 private:
  NamedPipe news_;
  pid_t leader_ = -1;
  std::array<pid_t, 2> children_{};
};

TEST(KillSessions, ReachesEveryGroupOfTheSessionsNamedAndNoOther) {
  TempFolder folder;
  Session first(folder, "first");
  Session second(folder, "second");
  Session spared(folder, "spared");
  std::vector<ProcessWatch> killed;
  for (const Session* session : {&first, &second}) {
    for (pid_t child : session->children()) killed.emplace_back(child);
  }
  EXPECT_NE(::getpgid(first.children()[0]), ::getpgid(first.children()[1]));
  ProcessWatch spared_leader(spared.leader());
  ProcessWatch spared_child(spared.children()[1]);
  std::array<pid_t, 2> leaders = {first.leader(), second.leader()};
  kill_sessions(leaders);
  for (const ProcessWatch& one : killed) EXPECT_TRUE(one.ends());
  EXPECT_TRUE(spared_leader.is_alive());
  EXPECT_TRUE(spared_child.is_alive());
}

TEST(KillSessions, ReachesWhatIsLeftOfASessionWhoseLeaderIsAZombie) {
  TempFolder folder;
  Session session(folder, "session");
  ProcessWatch leader(session.leader());
  ProcessWatch elsewhere(session.children()[1]);
  ::kill(session.leader(), SIGKILL);
  ASSERT_TRUE(leader.ends());
  EXPECT_TRUE(elsewhere.is_alive());
  pid_t number = session.leader();
  kill_sessions(std::span(&number, 1));
  EXPECT_TRUE(elsewhere.ends());
}

TEST(KillSessions, OfNobodyDoesNothing) { kill_sessions({}); }

}  // namespace
}  // namespace almanac::test
