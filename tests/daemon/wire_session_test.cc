// One connection without a socket: how requests are cut, begun and answered.
#include <almanac/daemon/wire_session.h>
#include <almanac/daemon/wire_workers.h>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// A session whose requests are answered when the test says so.
class SessionDesk {
 public:
  explicit SessionDesk(WireSessionOptions options = {}) {
    session = std::make_shared<WireSession>(
        1, std::move(options),
        WireSession::Calls{
            .perform =
                [this](const WireRequest& request, WireSession&, WireSession::Done done) {
                  begun += (begun.empty() ? "" : " ") + std::string(request.verb);
                  waiting.push_back(std::move(done));
                },
            .on_hello = [](WireSession&) {},
            .on_change = [this](WireSession&) { ++changes; }});
    session->greet();
  }
  void greet() {
    session->receive("HELLO {\"v\":2}\r\n");
    (void)output();
  }
  std::string output() {
    std::string text(session->output());
    session->sent(text.size());
    return text;
  }

  std::shared_ptr<WireSession> session;
  std::string begun;
  std::vector<WireSession::Done> waiting;
  int changes = 0;
};

TEST(WireSession, AnswersInTheOrderOfTheRequests) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("PUSH a\r\nPUSH b\r\nACK c\r\n");
  EXPECT_EQ(desk.begun, "PUSH PUSH ACK");
  desk.waiting[2]("+3\r\n");
  desk.waiting[1]("+2\r\n");
  EXPECT_EQ(desk.output(), "");
  desk.waiting[0]("+1\r\n");
  EXPECT_EQ(desk.output(), "+1\r\n+2\r\n+3\r\n");
}

TEST(WireSession, LetsWhatReadsWaitForWhatWrites) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("PUSH a\r\nINFO\r\nPUSH b\r\n");
  EXPECT_EQ(desk.begun, "PUSH");
  desk.waiting[0]("+1\r\n");
  EXPECT_EQ(desk.begun, "PUSH INFO");
  desk.waiting[1]("+2\r\n");
  EXPECT_EQ(desk.begun, "PUSH INFO PUSH");
  EXPECT_EQ(desk.output(), "+1\r\n+2\r\n");
}

TEST(WireSession, BeginsAFetchOfOneQueueBehindWhatWritesAndNothingBehindThat) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("ACK a\r\nPUSH b\r\nFETCH q\r\nPUSH c\r\n");
  EXPECT_EQ(desk.begun, "ACK PUSH FETCH");
  desk.waiting[2]("$1\r\n3\r\n");
  EXPECT_EQ(desk.output(), "");
  desk.waiting[0]("+1\r\n");
  EXPECT_EQ(desk.output(), "+1\r\n");
  desk.waiting[1]("+2\r\n");
  EXPECT_EQ(desk.output(), "+2\r\n$1\r\n3\r\n");
  EXPECT_EQ(desk.begun, "ACK PUSH FETCH PUSH");
}

TEST(WireSession, BeginsAFetchOfSeveralQueuesAlone) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("PUSH a\r\nFETCH q r\r\n");
  EXPECT_EQ(desk.begun, "PUSH");
  desk.waiting[0]("+1\r\n");
  EXPECT_EQ(desk.begun, "PUSH FETCH");
}

TEST(WireSession, TakesBytesAsTheyCome) {
  SessionDesk desk;
  for (const char byte : std::string("HELLO {\"v\":2}\r\nPUSH x\r\n\nINFO\n")) {
    desk.session->receive({&byte, 1});
    if (!desk.waiting.empty()) desk.waiting.back()("+done\r\n");
  }
  EXPECT_EQ(desk.begun, "PUSH  INFO");
}

TEST(WireSession, RefusesALineThatIsTooLongAlsoBeforeItsEnd) {
  for (const std::string end : {"", "\r\n"}) {
    SessionDesk desk({.line_bytes_max = 100});
    desk.greet();
    desk.session->receive("PUSH " + std::string(90, 'x') + "\r\n");
    EXPECT_EQ(desk.begun, "PUSH");
    desk.waiting[0]("+OK\r\n");
    desk.session->receive("PUSH " + std::string(100, 'x') + end);
    EXPECT_EQ(desk.output(), "+OK\r\n-ERR a line has at most 100 bytes\r\n");
    EXPECT_TRUE(desk.session->is_over());
  }
}

