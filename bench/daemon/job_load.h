// Clients of job servers whose protocols are lines: many connections on one thread, each with one
// job at a time.
#pragma once

#include <almanac/bench/daemon/cases.h>

#include <cstdint>
#include <functional>
#include <optional>
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
  std::function<std::string(std::uint64_t number)> put;
  std::string take;
  // What ends the job that came with an answer; none = no job has come, ask again.
  std::function<std::optional<std::string>(const LineReply&)> finish;
  std::function<bool(std::string_view line)> is_good;            // of put and of finish
  std::function<std::size_t(std::string_view line)> body_bytes;  // behind a line, its end included
};
[[nodiscard]] JobProtocol faktory_protocol();
[[nodiscard]] JobProtocol beanstalkd_protocol();

// Jobs a second through put, take and finish.
[[nodiscard]] double run_jobs(const JobProtocol& protocol, std::uint16_t port,
                              const DaemonSizes& sizes, Pace pace);
// The median of microseconds from a put to the job on another connection.
[[nodiscard]] double run_idle_jobs(const JobProtocol& protocol, std::uint16_t port,
                                   std::size_t count);

// Of a socket that blocks.
void send_bytes(int socket, std::string_view bytes);
[[nodiscard]] std::string read_line(int socket);

}  // namespace almanac::bench
