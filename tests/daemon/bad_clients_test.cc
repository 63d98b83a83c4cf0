// A client that behaves is answered, whatever the others do: idle, slow, half gone, too large.
#include <almanac/tests/daemon/daemon_fixture.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Headers = HttpClient::Headers;

// Those of the clients too, which are in this process.
bool can_open(rlim_t descriptors) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= descriptors) return true;
  limit.rlim_cur = std::min(descriptors, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= descriptors;
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

class BadClientsTest : public DaemonTest {
 protected:
  [[nodiscard]] Headers shown() const { return {{"Authorization", "Bearer " + token()}}; }
  std::vector<HttpClient> idle(std::size_t count) {
    std::vector<HttpClient> clients;
    clients.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      clients.push_back(tcp_client());
      EXPECT_EQ(clients.back().ask("GET", "/livez").status, 200) << i;
    }
    return clients;
  }
  struct Answered {
    int count = 0;
    double p50_us = 0;
  };
  Answered ask_often(HttpClient& client, int requests) const {
    using Clock = std::chrono::steady_clock;
    Answered answered;
    std::vector<double> took;
    for (int i = 0; i < requests; ++i) {
      const auto begun = Clock::now();
      const int status = client.ask("GET", "/v1/tasks?limit=5", {}, shown()).status;
      answered.count += status == 200 ? 1 : 0;
      took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
    }
    std::ranges::nth_element(took, took.begin() + requests / 2);
    answered.p50_us = took[static_cast<std::size_t>(requests / 2)];
    return answered;
  }
  // One of each: what is half sent, what is never read, who has gone half way.
  void add_bad(std::vector<HttpClient>& clients) {
    const std::string head =
        "GET /v1/log?limit=1000 HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer " +
        token() + "\r\n";
    clients.push_back(tcp_client());
    clients.back().send(head);
    clients.push_back(tcp_client());
    for (int i = 0; i < 200; ++i) clients.back().send(head + "\r\n");
    clients.push_back(tcp_client());
    clients.back().send(
        "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        "Content-Type: application/json\r\nAuthorization: Bearer " +
        token() + "\r\n\r\n{");
    clients.push_back(tcp_client());
    clients.back().send(head + "\r\n");
    clients.back().end_input();
    clients.push_back(tcp_client());
    clients.back().send("GET /" + std::string(100'000, 'a'));
    clients.push_back(tcp_client());
    clients.back().send(std::string(1'000, '\0'));
  }
};

TEST_F(BadClientsTest, HoldUpNobodyElse) {
  ASSERT_TRUE(can_open(3'000));
  open({.http = {.connections_max = 2'000}});
  for (int i = 0; i < 50; ++i)
    submit(R"({"kind": "a", "payload": ")" + std::string(900, 'x') + "\"}");
  HttpClient good = tcp_client();
  const Answered alone = ask_often(good, 300);
  EXPECT_EQ(alone.count, 300);
  auto others = idle(500);
  for (int i = 0; i < 20; ++i) add_bad(others);
  const Answered beside = ask_often(good, 300);
  EXPECT_EQ(beside.count, 300);
  std::printf("a request takes %.0f us alone, %.0f us beside 620 others (p50)\n", alone.p50_us,
              beside.p50_us);
  EXPECT_EQ(good.ask("POST", "/v1/tasks", R"({"kind": "a"})", shown()).status, 201);
  EXPECT_EQ(others.front().ask("GET", "/livez").status, 200) << "and who was idle is still there";
}

TEST_F(BadClientsTest, TakeLittleMemoryWhileTheyAreIdle) {
  ASSERT_TRUE(can_open(3'000));
  open({.http = {.connections_max = 2'000}});
  const auto warm = idle(20);
  const std::size_t before = resident_bytes();
  auto clients = idle(1'000);
  const std::size_t after = resident_bytes();
  const double mebibytes = static_cast<double>(after - std::min(before, after)) / 1'048'576;
  RecordProperty("mebibytes_of_1000_connections", std::to_string(mebibytes));
  std::printf("1,000 idle connections take %.1f MiB, those of the clients too\n", mebibytes);
  EXPECT_LE(mebibytes, 40);
}

TEST_F(BadClientsTest, AreTurnedAwayAndOnRecordWhenThereAreTooMany) {
  open({.http = {.connections_max = 10}});
  auto clients = idle(10);
  HttpClient late = tcp_client();
  EXPECT_EQ(late.read_answer().status, 503);
  EXPECT_TRUE(daemon->engine().wait(
      [](const State& state) { return state.audits.refused_for(RefusalReason::crowded) == 1; },
      10s));
}

}  // namespace
}  // namespace almanac::test