TEST(WireSession, ReadsNoMoreWhileEnoughWaits) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("FETCH a\r\n");
  EXPECT_TRUE(desk.session->wants_input());
  desk.session->receive(std::string(70'000, 'x'));
  EXPECT_FALSE(desk.session->wants_input());
  desk.waiting[0]("$-1\r\n");
  EXPECT_TRUE(desk.session->wants_input());
}

TEST(WireSession, BeginsNoMoreWhileNobodyReadsReplies) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("INFO\r\nINFO\r\n");
  desk.waiting[0](std::string(2 << 20, 'x'));
  EXPECT_EQ(desk.begun, "INFO");
  EXPECT_TRUE(desk.session->wants_input());
  desk.session->receive(std::string(70'000, 'x'));
  EXPECT_FALSE(desk.session->wants_input());
  (void)desk.output();
  EXPECT_EQ(desk.begun, "INFO INFO");
}

TEST(WireSession, BeginsAtMostSoManyAtOnce) {
  SessionDesk desk;
  desk.greet();
  std::string pushes;
  for (int i = 0; i < 500; ++i) pushes += "PUSH x\r\n";
  desk.session->receive(pushes);
  EXPECT_EQ(desk.waiting.size(), 128U);
  for (std::size_t i = 0; i < desk.waiting.size(); ++i) {
    auto done = desk.waiting[i];
    done("+OK\r\n");
  }
  EXPECT_EQ(desk.waiting.size(), 500U);
}

TEST(WireSession, AnswersWhatCameBeforeTheEndOfItsInput) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("PUSH a\r\nINFO\r\nhalf a li");
  desk.session->end_input();
  EXPECT_FALSE(desk.session->is_over());
  desk.waiting[0]("+1\r\n");
  desk.waiting[1]("+2\r\n");
  EXPECT_FALSE(desk.session->is_over());
  EXPECT_EQ(desk.output(), "+1\r\n+2\r\n");
  EXPECT_TRUE(desk.session->is_over());
}

TEST(WireSession, SaysItsLastWordsBehindWhatIsDue) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("PUSH a\r\n");
  desk.session->close_with(wire_error("shutdown in progress"));
  desk.session->receive("PUSH b\r\n");
  EXPECT_EQ(desk.output(), "");
  desk.waiting[0]("+1\r\n");
  EXPECT_EQ(desk.begun, "PUSH");
  EXPECT_EQ(desk.output(), "+1\r\n-ERR shutdown in progress\r\n");
  EXPECT_TRUE(desk.session->is_over());
}

TEST(WireSession, OutlivesNoReply) {
  SessionDesk desk;
  desk.greet();
  desk.session->receive("PUSH a\r\n");
  desk.session.reset();
  desk.waiting[0]("+1\r\n");  // nobody is there, and nothing happens
}

TEST(WireSession, SaysErrorsInOneLine) {
  EXPECT_EQ(wire_error("a\r\n+OK"), "-ERR a\r\n");
  EXPECT_EQ(wire_error("x", "NOTUNIQUE"), "-NOTUNIQUE x\r\n");
  EXPECT_EQ(wire_bulk(""), "$0\r\n\r\n");
}

// A worker at a session of its own.
std::shared_ptr<WireSession> worker_session(std::uint64_t number, const std::string& wid) {
  auto session = std::make_shared<WireSession>(
      number, WireSessionOptions{},
      WireSession::Calls{.perform = {}, .on_hello = [](WireSession&) {}, .on_change = {}});
  session->receive("HELLO {\"v\":2,\"wid\":\"" + wid + "\"}\r\n");
  return session;
}

TEST(WireWorkers, AreForgottenWhenTheyAreSilent) {
  WireWorkers workers;
  const SteadyTime start{1h};
  workers.join(*worker_session(1, "a"), start);
  workers.join(*worker_session(2, "a"), start);
  workers.join(*worker_session(3, "b"), start);
  EXPECT_EQ(workers.beat(R"({"wid":"b"})", start + 30s), "+OK\r\n");
  EXPECT_TRUE(workers.forget_silent(start + 59s).empty());
  EXPECT_EQ(workers.forget_silent(start + 60s), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(workers.beat(R"({"wid":"a"})", start + 61s), "-ERR unknown worker a\r\n");
  EXPECT_EQ(workers.size(), 1U);
  EXPECT_EQ(workers.reaped(), 1U);
}

TEST(WireWorkers, AreForgottenWithTheirLastConnection) {
  WireWorkers workers;
  const auto one = worker_session(1, "a");
  const auto other = worker_session(2, "a");
  workers.join(*one, {});
  workers.join(*other, {});
  workers.leave(*one);
  EXPECT_EQ(workers.size(), 1U);
  workers.leave(*other);
  workers.leave(*other);
  EXPECT_EQ(workers.size(), 0U);
}

TEST(WireWorkers, AreToldWhatAnOperatorWants) {
  WireWorkers workers;
  const auto one = worker_session(1, "a");
  workers.join(*one, {});
  workers.join(*worker_session(2, "b"), {});
  EXPECT_TRUE(workers.tell("a", WireWorkerState::quiet));
  EXPECT_FALSE(workers.tell("c", WireWorkerState::quiet));
  EXPECT_TRUE(workers.is_quiet(*one));
  EXPECT_EQ(workers.beat(R"({"wid":"b"})", {}), "+OK\r\n");
  EXPECT_TRUE(workers.tell("", WireWorkerState::terminate));
  EXPECT_EQ(workers.beat(R"({"wid":"a"})", {}), wire_bulk(R"({"state":"terminate"})"));
}

}  // namespace
}  // namespace almanac::test
