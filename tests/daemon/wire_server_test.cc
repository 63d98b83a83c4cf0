// The wire's door under what real networks and bad clients do.
#include <almanac/daemon/wire_server.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/wire_client.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string job(int number, const std::string& more = {}) {
  return "{\"jid\":\"job-" + std::to_string(100'000 + number) +
         "\",\"jobtype\":\"work\",\"args\":[" + std::to_string(number) + "]" + more + "}";
}

class WireServerTest : public EngineTest {
 protected:
  void begin(WireOptions options = {}) {
    if (!engine) open();
    options.address = "127.0.0.1:0";
    auto opened = WireServer::open(*engine, std::move(options));
    ASSERT_TRUE(opened) << opened.error().message;
    server = std::move(*opened);
  }
  WireClient client() { return WireClient(server->port()); }
  void TearDown() override {
    server.reset();
    EngineTest::TearDown();
  }
  std::unique_ptr<WireServer> server;
};

TEST_F(WireServerTest, ClosesAConnectionThatSaysNothingInTwoSeconds) {
  begin();
  const auto start = Clock::now();
  WireClient silent = client();
  WireClient half = client();
  half.send("HELLO {\"v\":");
  EXPECT_EQ(silent.read(), "+HI {\"v\":2}");
  EXPECT_EQ(silent.read(), "(closed)");
  const auto took = Clock::now() - start;
  EXPECT_GE(took, 1900ms);
  EXPECT_LT(took, 10s);
  EXPECT_EQ(half.read(), "+HI {\"v\":2}");
  EXPECT_EQ(half.read(), "(closed)");
}

TEST_F(WireServerTest, LetsAFetchWaitForTwoSeconds) {
  begin();
  WireClient one = client();
  ASSERT_TRUE(one.hello("w"));
  const auto start = Clock::now();
  EXPECT_EQ(one.ask("FETCH default"), "(null)");
  const auto took = Clock::now() - start;
  EXPECT_GE(took, 1990ms);
  EXPECT_LT(took, 10s);
}

TEST_F(WireServerTest, WakesAFetchAtOnce) {
  begin({.fetch_wait = 15s});
  WireClient one = client();
  WireClient other = client();
  ASSERT_TRUE(one.hello("w"));
  ASSERT_TRUE(other.hello());
  ASSERT_TRUE(one.send_line("FETCH default"));
  const auto start = Clock::now();
  EXPECT_EQ(other.ask("PUSH " + job(1)), "+OK");
  EXPECT_NE(one.read().find("job-100001"), std::string::npos);
  EXPECT_LT(Clock::now() - start, 10s);
}

TEST_F(WireServerTest, TakesALineOfManyMebibytesAndRefusesALongerOne) {
  begin();
  WireClient one = client();
  ASSERT_TRUE(one.hello("w"));
  const std::string large(5 << 20, 'x');
  EXPECT_EQ(one.ask(R"(PUSH {"jid":"large-job","jobtype":"a","args":[")" + large + "\"]}"), "+OK");
  const std::string fetched = one.ask("FETCH default");
  EXPECT_NE(fetched.find("[\"" + large + "\"]"), std::string::npos);
  one.send("PUSH {\"jid\":\"");
  one.send(std::string((16 << 20) + 100, 'x'));
  EXPECT_EQ(one.read(), "-ERR a line has at most 16777216 bytes");
  EXPECT_EQ(one.read(), "(closed)");
}

TEST_F(WireServerTest, RefusesConnectionsOverItsCap) {
  begin({.connections_max = 2});
  WireClient one = client();
  auto other = std::make_unique<WireClient>(server->port());
  ASSERT_TRUE(one.hello());
  ASSERT_TRUE(other->hello());
  WireClient third = client();
  EXPECT_EQ(third.read(), "-ERR too many connections: 2");
  EXPECT_EQ(third.read(), "(closed)");
  EXPECT_EQ(other->ask("END"), "(closed)");
  EXPECT_EQ(one.ask("INFOX"), "-ERR unknown command INFOX");
}

