// What the scheduler does when it has nothing to do but schedule: every task is a C++ handler that
// returns at once, and every acknowledgement is on the disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

namespace almanac::bench {

using Microseconds = std::chrono::duration<double, std::micro>;

struct Sizes {
  double seconds = 5;  // of a closed loop
  std::uint32_t in_flight = 100;
  std::size_t bulk = 100'000;     // tasks in one call
  std::size_t idle = 2'000;       // single tasks, one after the other
  std::size_t ready = 1'000'000;  // to choose among
  std::size_t running = 99'000;   // when the engine was killed; with its start, one batch
  std::size_t kills = 20;         // of local workers
  int rounds = 3;
  bool peers = true;
};

// Tasks per second through enqueue, start and finish, so many in flight.
[[nodiscard]] double measure_throughput(const std::filesystem::path& folder, const Sizes& sizes);
// Tasks per second of one call that submits them all.
[[nodiscard]] double measure_bulk(const std::filesystem::path& folder, const Sizes& sizes);

struct Percentiles {
  Microseconds p50{0};
  Microseconds p99{0};
};
// From the call to the first line of the handler.
[[nodiscard]] Percentiles measure_idle(const std::filesystem::path& folder, const Sizes& sizes);
// Of one write of 200 bytes and one fdatasync, in a file that is there already.
[[nodiscard]] Percentiles measure_bare_sync(const std::filesystem::path& folder,
                                            const Sizes& sizes);
// Of choosing one task, the rest ready behind it.
[[nodiscard]] Microseconds measure_choice(const Sizes& sizes);
// From the opening of a log whose engine was killed to the first line of a task submitted then.
[[nodiscard]] Microseconds measure_restart(const std::filesystem::path& folder, const Sizes& sizes);
// From the death of a command to the moment when its task is ready again.
[[nodiscard]] Percentiles measure_dead_worker(const std::filesystem::path& folder,
                                              const Sizes& sizes);

}  // namespace almanac::bench
