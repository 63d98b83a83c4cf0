// Clients that are slow, half gone, too many or too large: each gets its answer, and a good one is
// served beside them.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <almanac/daemon/limits.h>

#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class DoorTest : public DaemonTest {
 protected:
  void expect_good_client() { EXPECT_EQ(client().ask("GET", "/livez").status, 200); }
};

constexpr std::string_view live_request = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST_F(DoorTest, AnswersRequestsOfOneConnectionInTheirOrder) {
  open();
  auto one = client();
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += "GET /v1/tasks?limit=" + std::to_string(i + 1) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    text += live_request;
  }
  one.send(text);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(one.read_answer().json().contains("items")) << i;
    EXPECT_EQ(one.read_answer().json()["status"], "alive") << i;
  }
}

TEST_F(DoorTest, TakesThousandsOfRequestsAtOnceWithoutGoingDownALevelEach) {
  open();
  auto one = client();
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += live_request;
  one.send(text);
  for (int i = 0; i < 5'000; ++i) ASSERT_EQ(one.read_answer().status, 200) << i;
}

TEST_F(DoorTest, AnswersAClientThatSaysNoMore) {
  open();
  auto one = client();
  one.send(live_request);
  one.end_input();
  EXPECT_EQ(one.read_answer().status, 200);
  EXPECT_EQ(one.read_some(), "");
  auto later = client();  // the answer comes from a thread
  later.send("GET /v1/tasks HTTP/1.1\r\nHost: a\r\n\r\n");
  later.end_input();
  EXPECT_EQ(later.read_answer().status, 200);
  auto cut = client();
  cut.send(
      "POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 10\r\n\r\n{");
  cut.end_input();
  EXPECT_EQ(cut.read_some(), "");
  expect_good_client();
  EXPECT_EQ(client().ask("GET", "/v1/tasks").json()["items"].size(), 0U);
}

TEST_F(DoorTest, ClosesWhenItIsToldTo) {
  open();
  auto one = client();
  EXPECT_EQ(one.ask("GET", "/livez", {}, {{"Connection", "close"}}).headers.at("connection"),
            "close");
  EXPECT_EQ(one.read_some(), "");
  auto old = client();
  old.send("GET /livez HTTP/1.0\r\nHost: a\r\n\r\n");
  EXPECT_EQ(old.read_answer().status, 200);
  EXPECT_EQ(old.read_some(), "");
}

TEST_F(DoorTest, AnswersHeadWithoutABody) {
  open();
  auto one = client();
  one.send("HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = one.read_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 19"), std::string::npos) << head;
  EXPECT_EQ(one.ask("GET", "/livez").status, 200);
}

