// A token that is revoked, or has run out, ends what it has opened: nobody is told on by a token
// that would not be let in.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <fmt/core.h>

#include <functional>
#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class WithdrawnToken : public DaemonTest {
 protected:
  void follow(HttpClient& one, const std::string& token) const {
    one.send(fmt::format(
        "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", token));
    const std::string head = one.read_until("\r\n\r\n");
    EXPECT_NE(head.find("200 OK"), std::string::npos) << head;
    EXPECT_EQ(one.read_until("\n\n"), "retry: 1000\n\n");
  }
  // What a stream is told last, of its own end.
  static std::string last_words(HttpClient& one) {
    std::string text = one.read_until("\n\n");
    while (!text.empty() && !text.starts_with("event: error")) text = one.read_until("\n\n");
    EXPECT_EQ(one.read_some(), "") << "it is closed behind that";
    return text;
  }
  bool comes(const std::function<bool(const Audits&)>& wanted) {
    return daemon->engine().wait([&](const State& state) { return wanted(state.audits); }, 10s);
  }
};

TEST_F(WithdrawnToken, EndsItsStreamAndNoOther) {
  open();
  auto revoked = tcp_client();
  follow(revoked, make_token("revoked", "read"));
  auto kept = tcp_client();
  follow(kept, make_token("kept", "read"));
  ASSERT_TRUE(remove_token(daemon->token_file(), "revoked"));
  const std::string text = last_words(revoked);
  EXPECT_NE(text.find("the token is not known"), std::string::npos) << text;
  EXPECT_NE(text.find("\"status\":401"), std::string::npos) << text;
  ASSERT_TRUE(comes(
      [](const Audits& audits) { return audits.refused_for(RefusalReason::unknown_token) == 1; }));
  const auto state = daemon->engine().state();
  const AuditEntry entry = state->audits.refusals.begin()->value;
  EXPECT_EQ(state->names.text(entry.principal), "revoked");
  EXPECT_EQ(entry.action, "GET /v1/events");
  submit(R"({"kind": "a"})");
  EXPECT_NE(kept.read_until("TaskEnqueued").find("TaskEnqueued"), std::string::npos);
}

TEST_F(WithdrawnToken, EndsItsStreamWhenItRunsOut) {
  open();
  auto one = tcp_client();
  follow(one, make_token("short", "read", 2s));
  const std::string text = last_words(one);
  EXPECT_NE(text.find("the token has expired"), std::string::npos) << text;
}

TEST_F(WithdrawnToken, EndsItsStreamWhenTheFileHasGone) {
  open();
  auto one = tcp_client();
  follow(one, make_token("gone", "read"));
  std::filesystem::remove(daemon->token_file());
  EXPECT_NE(last_words(one).find("\"status\":401"), std::string::npos);
}

TEST_F(WithdrawnToken, IsGivenNoTaskThatComesLater) {
  open();
  const std::string token = make_token("worker", "work");
  auto waits = tcp_client();
  const std::string body = R"({"worker": "w", "kinds": ["a"], "wait": "60s"})";
  waits.send(
      fmt::format("POST /v1/leases HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
                  "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                  token, body.size(), body));
  ASSERT_TRUE(comes([](const Audits& audits) { return audits.requests.size() == 1; }));
  ASSERT_TRUE(remove_token(daemon->token_file(), "worker"));
  EXPECT_EQ(waits.read_answer().status, 401);
  EXPECT_EQ(waits.read_some(), "");
  const auto id = submit(R"({"kind": "a"})");
  const auto leased =
      client().ask("POST", "/v1/leases", R"({"worker": "other", "kinds": ["a"], "wait": "30s"})");
  ASSERT_EQ(leased.json()["tasks"].size(), 1U) << leased.body;
  EXPECT_EQ(leased.json()["tasks"][0]["task"], id);
}

}  // namespace
}  // namespace almanac::test
