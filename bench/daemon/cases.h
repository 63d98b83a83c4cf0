// The doors of `almanac serve`, each from outside: another process over TCP of the same machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac::bench {

struct DaemonSizes {
  double seconds = 5;  // of a closed loop
  std::size_t connections = 100;
  std::size_t idle = 1'000;        // single jobs, one after the other
  std::size_t bulk = 20'000;       // tasks of one request
  std::size_t streams = 500;       // clients that are told of events
  std::size_t event_rate = 1'000;  // a second
  std::size_t idle_clients = 1'000;
  std::uint64_t history = 10'000'000;  // events
  std::size_t questions = 300;         // of the past
  int rounds = 3;
  bool peers = true;
};

// One connection after the other waits for each answer, or sends what ends a job with the next one.
enum class Pace : std::uint8_t { one_by_one, pipelined };

struct JobRate {
  double jobs = 0;        // a second
  double cpu_us_job = 0;  // of the server, over all its threads
  double client_us_job = 0;
};
[[nodiscard]] JobRate measure_wire(const std::filesystem::path& folder, const DaemonSizes& sizes,
                                   Pace pace);
// From PUSH to the job in another connection that waits for it, in microseconds.
[[nodiscard]] double measure_wire_idle(const std::filesystem::path& folder,
                                       const DaemonSizes& sizes);

// Requests a second, by `wrk`; 0 where that is not installed.
[[nodiscard]] double measure_reads(const std::filesystem::path& folder, const DaemonSizes& sizes);
// Tasks a second, by JSON Lines of two connections in turn.
[[nodiscard]] double measure_bulk(const std::filesystem::path& folder, const DaemonSizes& sizes);
// By how many milliseconds the last client was behind at most.
[[nodiscard]] double measure_streams(const std::filesystem::path& folder, const DaemonSizes& sizes);
// Milliseconds of a read with `?at=`, p99.
[[nodiscard]] double measure_past(const std::filesystem::path& folder, const DaemonSizes& sizes);
// MiB by which the daemon has grown with so many connections that have asked something.
[[nodiscard]] double measure_memory(const std::filesystem::path& folder, const DaemonSizes& sizes);

struct PeerResult {
  std::string name;
  double value = 0;      // jobs a second, or microseconds
  std::string left_out;  // why; empty = it was measured
};
[[nodiscard]] std::vector<PeerResult> measure_peer_rates(const std::filesystem::path& folder,
                                                         const DaemonSizes& sizes, Pace pace);
[[nodiscard]] std::vector<PeerResult> measure_peer_idle(const std::filesystem::path& folder,
                                                        const DaemonSizes& sizes);

}  // namespace almanac::bench