TEST_F(DoorTest, EndsBehindTheHeadOfAStory) {
  open();
  auto one = client();
  one.send("HEAD /v1/events HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = one.read_until("\r\n\r\n");
  EXPECT_NE(head.find("200 OK"), std::string::npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  EXPECT_EQ(one.read_some(), "");
}

TEST_F(DoorTest, AnswersAllThatWaitedForRoomBehindTheirAnswers) {
  open();
  const std::string ask = "GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string whole = client().ask("GET", "/v1/openapi.json").body;
  const std::size_t count = 8 * limits::http_output_bytes_high / whole.size() + 1;
  auto one = client();
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += ask;
  one.send(text);
  expect_good_client();  // by now nothing more can be written to the other
  for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(one.read_answer().body, whole) << i;
  one.end_input();
  EXPECT_EQ(one.read_some(), "");
}

TEST_F(DoorTest, EndsBehindALongAnswerToAClientThatSaysNoMore) {
  open({.http = {.idle_timeout = 1h}});
  submit(R"({"kind": "a", "payload": ")" + std::string(2'000'000, 'x') + "\"}");
  auto one = client();
  one.send("GET /v1/log HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(one.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
  one.end_input();  // with most of the answer unwritten
  std::size_t size = 0;
  for (std::string some = one.read_some(); !some.empty(); some = one.read_some()) {
    size += some.size();
  }
  EXPECT_GT(size, 2'000'000U);
}

TEST_F(DoorTest, GivesAHeadItsTimeAndNoMore) {
  open({.http = {.head_timeout = 50ms}});
  auto slow = client();
  slow.send("GET /livez HTTP/1.1\r\nHost:");
  EXPECT_EQ(slow.read_answer().status, 408);
  EXPECT_EQ(slow.read_some(), "");
  expect_good_client();
}

TEST_F(DoorTest, GivesABodyItsTimeAndNoMore) {
  open({.http = {.body_timeout = 50ms}});
  auto slow = client();
  slow.send(
      "POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 10\r\n\r\n{");
  EXPECT_EQ(slow.read_answer().status, 408);
  EXPECT_EQ(slow.read_some(), "");
}

TEST_F(DoorTest, ClosesConnectionsThatAreIdle) {
  open({.http = {.idle_timeout = 50ms}});
  auto idle = client();
  EXPECT_EQ(idle.read_some(), "");
}

// Of a length that a slow machine does not take to ask.
TEST_F(DoorTest, ClosesConnectionsThatAreIdleBehindAnAnswer) {
  open({.http = {.idle_timeout = 2s}});
  auto once = client();
  EXPECT_EQ(once.ask("GET", "/livez").status, 200);
  EXPECT_EQ(once.read_some(), "");
}

TEST_F(DoorTest, RefusesABodyBeforeItComes) {
  open({.http = {.body_bytes_max = 1'000}});
  auto large = client();
  const std::string body(1'000'000, ' ');
  EXPECT_EQ(large.ask("POST", "/v1/tasks", body).status, 413);
  auto promised = client();
  promised.send(
      "POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(promised.read_answer().status, 413);
  expect_good_client();
}

TEST_F(DoorTest, RefusesAHeadThatIsTooLarge) {
  open();
  auto large = client();
  EXPECT_EQ(large.ask("GET", "/livez", {}, {{"X", std::string(20'000, 'x')}}).status, 431);
  EXPECT_EQ(large.read_some(), "");
  auto endless = client();
  for (int i = 0; i < 100; ++i) endless.send(std::string(10'000, 'x'));
  EXPECT_EQ(endless.read_answer().status, 431);
}

TEST_F(DoorTest, TellsWhoWaitsForItToGoOn) {
  open();
  auto one = client();
  one.send(
      "POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 13\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(one.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  one.send(R"({"kind": "a"})");
  EXPECT_EQ(one.read_answer().status, 201);
  auto refused = client();
  refused.send(
      "POST /v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
      "Content-Length: 13\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(refused.read_answer().status, 415);
}

TEST_F(DoorTest, TurnsAwayConnectionsBeyondItsLimit) {
  open({.http = {.connections_max = 3}});
  std::vector<HttpClient> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(client());
    EXPECT_EQ(held.back().ask("GET", "/livez").status, 200);
  }
  auto one_more = client();
  EXPECT_EQ(one_more.read_answer().status, 503);
  EXPECT_EQ(one_more.read_some(), "");
  EXPECT_EQ(held.front().ask("GET", "/livez").status, 200);
}

TEST_F(DoorTest, CutsOffAReaderThatTakesNothing) {
  open({.http = {.write_timeout = 50ms}});
  auto slow = client();
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "GET /v1/openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
  // It sends for as long as it is read, which ends when its answers are not.
  const timeval moment{.tv_sec = 0, .tv_usec = 100'000};
  ::setsockopt(slow.descriptor(), SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof(moment));
  slow.send(text);
  pollfd watched{.fd = slow.descriptor(), .events = POLLRDHUP, .revents = 0};
  EXPECT_EQ(::poll(&watched, 1, 60'000), 1) << "it was not cut off";
  const std::string figures = client().ask("GET", "/metrics").body;
  EXPECT_NE(figures.find("almanac_http_cut_off_total 1\n"), std::string::npos) << figures;
}

TEST_F(DoorTest, ServesAGoodClientBesideHundredsOfIdleOnes) {
  open({.http = {.connections_max = 2'000}});
  std::vector<HttpClient> idle;
  // Each takes two descriptors of this process, which may have 1,024 of them.
  for (int i = 0; i < 400; ++i) idle.push_back(client());
  expect_good_client();
  EXPECT_EQ(idle.front().ask("GET", "/livez").status, 200);
  EXPECT_EQ(idle.back().ask("GET", "/livez").status, 200);
}

TEST_F(DoorTest, AnswersWhatWasAskedWhenItStops) {
  open();
  auto worker = client();
  const std::string body = R"({"worker": "a", "kinds": ["nobody"]})";
  worker.send(
      "POST /v1/leases HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(client().ask("GET", "/readyz").status, 200);
  daemon->stop();
  const HttpAnswer answer = worker.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "stopped");
  EXPECT_EQ(worker.read_some(), "");
}

}  // namespace
}  // namespace almanac::test
