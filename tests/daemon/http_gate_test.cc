// Who gets in, and who does not: 60 attempts, with the status that each must have.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>

#include <almanac/daemon/access_tokens.h>
#include <almanac/daemon/http_gate.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using Headers = HttpClient::Headers;

class GateTest : public DaemonTest {
 protected:
  [[nodiscard]] Headers shown(std::string host = "localhost") const {
    return {{"Host", std::move(host)}, {"Authorization", "Bearer " + token()}};
  }
};

TEST_F(GateTest, LetsInWhoShowsAToken) {
  open();
  EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks", {}, shown()).status, 200);
  EXPECT_EQ(client().ask("GET", "/v1/tasks").status, 200);
  EXPECT_EQ(tcp_client().ask("GET", "/livez").status, 200);
  EXPECT_EQ(tcp_client().ask("GET", "/readyz").status, 200);
}

TEST(WarningLimit, LeavesOutWhatIsTooMuchAndCountsIt) {
  SteadyTime now{std::chrono::seconds(100)};
  WarningLimit limit([&] { return now; });
  for (std::uint32_t i = 0; i < limits::refusal_lines_per_second; ++i) EXPECT_EQ(limit.take(), 0);
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(limit.take());
  now += std::chrono::milliseconds(1'001);
  EXPECT_EQ(limit.take(), 1'000);
  EXPECT_EQ(limit.take(), 0);
}

TEST_F(GateTest, WritesSomeLinesOfManyRefusals) {
  open();
  testing::internal::CaptureStderr();
  for (int i = 0; i < 400; ++i) EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks").status, 401);
  const std::string lines = testing::internal::GetCapturedStderr();
  std::size_t count = 0;
  for (auto at = lines.find("turned away"); at != lines.npos;
       at = lines.find("turned away", at + 1)) {
    ++count;
  }
  EXPECT_GE(count, 1U);
  EXPECT_LT(count, 300U) << "ten a second, in whatever time it takes";
}

TEST_F(GateTest, TurnsAwayWhoShowsNoneOrAnother) {
  open();
  const std::string real = token();
  std::string near = real;
  near.back() = near.back() == '0' ? '1' : '0';
  const std::vector<std::string> bad = {"",
                                        "Bearer",
                                        "Bearer ",
                                        "Bearer x",
                                        "Basic " + real,
                                        real,
                                        "Bearer " + near,
                                        "Bearer " + real + "x",
                                        "Bearer " + real.substr(0, real.size() - 1),
                                        "Bearer  " + real,
                                        "Bearer " + make_access_token(),
                                        "Bearer " + std::string(10'000, 'a')};
  for (const std::string& header : bad) {
    for (const char* path : {"/v1/tasks", "/metrics", "/health", "/nothing", "/v1/events"}) {
      Headers headers;
      if (!header.empty()) headers.emplace_back("Authorization", header);
      const HttpAnswer answer = tcp_client().ask("GET", path, {}, headers);
      EXPECT_EQ(answer.status, 401) << path << " " << header;
      EXPECT_EQ(answer.headers.count("www-authenticate"), 1U);
      EXPECT_EQ(answer.body.find(real), std::string::npos);
    }
  }
  EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks?token=" + real).status, 400);
}

TEST_F(GateTest, KnowsItsHostsAndNoOthers) {
  open({.http = {.hosts = {"Scheduler.example"}}});
  for (const char* host : {"localhost", "localhost:7411", "127.0.0.1", "127.0.0.1:80", "[::1]",
                           "[::1]:99", "LOCALHOST", "scheduler.example:1"}) {
    EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks", {}, shown(host)).status, 200) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "",
                           "localhost@evil", "10.0.0.1", "scheduler.example.", "x"}) {
    EXPECT_EQ(tcp_client().ask("GET", "/v1/tasks", {}, shown(host)).status, 421) << host;
  }
}

TEST_F(GateTest, RefusesPagesOfOthers) {
  open({.http = {.origins = {"https://board.example"}}});
  const auto status = [&](const std::string& origin, bool local) {
    Headers headers = shown("localhost:7411");
    headers.emplace_back("Origin", origin);
    auto who = local ? client() : tcp_client();
    return who.ask("POST", "/v1/tasks", R"({"kind": "a"})", headers).status;
  };
  for (const char* origin : {"http://localhost:7411", "https://board.example"}) {
    EXPECT_EQ(status(origin, false), 201) << origin;
  }
  for (const char* origin : {"null", "https://evil.example", "http://localhost",
                             "http://localhost:7412", "https://localhost:7411",
                             "https://board.example.evil", "http://board.example", "file://"}) {
    EXPECT_EQ(status(origin, false), 403) << origin;
    EXPECT_EQ(status(origin, true), 403) << origin;
  }
}

TEST_F(GateTest, TakesNoBodyOfATypeThatAPageCanSendUnasked) {
  open();
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "", "application/jsonx", "text/json"}) {
    Headers headers;
    headers.emplace_back("Content-Type", type);
    const HttpAnswer answer = client().ask("POST", "/v1/tasks", R"({"kind": "a"})", headers);
    EXPECT_EQ(answer.status, 415) << type;
  }
  EXPECT_EQ(client().ask("GET", "/v1/tasks").json()["items"].size(), 0U);
  EXPECT_EQ(client()
                .ask("POST", "/v1/tasks", R"({"kind": "a"})",
                     {{"Content-Type", "Application/JSON; charset=utf-8"}})
                .status,
            201);
}

TEST_F(GateTest, HoldsATokenToItsScopes) {
  open();
  const std::string reads = make_access_token();
  const std::string works = make_access_token();
  write_file(daemon->token_file(), "# of tests\n" + reads + " read\n\n" + works + " work,submit\n");
  ASSERT_TRUE(daemon->reload({}));
  const auto status = [&](const std::string& shown_token, const char* method, const char* path,
                          std::string_view body = {}) {
    return tcp_client()
        .ask(method, path, body, {{"Authorization", "Bearer " + shown_token}})
        .status;
  };
  EXPECT_EQ(status(reads, "GET", "/v1/tasks"), 200);
  EXPECT_EQ(status(reads, "POST", "/v1/tasks", R"({"kind": "a"})"), 403);
  EXPECT_EQ(status(reads, "POST", "/v1/leases", R"({"worker": "a", "kinds": ["a"]})"), 403);
  EXPECT_EQ(status(works, "POST", "/v1/tasks", R"({"kind": "a"})"), 201);
  EXPECT_EQ(status(works, "POST", "/v1/leases", R"({"worker": "a", "kinds": ["a"]})"), 200);
  EXPECT_EQ(status(works, "GET", "/v1/tasks"), 403);
  EXPECT_EQ(status(works, "POST", "/v1/queues/default/pause"), 403);
  EXPECT_EQ(status(works, "DELETE", "/v1/tasks/1"), 200);
}

TEST_F(GateTest, NamesNothingOutsideItsTable) {
  open();
  for (const char* path : {"/../etc/passwd", "/v1/../../etc/passwd", "/%2e%2e/etc/passwd", "//",
                           "/v1/tasks/1/../2", "/v1/tasks/", "/v1//tasks", "/V1/tasks",
                           "/v1/tasks/1/x", "/self-healing/", "/v1/contexts/..%2f..%2fkeys"}) {
    EXPECT_EQ(client().ask("GET", path).status, 404) << path;
  }
  const HttpAnswer answer = client().ask("DELETE", "/v1/tasks");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.at("allow"), "GET, POST");
  EXPECT_EQ(client().ask("OPTIONS", "/v1/tasks").status, 405);
  EXPECT_EQ(client().ask("POST", "/livez").status, 405);
}

