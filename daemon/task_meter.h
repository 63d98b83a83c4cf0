// How long tasks wait and run, as a daemon has seen since it started: what /metrics tells as
// histograms.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/state.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

namespace almanac {

// Written by the engine's thread, read by any.
class TaskMeter {
 public:
  // Upper ends of the buckets; above the last one lies everything else.
  static constexpr std::array<double, 12> seconds = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5,
                                                     1,     5,     10,   60,   600, 3'600};
  struct Histogram {
    std::array<std::atomic<std::uint64_t>, seconds.size() + 1> counts{};  // not cumulative
    std::atomic<std::uint64_t> micros = 0;                                // all together

    void add(Duration duration);
  };

  // As EngineOptions::on_events.
  void see(const State& state, std::span<const RecordedEvent> events);

  Histogram waits;  // from when a task was enqueued, or due, to its first attempt
  Histogram runs;   // of attempts that ended well or badly
  std::atomic<std::uint64_t> enqueued = 0;
  std::atomic<std::uint64_t> succeeded = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> cancelled = 0;
  std::atomic<std::uint64_t> attempts_failed = 0;
};

}  // namespace almanac
