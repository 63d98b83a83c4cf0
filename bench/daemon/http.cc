#include <almanac/bench/bench_line.h>
#include <almanac/bench/daemon/cases.h>
#include <almanac/bench/daemon/daemon_process.h>
#include <almanac/bench/daemon/job_load.h>
#include <almanac/bench/snapshots/cases.h>
#include <almanac/bench/snapshots/history.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>

namespace almanac::bench {
namespace {

namespace fs = std::filesystem;

// One connection that waits for each answer.
class HttpAsker {
 public:
  explicit HttpAsker(const DaemonProcess& daemon)
      : token_(daemon.token()), socket_(connect_to(daemon_http_port)) {}
  ~HttpAsker() { ::close(socket_); }
  HttpAsker(const HttpAsker&) = delete;
  HttpAsker& operator=(const HttpAsker&) = delete;

  // The status of the answer; its body is read.
  int ask(const std::string& request_line, const std::string& type = {},
          std::string_view body = {}) {
    std::string head = request_line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                       token_ + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    if (!type.empty()) head += "Content-Type: " + type + "\r\n";
    send_bytes(socket_, head + "\r\n");
    send_bytes(socket_, body);
    return read_answer();
  }

 private:
  int read_answer() {
    std::size_t end = std::string::npos;
    while ((end = input_.find("\r\n\r\n")) == std::string::npos) read_some();
    const auto at = input_.find("Content-Length: ");
    const std::size_t length =
        at < end ? std::strtoull(input_.c_str() + at + 16, nullptr, 10) : std::size_t{0};
    while (input_.size() < end + 4 + length) read_some();
    const int status = std::atoi(input_.c_str() + 9);
    input_.erase(0, end + 4 + length);
    return status;
  }
  void read_some() {
    std::vector<char> buffer(256 << 10);
    const auto got = ::read(socket_, buffer.data(), buffer.size());
    require(got > 0, "the daemon has gone");
    input_.append(buffer.data(), static_cast<std::size_t>(got));
  }

  std::string token_;
  int socket_;
  std::string input_;
};

constexpr const char* json_lines = "application/x-ndjson";

std::string task_lines(std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    lines += R"({"kind":"nothing","queue":"bench","payload":"task )" + std::to_string(i) + "\"}\n";
  }
  return lines;
}

}  // namespace

double measure_reads(const fs::path& folder, const DaemonSizes& sizes) {
  if (!is_installed("wrk")) return 0;
  const DaemonProcess daemon(folder);
  require(HttpAsker(daemon).ask("POST /v1/tasks", json_lines, task_lines(1'000)) == 201, "POST");
  const std::string command =
      "wrk -t2 -c32 -d" + std::to_string(std::lround(std::max(sizes.seconds, 1.0))) +
      " -H 'Authorization: Bearer " + daemon.token() +
      "' http://127.0.0.1:" + std::to_string(daemon_http_port) +
      "/v1/tasks/500 | awk '/Non-2xx/ {bad = 1} /Requests\\/sec/ {rate = $2} END {print bad ? 0 : "
      "rate}'";
  const double rate = std::strtod(last_line(command).c_str(), nullptr);
  require(rate > 0, "wrk was answered errors");
  return rate;
}

double measure_bulk(const fs::path& folder, const DaemonSizes& sizes) {
  const DaemonProcess daemon(folder);
  const std::string lines = task_lines(sizes.bulk);
  std::atomic<std::uint64_t> taken = 0;
  const Stopwatch watch;
  const auto submit = [&] {
    HttpAsker asker(daemon);
    while (watch.seconds() < sizes.seconds) {
      require(asker.ask("POST /v1/tasks", json_lines, lines) == 201, "tasks are refused");
      taken += sizes.bulk;
    }
  };
  {
    const std::jthread other(submit);
    submit();
  }
  return static_cast<double>(taken) / watch.seconds();
}

double measure_past(const fs::path& folder, const DaemonSizes& sizes) {
  const Shape shape{.name = "past", .live = std::min<std::uint64_t>(sizes.history / 10, 100'000)};
  fs::create_directories(folder);
  (void)write_history(shape, {.events = sizes.history, .questions = 1}, folder / "log");
  const DaemonProcess daemon(folder);
  HttpAsker asker(daemon);
  std::mt19937_64 random(7);
  std::vector<double> times;
  for (std::size_t i = 0; i < sizes.questions; ++i) {
    const auto position = 1 + random() % sizes.history;
    const Stopwatch watch;
    require(asker.ask("GET /v1/queues?at=" + std::to_string(position)) == 200, "?at= is refused");
    times.push_back(watch.seconds() * 1e3);
  }
  std::ranges::sort(times);
  return times[times.size() * 99 / 100];
}

double measure_memory(const fs::path& folder, const DaemonSizes& sizes) {
  const DaemonProcess daemon(folder);
  require(HttpAsker(daemon).ask("GET /v1/queues") == 200, "GET");
  const double before = daemon.memory_mebibytes();
  std::vector<std::unique_ptr<HttpAsker>> askers;
  for (std::size_t i = 0; i < sizes.idle_clients; ++i) {
    askers.push_back(std::make_unique<HttpAsker>(daemon));
    require(askers.back()->ask("GET /v1/queues") == 200, "GET");
  }
  return daemon.memory_mebibytes() - before;
}

}  // namespace almanac::bench