TEST_F(GateTest, KeepsItsDoorsToItsUser) {
  open();
  struct stat found{};
  ASSERT_EQ(::stat(daemon->socket_paths().front().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((log_folder() / "daemon").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0700U);
  ASSERT_EQ(::stat(daemon->token_file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

// A socket that others can reach, as a service manager may make it.
TEST_F(GateTest, AsksTheKernelWhoConnects) {
  const std::string path = (folder / "open.sock").string();
  auto listener = listen_on_path(path);
  ASSERT_TRUE(listener) << describe(listener.error());
  ::chmod(path.c_str(), 0666);
  ::chmod(folder.path().c_str(), 0755);
  std::vector<HttpListener> passed;
  passed.push_back(std::move(*listener));
  auto opened = Daemon::open({.folder = log_folder(), .config = {}, .passed = std::move(passed)});
  ASSERT_TRUE(opened) << describe(opened.error());
  EXPECT_EQ(HttpClient(path).ask("GET", "/livez").status, 200);
  const pid_t child = ::fork();
  if (child == 0) {
    become_nobody();
    ::_exit(HttpClient(path).ask("GET", "/livez").status == 0 ? 7 : 8);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool is_another = ::geteuid() == 0;
  EXPECT_EQ(WEXITSTATUS(status), is_another ? 7 : 8);
}

TEST_F(GateTest, RefusesADoorThatOthersCouldUse) {
  auto opened =
      Daemon::open({.folder = log_folder(), .config = {.listen = "0.0.0.0:0"}, .passed = {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::refused);
  std::filesystem::create_directory(folder / "open");
  ::chmod((folder / "open").c_str(), 0755);
  opened = Daemon::open({.folder = log_folder(),
                         .config = {.socket_path = (folder / "open" / "a.sock").string()},
                         .passed = {}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::refused);
}

}  // namespace
}  // namespace almanac::test
