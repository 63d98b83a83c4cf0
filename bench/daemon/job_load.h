// Clients of job servers whose protocols are lines: many connections on one thread, each with one
// job at a time. One read and one write for each answer; what they take of a processor themselves
// stands beside the rate.
#pragma once

#include <almanac/bench/daemon/cases.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace almanac::bench {

struct LineReply {
  std::string_view line;  // without its end
  std::string_view body;
  std::size_t bytes = 0;
};

// How a server is spoken to.
struct JobProtocol {
  std::function<void(int socket)> greet;
  // Appends the request to `output`.
  std::function<void(std::uint64_t number, std::string& output)> put;
  std::string take;
  // Appends what ends the job that came with an answer; false = none has come, ask again.
  std::function<bool(const LineReply&, std::string& output)> finish;
  std::function<bool(std::string_view line)> is_good;            // of put and of finish
  std::function<std::size_t(std::string_view line)> body_bytes;  // behind a line, its end included
};
[[nodiscard]] JobProtocol faktory_protocol();
[[nodiscard]] JobProtocol beanstalkd_protocol();

struct LoadRate {
  double jobs = 0;        // a second, through put, take and finish
  double cpu_us_job = 0;  // of the client
};
[[nodiscard]] LoadRate run_jobs(const JobProtocol& protocol, std::uint16_t port,
                                const DaemonSizes& sizes, Pace pace);
// The median of microseconds from a put to the job on another connection.
[[nodiscard]] double run_idle_jobs(const JobProtocol& protocol, std::uint16_t port,
                                   std::size_t count);

// Of a socket that blocks.
void send_bytes(int socket, std::string_view bytes);
[[nodiscard]] std::string read_line(int socket);

}  // namespace almanac::bench
