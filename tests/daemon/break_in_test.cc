// Attempts to get in, or out: each is refused, says nothing of a token, and is on record.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/wire_client.h>

#include <almanac/daemon/http_route.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// What is sent, as it is; "TOKEN" is one that may everything, and "READS" one that may read.
struct Attempt {
  const char* what;
  std::string request;
  int status;  // 0 = the connection ends without a word
  RefusalReason reason;
};

std::string get(const std::string& path, const std::string& more = {},
                const std::string& host = "localhost") {
  return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n";
}
std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }
std::string post(const std::string& path, const std::string& more, const std::string& body) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more + "\r\n" + body;
}
const std::string json_type = "Content-Type: application/json\r\n";

// By pages and by names.
std::vector<Attempt> attempts_of_pages() {
  const std::string all = bearer("TOKEN");
  const std::string task = R"({"kind": "a"})";
  std::vector<Attempt> attempts;
  for (const char* origin : {"null", "https://evil.example", "http://localhost:1",
                             "https://localhost", "http://localhost.evil.example", "file://",
                             "http://127.0.0.1", "http://localhost@evil.example"}) {
    attempts.push_back({"a page of others",
                        post("/v1/tasks", all + json_type + "Origin: " + origin + "\r\n", task),
                        403, RefusalReason::origin});
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.nip.example",
                           "10.0.0.1", "localhost@evil", "[::2]", "0.0.0.0", "x"}) {
    attempts.push_back(
        {"a name that was bent", get("/v1/tasks", all, host), 421, RefusalReason::host});
  }
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded",
                           "multipart/form-data; boundary=x", "application/jsonx"}) {
    attempts.push_back({"a form", post("/v1/tasks", all + "Content-Type: " + type + "\r\n", task),
                        415, RefusalReason::malformed});
  }
  return attempts;
}

std::vector<Attempt> attempts_of_tokens() {
  const std::string other(64, 'a');
  return {
      {"no token", get("/v1/tasks"), 401, RefusalReason::no_token},
      {"no token for events", get("/v1/events"), 401, RefusalReason::no_token},
      {"no token for the description", get("/v1/openapi.json"), 401, RefusalReason::no_token},
      {"no token for a path that is none", get("/v1/nothing"), 401, RefusalReason::no_token},
      {"no token for figures", get("/metrics"), 401, RefusalReason::no_token},
      {"another token", get("/v1/tasks", bearer("almanac_" + other)), 401,
       RefusalReason::unknown_token},
      {"a token cut", get("/v1/tasks", bearer("almanac_")), 401, RefusalReason::unknown_token},
      {"a digest", get("/v1/tasks", bearer("HASH")), 401, RefusalReason::unknown_token},
      {"a name", get("/v1/tasks", bearer("test")), 401, RefusalReason::unknown_token},
      {"another scheme", get("/v1/tasks", "Authorization: Basic TOKEN\r\n"), 401,
       RefusalReason::unknown_token},
      {"no scheme", get("/v1/tasks", "Authorization: TOKEN\r\n"), 401,
       RefusalReason::unknown_token},
      {"an expired one", get("/v1/tasks", bearer("EXPIRED")), 401, RefusalReason::expired_token},
      {"a revoked one", get("/v1/tasks", bearer("REVOKED")), 401, RefusalReason::unknown_token},
      {"two of them", get("/v1/tasks", bearer("READS") + bearer("TOKEN")), 400,
       RefusalReason::malformed},
      {"in the URL", get("/v1/tasks?token=TOKEN"), 400, RefusalReason::token_in_url},
      {"in the URL by another name", get("/v1/tasks?access_token=TOKEN"), 400,
       RefusalReason::token_in_url},
      {"in the URL as a value", get("/v1/tasks?where=TOKEN", bearer("READS")), 400,
       RefusalReason::token_in_url},
      {"in the path", get("/v1/tasks/TOKEN", bearer("READS")), 400, RefusalReason::token_in_url},
      {"reading what is for operators", get("/v1/audit", bearer("READS")), 403,
       RefusalReason::scope},
      {"events by who may only submit", get("/v1/events", bearer("SUBMITS")), 403,
       RefusalReason::scope},
      {"the description by who may only submit", get("/v1/openapi.json", bearer("SUBMITS")), 403,
       RefusalReason::scope},
  };
}

std::vector<Attempt> attempts_of_paths() {
  const std::string all = bearer("TOKEN");
  std::vector<Attempt> attempts;
  for (const char* path :
       {"/../etc/passwd", "/v1/../../etc/passwd", "/%2e%2e/etc/passwd", "/v1/tasks/..%2f..%2fkeys",
        "/v1/tasks/..%5c..%5ckeys", "/./v1/tasks", "/v1/tasks/%2e", "/v1/tasks/%0d%0aSet-Cookie:x",
        "/v1/tasks/%1b%5b2J", "/v1/queues/a%7f"}) {
    attempts.push_back({"out of where it is", get(path, all), 404, RefusalReason::path});
  }
  for (const char* path : {"/v1/tasks/%00", "/v1/tasks/%zz", "/v1/tasks/%2", "/v1/tasks?a=%00"}) {
    attempts.push_back({"not encoded", get(path, all), 400, RefusalReason::malformed});
  }
  return attempts;
}

