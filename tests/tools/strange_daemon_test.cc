// What answers where a daemon should may be anything: commands end with an error that says what to
// do, whatever it says.
#include <almanac/tools/daemon_operations.h>
#include <almanac/tools/running_daemon.h>

#include <almanac/log/file.h>
#include <almanac/tests/support/temp_folder.h>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

std::string with_length(std::string_view body, std::string_view status = "200 OK") {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

// Listens where the daemon of a folder would, and gives its answers one after the other, one for
// each connection, whatever it is asked.
class StrangeDaemon {
 public:
  StrangeDaemon(const std::filesystem::path& folder, std::vector<std::string> answers)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), answers_(std::move(answers)) {
    const std::string path = daemon_socket_default(folder).string();
    std::filesystem::create_directories(daemon_socket_default(folder).parent_path());
    std::filesystem::remove(path);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    EXPECT_EQ(::listen(socket_.get(), 10), 0);
    thread_ = std::jthread([this] {
      for (const std::string& answer : answers_) serve(answer);
    });
  }
  ~StrangeDaemon() { ::shutdown(socket_.get(), SHUT_RDWR); }
  StrangeDaemon(const StrangeDaemon&) = delete;
  StrangeDaemon& operator=(const StrangeDaemon&) = delete;

 private:
  void serve(const std::string& answer) const {
    const FileDescriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!peer.valid()) return;
    std::array<char, 4'096> buffer;
    (void)::recv(peer.get(), buffer.data(), buffer.size(), 0);
    if (answer != "without end") {
      (void)::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      return;
    }
    const std::string piece(1 << 20, 'x');
    while (::send(peer.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {}
  }

  FileDescriptor socket_;
  std::vector<std::string> answers_;
  std::jthread thread_;
};

class StrangeDaemonTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string hello() const {
    return with_length(fmt::format(R"({{"folder": "{}"}})", daemon_folder_name(folder.path())));
  }
  // Those of a daemon that says who it is, and then this.
  std::unique_ptr<Operations> operations(const std::string& answer) {
    strange = std::make_unique<StrangeDaemon>(folder.path(), std::vector{hello(), answer});
    auto found = RunningDaemon::find(folder.path());
    EXPECT_TRUE(found);
    return found ? daemon_operations(std::move(*found), folder.path()) : nullptr;
  }
  template <class Asked>
  static void expect_unknown(const Result<Asked>& asked, const std::string& answer) {
    const std::string seen = answer.substr(0, 200);
    ASSERT_FALSE(asked) << seen;
    EXPECT_EQ(asked.error().code, ErrorCode::unknown_outcome) << seen;
    EXPECT_FALSE(asked.error().message.empty()) << seen;
    EXPECT_FALSE(asked.error().next_step.empty()) << seen;
  }

  TempFolder folder;
  std::unique_ptr<StrangeDaemon> strange;
};

// Of something that speaks no HTTP, or says other lengths than it sends.
std::vector<std::string> broken_answers() {
  return {"",
          "HTTP/1.1",
          "HTTP/1.1 ",
          "HTTP/1.1 2",
          "HTTP/1.1 200 OK\r\n",
          "HTTP/1.1 xyz\r\n\r\n{}",
          "HTTP/1.1 200 OK\r\n\r\n{\"cut off\":",
          "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}",
          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}",
          "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
          "SSH-2.0-OpenSSH_9.2\r\n",
          std::string(1'000, '\0'),
          "without end"};
}

std::vector<std::string> senseless_bodies() {
  return {"[]",
          "7",
          "\"text\"",
          "null",
          "{",
          "{}",
          "\xff\xfe",
          std::string(100'000, '['),
          R"({"folder": 7, "changed": "7", "memories": 7, "events": "x", "id": "x"})",
          R"({"folder": null, "changed": null, "memories": null, "events": null, "id": null})",
          R"({"folder": [], "changed": -1, "memories": ["x"], "events": -1, "id": -1})",
          R"({"folder": {}, "changed": 1.5, "memories": [-1], "events": 1.5, "id": 0})",
          R"({"id": 7, "outcome": 7, "changed": [], "memories": {"a": 1}, "events": []})",
          R"({"id": 7, "outcome": "lost", "memories": [1, null], "events": {}})",
          R"({"outcome": "enqueued"})",
          R"({"id": 0, "outcome": "enqueued"})"};
}

TEST_F(StrangeDaemonTest, IsNoDaemonWhereItDoesNotSayWhoItIs) {
  auto all = broken_answers();
  for (const std::string& body : senseless_bodies()) all.push_back(with_length(body));
  all.push_back(with_length(R"({"folder": "/elsewhere"})"));
  all.push_back(with_length("{}", "404 Not Found"));
  for (const std::string& answer : all) {
    strange = std::make_unique<StrangeDaemon>(folder.path(), std::vector{answer});
    EXPECT_FALSE(RunningDaemon::find(folder.path())) << answer.substr(0, 200);
  }
}

TEST_F(StrangeDaemonTest, IsNotLookedForAtAnAddressThatIsNone) {
  std::filesystem::create_directories(folder / "daemon");
  for (const std::string& address :
       {std::string(1'000'000, 'x'), std::string("\n"), std::string()}) {
    std::ofstream(daemon_address_file(folder.path())) << address;
    EXPECT_FALSE(RunningDaemon::find(folder.path()));
  }
}

TEST_F(StrangeDaemonTest, LeavesTheOutcomeUnknownWhereItsAnswerIsNotWhole) {
  for (const std::string& answer : broken_answers()) {
    expect_unknown(
        operations(answer)->ask(ChangeTasks{.ids = {}, .change = TaskChange::cancel, .reason = {}}),
        answer);
    expect_unknown(operations(answer)->forget_user("u"), answer);
  }
}

TEST_F(StrangeDaemonTest, LeavesTheOutcomeUnknownWhereItsAnswerMakesNoSense) {
  for (const std::string& body : senseless_bodies()) {
    const std::string answer = with_length(body);
    EnqueueTasks enqueue;
    enqueue.tasks.push_back({.kind = "a"});
    expect_unknown(operations(answer)->ask(enqueue), body);
    expect_unknown(
        operations(answer)->ask(ChangeTasks{.ids = {}, .change = TaskChange::cancel, .reason = {}}),
        body);
    expect_unknown(operations(answer)->cancel_group("g", ""), body);
    expect_unknown(operations(answer)->change_memories({}), body);
    expect_unknown(operations(answer)->trim({.before = Position(2)}), body);
  }
}

TEST_F(StrangeDaemonTest, HasRefusedWithoutAReasonWhereItsProblemIsNone) {
  for (const std::string& body : senseless_bodies()) {
    for (const char* status : {"400 Bad Request", "500 Oh", "302 Found", "199 What"}) {
      const std::string answer = with_length(body, status);
      expect_unknown(operations(answer)->forget_user("u"), answer);
    }
  }
  const auto refused =
      operations(with_length(R"({"code": "new", "detail": "no", "next": 7})", "400 No"))
          ->forget_user("u");
  expect_unknown<void>(
      refused ? refused : Result<void>(fail(refused.error().code, refused.error().message, "look")),
      "a code that nobody knows");
}

}  // namespace
}  // namespace almanac::test