TEST_F(WireServerTest, AnswersThousandsOfPipelinedRequestsInOrder) {
  begin();
  WireClient one = client();
  ASSERT_TRUE(one.hello("w"));
  std::string pushes;
  for (int i = 0; i < 5'000; ++i) pushes += "PUSH " + job(i) + "\r\nX" + std::to_string(i) + "\r\n";
  std::string_view left = pushes;
  int answered = 0;
  bool all_right = true;
  while (answered < 5'000) {
    if (!left.empty()) left.remove_prefix(one.send_some(left.substr(0, 10'000)));
    all_right = all_right && one.read() == "+OK";
    all_right = all_right && one.read() == "-ERR unknown command X" + std::to_string(answered);
    ++answered;
    if (answered * 40 > static_cast<int>(pushes.size() - left.size()))
      one.send(std::exchange(left, {}));
  }
  EXPECT_TRUE(all_right);
  EXPECT_EQ(engine->state()->tasks.count(TaskState::ready), 5'000U);
}

TEST_F(WireServerTest, StopsReadingOfAClientThatDoesNotRead) {
  begin();
  WireClient slow = client();
  WireClient good = client();
  ASSERT_TRUE(slow.hello("slow"));
  ASSERT_TRUE(good.hello("good"));
  const std::string payload(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    const std::string args = "[\"" + payload + "\"]";
    ASSERT_EQ(
        good.ask(R"(PUSH {"jid":"large-job","jobtype":"a","queue":"large","args":)" + args + "}"),
        "+OK");
  }
  // Errors of some bytes each, asked for without an end and never read.
  std::string lines;
  for (int i = 0; i < 20'000; ++i) lines += "NOTHING-OF-THIS-KIND\r\n";
  std::size_t sent = 0;
  while (true) {
    const std::size_t some = slow.send_some(lines);
    sent += some;
    if (some == 0 && good.ask("INFOX") == "-ERR unknown command INFOX") {
      if (slow.send_some(lines) == 0) break;
    }
    ASSERT_LT(sent, 200U << 20) << "it reads without an end";
  }
  EXPECT_EQ(good.ask("PUSH " + job(1)), "+OK");
  EXPECT_EQ(slow.read(), "-ERR unknown command NOTHING-OF-THIS-KIND");
}

TEST_F(WireServerTest, AnswersAClientThatHasEndedItsOutput) {
  begin();
  WireClient one = client();
  ASSERT_TRUE(one.hello("w"));
  one.send("PUSH " + job(1) + "\r\nFETCH default\r\nFETCH default\r\nhalf");
  one.end_output();
  EXPECT_EQ(one.read(), "+OK");
  EXPECT_NE(one.read().find("job-100001"), std::string::npos);
  EXPECT_EQ(one.read(), "(null)");
  EXPECT_EQ(one.read(), "(closed)");
}

TEST_F(WireServerTest, GivesNothingToAWorkerThatHasGone) {
  begin({.fetch_wait = 15s});
  WireClient good = client();
  ASSERT_TRUE(good.hello("good"));
  for (const bool resets : {false, true}) {
    WireClient gone = client();
    ASSERT_TRUE(gone.hello("gone"));
    gone.send_line("FETCH default");
    ASSERT_EQ(good.ask("INFOX"), "-ERR unknown command INFOX");
    if (resets) {
      gone.reset();
    } else {
      gone.end_output();
    }
    ASSERT_EQ(good.ask("BEAT {\"wid\":\"good\"}"), "+OK");
  }
  ASSERT_EQ(good.ask("PUSH " + job(1)), "+OK");
  EXPECT_NE(good.ask("FETCH default").find("job-100001"), std::string::npos);
}

TEST_F(WireServerTest, LivesThroughGarbage) {
  begin();
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    WireClient one = client();
    if (round % 2 == 0) (void)one.hello(round % 4 == 0 ? "w" : "");
    std::string bytes;
    const auto length = random() % 3'000;
    for (unsigned i = 0; i < length; ++i) bytes += static_cast<char>(random() % 256);
    if (round % 3 == 0) bytes = "PUSH {\"jid\":" + bytes + "\r\nFETCH " + bytes + "\r\nEND\r\n";
    one.send(bytes);
    if (round % 5 == 0) one.reset();
  }
  WireClient good = client();
  ASSERT_TRUE(good.hello());
  EXPECT_EQ(good.ask("PUSH " + job(1)), "+OK");
}

TEST_F(WireServerTest, TellsEveryConnectionThatItShutsDown) {
  begin({.fetch_wait = 60s});
  WireClient idle = client();
  WireClient fetching = client();
  WireClient greeting = client();
  ASSERT_TRUE(idle.hello());
  ASSERT_TRUE(fetching.hello("w"));
  ASSERT_EQ(greeting.read(), "+HI {\"v\":2}");
  fetching.send_line("FETCH default");
  ASSERT_EQ(idle.ask("INFOX"), "-ERR unknown command INFOX");
  const auto start = Clock::now();
  server->stop();
  EXPECT_EQ(idle.read(), "-ERR shutdown in progress");
  EXPECT_EQ(fetching.read(), "(null)");
  EXPECT_EQ(fetching.read(), "-ERR shutdown in progress");
  EXPECT_EQ(fetching.read(), "(closed)");
  EXPECT_EQ(greeting.read(), "-ERR shutdown in progress");
  const std::uint16_t port = server->port();
  server.reset();
  EXPECT_LT(Clock::now() - start, 15s);
  EXPECT_FALSE(WireClient(port).is_connected());
}

TEST_F(WireServerTest, KnowsWhatWorkersHoldAfterAStart) {
  begin();
  {
    WireClient one = client();
    ASSERT_TRUE(one.hello("w"));
    for (int i = 1; i <= 3; ++i) ASSERT_EQ(one.ask("PUSH " + job(i, ",\"retry\":2")), "+OK");
    for (int i = 1; i <= 3; ++i) ASSERT_NE(one.ask("FETCH default"), "(null)");
    ASSERT_EQ(one.ask(R"(FAIL {"jid":"job-100003","errtype":"E","message":"m"})"), "+OK");
  }
  server.reset();
  close();
  begin();
  WireClient one = client();
  ASSERT_TRUE(one.hello("other"));
  EXPECT_EQ(one.ask(R"(ACK {"jid":"job-100001"})"), "+OK");
  EXPECT_EQ(one.ask(R"(FAIL {"jid":"job-100002"})"), "+OK");
  EXPECT_EQ(one.ask(R"(FAIL {"jid":"job-100002"})"), "-ERR Job not found job-100002");
  const auto state = engine->state();
  EXPECT_EQ(state->tasks.count(TaskState::succeeded), 1U);
  EXPECT_EQ(state->tasks.count(TaskState::delayed), 2U);
  // The failure of before the start is read from the log.
  ASSERT_EQ(
      one.ask(R"(MUTATE {"cmd":"requeue","target":"retries","filter":{"jids":["job-100003"]}})"),
      "+OK");
  EXPECT_NE(one.ask("FETCH default").find(R"("message":"m","errtype":"E"})"), std::string::npos);
}

TEST_F(WireServerTest, TakesBackWhatIsReservedTooLong) {
  open_on_manual_clock();
  begin({.fetch_wait = 100ms});
  WireClient one = client();
  ASSERT_TRUE(one.hello("w"));
  ASSERT_EQ(one.ask("PUSH " + job(1, ",\"reserve_for\":60")), "+OK");
  ASSERT_NE(one.ask("FETCH default"), "(null)");
  advance(59s);
  EXPECT_EQ(task(TaskId(1)).state, TaskState::running);
  advance(2s);
  const Task late = wait_for(TaskId(1), TaskState::delayed);
  EXPECT_EQ(late.failures, 1U);
  EXPECT_EQ(one.ask(R"(FAIL {"jid":"job-100001"})"), "-ERR Job not found job-100001");
  ASSERT_EQ(one.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})"), "+OK");
  const std::string again = one.ask("FETCH default");
  EXPECT_NE(again.find(R"("failure":{"retry_count":0,"remaining":25,)"), std::string::npos)
      << again;
  EXPECT_NE(
      again.find(R"("message":"Faktory job reservation expired","errtype":"ReservationExpired"})"),
      std::string::npos)
      << again;
}

// Though the reservation that ran out was never told of.
TEST_F(WireServerTest, TakesTheEndOfTheNewestReservation) {
  open_on_manual_clock();
  begin({.fetch_wait = 100ms});
  WireClient one = client();
  WireClient other = client();
  ASSERT_TRUE(one.hello("w"));
  ASSERT_TRUE(other.hello("v"));
  for (int i = 1; i <= 2; ++i) {
    const std::string jid = "job-10000" + std::to_string(i);
    const TaskId id(static_cast<std::uint64_t>(i));
    ASSERT_EQ(one.ask("PUSH " + job(i, ",\"reserve_for\":60")), "+OK");
    ASSERT_NE(one.ask("FETCH default"), "(null)");
    advance(61s);
    wait_for(id, TaskState::delayed);
    ASSERT_EQ(one.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})"), "+OK");
    ASSERT_NE(other.ask("FETCH default"), "(null)");
    if (i == 1) {
      EXPECT_EQ(other.ask(R"(ACK {"jid":")" + jid + "\"}"), "+OK");
      wait_for(id, TaskState::succeeded);
    } else {
      EXPECT_EQ(other.ask(R"(FAIL {"jid":")" + jid + "\"}"), "+OK");
      EXPECT_EQ(wait_for(id, TaskState::delayed).failures, 2U);
    }
  }
}

TEST_F(WireServerTest, WaitsBeforeARetryAsTheProtocolHasIt) {
  begin({.fetch_wait = 100ms});
  WireClient one = client();
  ASSERT_TRUE(one.hello("w"));
  ASSERT_EQ(one.ask("PUSH " + job(1)), "+OK");
  for (int n = 0; n < 6; ++n) {
    ASSERT_NE(one.ask("FETCH default"), "(null)");
    const Time before = system_time();
    ASSERT_EQ(one.ask(R"(FAIL {"jid":"job-100001"})"), "+OK");
    const Duration wait = task(TaskId(1)).run_at - before;
    EXPECT_GE(wait, std::chrono::seconds(n * n * n * n + 15));
    EXPECT_LE(wait, std::chrono::seconds(n * n * n * n + 15 + 29 * (n + 1)) + 10s);
    ASSERT_EQ(one.ask(R"(MUTATE {"cmd":"requeue","target":"retries"})"), "+OK");
  }
}

TEST_F(WireServerTest, GivesWorkersAlsoWhatWasSubmittedOtherwiseButNoCommand) {
  open({.runs_commands = false});
  begin({.fetch_wait = 100ms});
  const TaskId list = submit({.kind = "resize", .queue = "images", .payload = R"([1,{"a":2}])"});
  const TaskId text = submit({.kind = "resize", .queue = "images", .payload = "plain \"text\""});
  submit_shell("exit 0", {.queue = "images"});
  WireClient one = client();
  ASSERT_TRUE(one.hello("w"));
  EXPECT_NE(one.ask("FETCH images").find(R"("args":[1,{"a":2}])"), std::string::npos);
  EXPECT_NE(one.ask("FETCH images").find(R"("args":["plain \"text\""])"), std::string::npos);
  EXPECT_EQ(one.ask("FETCH images"), "(null)");
  EXPECT_EQ(one.ask(R"(ACK {"jid":"almanac-task-1"})"), "+OK");
  EXPECT_EQ(one.ask(R"(FAIL {"jid":"almanac-task-2","message":"m"})"), "+OK");
  EXPECT_EQ(task(list).state, TaskState::succeeded);
  EXPECT_EQ(task(text).state, TaskState::failed);
}

TEST_F(WireServerTest, RefusesAnAddressThatIsNone) {
  open();
  for (const char* address : {"", "7419", "localhost:7419", "127.0.0.1:", "127.0.0.1:99999",
                              "127.0.0.1:x", "[::1:7419", "256.0.0.1:7419"}) {
    const auto opened = WireServer::open(*engine, {.address = address});
    ASSERT_FALSE(opened) << address;
    EXPECT_EQ(opened.error().code, ErrorCode::invalid) << address;
  }
  for (const char* address : {"0.0.0.0:0", "[::]:0"}) {
    const auto opened = WireServer::open(*engine, {.address = address});
    ASSERT_FALSE(opened) << address;
    EXPECT_EQ(opened.error().code, ErrorCode::refused) << address;
  }
  EXPECT_FALSE(WireServer::open(*engine, {.address = "0.0.0.0:0", .password = "long"}));
  EXPECT_TRUE(WireServer::open(*engine,
                               {.address = "0.0.0.0:0", .password = "long", .may_be_plain = true}));
  begin();
  const auto taken =
      WireServer::open(*engine, {.address = "127.0.0.1:" + std::to_string(server->port())});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::conflict);
}

}  // namespace
}  // namespace almanac::test