// What two servers could read in two ways, or nobody can.
std::vector<Attempt> attempts_to_smuggle() {
  const std::string all = bearer("TOKEN") + json_type;
  const auto raw = [&](const std::string& more, const std::string& body = {}) {
    return "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\n" + all + more + "\r\n" + body;
  };
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string second = "GET /v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::vector<Attempt> attempts;
  const auto add = [&](const char* what, std::string request, int status = 400,
                       RefusalReason reason = RefusalReason::malformed) {
    attempts.push_back({what, std::move(request), status, reason});
  };
  add("two lengths", raw("Content-Length: 3\r\nContent-Length: 4\r\n", "{}  "));
  add("length and chunks", raw("Content-Length: 4\r\n" + chunked, "0\r\n\r\n" + second));
  add("chunks twice", raw("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"));
  add("another coding", raw("Transfer-Encoding: gzip\r\n", "0\r\n\r\n"));
  add("chunks and spaces", raw("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"));
  add("chunks and a tab", raw("Transfer-Encoding:\tx-chunked\r\n", "0\r\n\r\n"));
  add("a length with a sign", raw("Content-Length: +2\r\n", "{}"));
  add("a length in words", raw("Content-Length: two\r\n", "{}"));
  add("a length without end", raw("Content-Length: 99999999999999999999\r\n", "{}"));
  add("a line that goes on", raw("X: a\r\n b\r\nContent-Length: 2\r\n", "{}"));
  add("a bare LF", "GET /v1/tasks HTTP/1.1\nHost: localhost\n" + bearer("TOKEN") + "\n");
  add("a bare CR", raw("X: a\rContent-Length: 2\r\n", "{}"));
  add("no host", "GET /v1/tasks HTTP/1.1\r\n" + bearer("TOKEN") + "\r\n");
  add("two hosts", get("/v1/tasks", "Host: localhost\r\n" + bearer("TOKEN")));
  add("a chunk of a length that is none", raw(chunked, "zz\r\n"));
  add("another version", "GET /v1/tasks HTTP/9.9\r\nHost: localhost\r\n\r\n");
  add("a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  add("no HTTP", "\x16\x03\x01\x02\x01\x01\r\n\r\n");
  add("a proxy", "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  add("another host", "GET http://evil.example/v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n");
  add("another server", "GET ftp://localhost/v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n");
  add("a method that is none", "HACK /v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n");
  add("a trace", "TRACE /v1/tasks HTTP/1.1\r\nHost: localhost\r\n" + bearer("TOKEN") + "\r\n", 405);
  add("a method that is not for this",
      "PUT /v1/tasks HTTP/1.1\r\nHost: localhost\r\n" + bearer("TOKEN") + "\r\n", 405);
  add("a header that is too long", get("/v1/tasks", "X: " + std::string(20'000, 'a') + "\r\n"), 431,
      RefusalReason::too_large);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "X-" + std::to_string(i) + ": a\r\n";
  add("too many headers", get("/v1/tasks", many), 431, RefusalReason::too_large);
  add("a path that is too long", get("/" + std::string(20'000, 'a')), 431,
      RefusalReason::too_large);
  add("a body that is too long", raw("Content-Length: 99999999\r\n"), 413,
      RefusalReason::too_large);
  return attempts;
}

class BreakInTest : public DaemonTest {
 protected:
  void open_with_tokens() {
    open();
    tokens_ = {{"TOKEN", token()},
               {"READS", make_token("reads", "read")},
               {"SUBMITS", make_token("submits", "submit")},
               {"EXPIRED", make_token("expired", "read", Duration(1))},
               {"REVOKED", make_token("revoked", "read")}};
    ASSERT_TRUE(remove_token(daemon->token_file(), "revoked"));
    const std::string file = read_file(daemon->token_file());
    tokens_.emplace_back("HASH", file.substr(file.find("hash=") + 5, 64));
  }
  [[nodiscard]] std::string with_tokens(std::string text) const {
    for (const auto& [word, token] : tokens_) {
      for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) {
        text.replace(at, word.size(), token);
      }
    }
    return text;
  }
  // Each comes from an address of its own: of one only some are on record.
  std::string next_address() {
    ++addresses_;
    return "127.1." + std::to_string(addresses_ / 250) + "." + std::to_string(1 + addresses_ % 250);
  }
  bool is_on_record(const std::string& from, RefusalReason reason) {
    return daemon->engine().wait(
        [&](const State& state) {
          for (const auto& [position, entry] : state.audits.refusals) {
            if (entry.remote.starts_with(from + ":") && entry.reason == reason) return true;
          }
          return false;
        },
        10s);
  }
  void expect_refused(const Attempt& attempt) {
    SCOPED_TRACE(std::string(attempt.what) + ": " + attempt.request.substr(0, 200));
    const std::string from = next_address();
    HttpClient client(daemon->tcp_addresses().front(), from);
    client.send(with_tokens(attempt.request));
    const HttpAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, attempt.status);
    for (const auto& [word, token] : tokens_) {
      EXPECT_EQ(answer.body.find(token), std::string::npos);
    }
    EXPECT_TRUE(is_on_record(from, attempt.reason)) << "as " << name(attempt.reason);
    ++attempts_;
  }

  std::vector<std::pair<std::string, std::string>> tokens_;
  std::map<std::string, std::string> of_scope_;
  int addresses_ = 0;
  int attempts_ = 0;
};

TEST_F(BreakInTest, IsRefusedAndOnRecordWhateverIsTried) {
  open_with_tokens();
  for (const auto& attempts :
       {attempts_of_pages(), attempts_of_tokens(), attempts_of_paths(), attempts_to_smuggle()}) {
    for (const Attempt& attempt : attempts) expect_refused(attempt);
  }
  EXPECT_GE(attempts_, 60);
  EXPECT_EQ(daemon->engine().state()->tasks.all.size(), 0U) << "and nothing came of any";
  EXPECT_EQ(daemon->engine().state()->audits.requests.size(), 0U);
}

// Of every route that changes something, by who may all but that.
TEST_F(BreakInTest, NoTokenDoesWhatItsScopeDoesNotSay) {
  open();
  for (const HttpRoute& route : http_routes()) {
    if (route.scope == AccessScope::none) continue;
    std::string others;
    for (int i = 1; i < access_scope_count; ++i) {
      const auto scope = static_cast<AccessScope>(i);
      if (scope != route.scope) others += (others.empty() ? "" : ",") + std::string(name(scope));
    }
    const std::string named = "not-" + std::string(name(route.scope));
    auto& shown = of_scope_[named];
    if (shown.empty()) shown = make_token(named, others);
    std::string path(route.path);
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{')) {
      path.replace(open, path.find('}') - open + 1, "1");
    }
    SCOPED_TRACE(std::string(route.method) + " " + path);
    const std::string from = next_address();
    HttpClient client(daemon->tcp_addresses().front(), from);
    EXPECT_EQ(client.ask(route.method, path, {}, {{"Authorization", "Bearer " + shown}}).status,
              403);
    EXPECT_TRUE(is_on_record(from, RefusalReason::scope));
  }
  EXPECT_EQ(daemon->engine().state()->audits.requests.size(), 0U);
}

TEST_F(BreakInTest, OtherUsersOfTheMachineAreOnRecord) {
  const std::string path = (folder / "open.sock").string();
  auto listener = listen_on_path(path);
  ASSERT_TRUE(listener) << describe(listener.error());
  ::chmod(path.c_str(), 0666);
  ::chmod(folder.path().c_str(), 0755);
  std::vector<HttpListener> passed;
  passed.push_back(std::move(*listener));
  auto opened = Daemon::open({.folder = log_folder(), .config = {}, .passed = std::move(passed)});
  ASSERT_TRUE(opened) << describe(opened.error());
  daemon = std::move(*opened);
  const pid_t child = ::fork();
  if (child == 0) {
    become_nobody();
    ::_exit(HttpClient(path).ask("GET", "/v1/tasks").status == 0 ? 7 : 8);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (::geteuid() != 0) return;  // there is no other user to be
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_TRUE(daemon->engine().wait(
      [](const State& state) { return state.audits.refused_for(RefusalReason::user) == 1; }, 10s));
}

TEST_F(BreakInTest, WrongPasswordsOfTheWireAreOnRecord) {
  DaemonConfig config;
  config.wire.address = "127.0.0.1:0";
  config.wire_password_file = (folder / "password").string();
  write_file(config.wire_password_file, "canary-password\n");
  ::chmod(config.wire_password_file.c_str(), 0600);
  open(config);
  const auto port = std::stoi(daemon->wire_address().substr(daemon->wire_address().find(':') + 1));
  const auto say = [&](const std::string& line) {
    WireClient client(static_cast<std::uint16_t>(port));
    EXPECT_TRUE(client.read().starts_with("+HI"));
    return client.ask(line);
  };
  EXPECT_EQ(say(R"(HELLO {"v":2,"pwdhash":"0000"})"), "-ERR Invalid password");
  EXPECT_EQ(say(R"(HELLO {"v":2})"), "-ERR Invalid password");
  EXPECT_EQ(say(R"(HELLO {"v":2,"password":"canary-password"})"), "-ERR Invalid password");
  EXPECT_EQ(say("GET / HTTP/1.1"), "(closed)");
  EXPECT_EQ(say("PUSH {}"), "(closed)");
  EXPECT_TRUE(say("HELLO {" + std::string(70'000, 'a')).starts_with("-ERR a line has"));
  EXPECT_TRUE(daemon->engine().wait(
      [](const State& state) {
        return state.audits.refused_for(RefusalReason::password) == 3 &&
               state.audits.refused_for(RefusalReason::malformed) == 2 &&
               state.audits.refused_for(RefusalReason::too_large) == 1;
      },
      10s));
}

}  // namespace
}  // namespace almanac::test
