// Changes that hold only where nothing else has changed meanwhile, and pages of other origins.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <string>

namespace almanac::test {
namespace {

using Headers = HttpClient::Headers;

class VersionsTest : public DaemonTest {
 protected:
  [[nodiscard]] std::string tag_of(std::uint64_t task) const {
    return client().ask("GET", "/v1/tasks/" + std::to_string(task)).headers.at("etag");
  }
  [[nodiscard]] HttpAnswer change(const std::string& path, const std::string& tag) const {
    return client().ask("POST", path, {}, {{"If-Match", tag}});
  }
};

TEST_F(VersionsTest, AreThatOfTheLastChange) {
  open();
  const auto task = submit(R"({"kind": "a"})");
  const std::string path = "/v1/tasks/" + std::to_string(task);
  const std::string first = tag_of(task);
  EXPECT_EQ(change(path + "/pause", first).status, 200);
  const std::string second = tag_of(task);
  EXPECT_NE(first, second);
  const HttpAnswer stale = change(path + "/resume", first);
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(stale.code(), "conflict");
  for (const std::string& tag : {first, second}) {
    EXPECT_NE(stale.body.find(tag.substr(1, tag.size() - 2)), std::string::npos)
        << "both are named: " << stale.body;
  }
  EXPECT_EQ(tag_of(task), second) << "nothing was done";
  EXPECT_EQ(change(path + "/resume", "*").status, 200);
  EXPECT_EQ(client().ask("DELETE", path, {}, {{"If-Match", first}}).status, 412);
  EXPECT_EQ(client().ask("DELETE", path, {}, {{"If-Match", tag_of(task)}}).status, 200);
  EXPECT_EQ(client().ask("DELETE", path).status, 409) << "without one it is a conflict as ever";
}

TEST_F(VersionsTest, HoldForWhatHastensAndForgets) {
  open();
  const auto task = submit(R"({"kind": "a", "delay": "10h"})");
  const std::string path = "/v1/tasks/" + std::to_string(task);
  const std::string delayed = tag_of(task);
  EXPECT_EQ(change(path + "/hasten", "\"1\"").status, 412);
  EXPECT_EQ(client().ask("GET", path).json()["state"], "delayed") << "nothing was done";
  EXPECT_EQ(change(path + "/hasten", delayed).json()["state"], "ready");
  const std::string ready = tag_of(task);
  EXPECT_EQ(change(path + "/hasten", delayed).status, 412) << "it was changed since";
  EXPECT_EQ(change(path + "/hasten", ready).status, 412) << "and is delayed no more";
  EXPECT_EQ(client().ask("POST", path + "/hasten").status, 409) << "without one a conflict";
  EXPECT_EQ(client().ask("DELETE", path, {}, {{"If-Match", ready}}).status, 200);
  EXPECT_EQ(change(path + "/forget", ready).status, 412);
  EXPECT_EQ(client().ask("GET", path).status, 200) << "it is still known";
  EXPECT_EQ(change(path + "/forget", "nothing").status, 400);
  EXPECT_EQ(change(path + "/forget", tag_of(task)).status, 200);
  EXPECT_EQ(client().ask("GET", path).status, 404);
  EXPECT_EQ(change(path + "/forget", ready).status, 404);
}

TEST_F(VersionsTest, AreNumbersInQuotes) {
  open();
  const std::string path = "/v1/tasks/" + std::to_string(submit(R"({"kind": "a"})")) + "/pause";
  for (const char* tag : {"17", "\"\"", "\"", "\"x\"", "W/\"17\"", "\"1\", \"2\"", "\"-1\"",
                          "\"99999999999999999999\""}) {
    EXPECT_EQ(change(path, tag).status, 400) << tag;
  }
}

TEST_F(VersionsTest, HoldAgainstOthersWhoAskAtOnce) {
  open();
  const auto task = submit(R"({"kind": "a"})");
  const std::string path = "/v1/tasks/" + std::to_string(task);
  const std::string tag = tag_of(task);
  std::vector<HttpClient> clients;
  clients.reserve(8);
  const std::string head = " HTTP/1.1\r\nHost: localhost\r\nIf-Match: " + tag + "\r\n\r\n";
  for (int i = 0; i < 8; ++i) {
    clients.push_back(client());
    clients.back().send("POST " + path + "/pause" + head);
  }
  int done = 0;
  for (HttpClient& each : clients) done += each.read_answer().status == 200 ? 1 : 0;
  EXPECT_EQ(done, 1);
}

class CorsTest : public DaemonTest {
 protected:
  void open_for_board() { open({.http = {.origins = {"https://board.example"}}}); }
};

TEST_F(CorsTest, LetsABrowserGiveAnswersToAPageThatIsKnown) {
  open_for_board();
  const Headers from_board{{"Origin", "https://board.example"},
                           {"Authorization", "Bearer " + token()}};
  HttpAnswer answer = tcp_client().ask("GET", "/v1/tasks", {}, from_board);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://board.example");
  EXPECT_EQ(answer.headers.at("vary"), "Origin");
  EXPECT_NE(answer.headers.at("access-control-expose-headers").find("ETag"), std::string::npos);
  answer = tcp_client().ask("POST", "/v1/tasks", R"({"kind": "a"})", from_board);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://board.example")
      << "of what is answered later too";
  answer = tcp_client().ask("GET", "/v1/tasks", {}, {{"Origin", "https://board.example"}});
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 1U) << "it may read why not";
  answer = tcp_client().ask("GET", "/livez");
  EXPECT_EQ(answer.headers.at("vary"), "Origin");
  EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 0U);
}

TEST_F(CorsTest, AnswersWhetherAPageMayAskWithoutAToken) {
  open_for_board();
  HttpClient client = tcp_client();
  const auto ask = [&](HttpClient& by, const std::string& origin) {
    return by.ask("OPTIONS", "/v1/tasks", {},
                  {{"Origin", origin},
                   {"Access-Control-Request-Method", "POST"},
                   {"Access-Control-Request-Headers", "authorization,content-type"}});
  };
  const HttpAnswer answer = ask(client, "https://board.example");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://board.example");
  EXPECT_NE(answer.headers.at("access-control-allow-methods").find("POST"), std::string::npos);
  EXPECT_NE(answer.headers.at("access-control-allow-headers").find("Authorization"),
            std::string::npos);
  EXPECT_EQ(ask(client, "https://board.example").status, 204) << "on the same connection";
  HttpClient other = tcp_client();
  const HttpAnswer refused = ask(other, "https://evil.example");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.headers.count("access-control-allow-origin"), 0U);
  EXPECT_EQ(tcp_client().ask("OPTIONS", "/v1/tasks").status, 401) << "this is no such question";
}

}  // namespace
}  // namespace almanac::test
