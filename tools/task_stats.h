// Counts, rates and waits of tasks, by what they have in common.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace almanac {

enum class StatsBy : std::uint8_t { queue, kind, owner };

// Of some tasks: how they stand at the end, and what happened since the beginning.
struct TaskStats {
  std::array<std::uint64_t, task_state_count> counts{};
  std::uint64_t overdue = 0;  // not ended, and their deadline has passed
  std::uint64_t submitted = 0;
  std::uint64_t started = 0;  // attempts
  std::uint64_t attempts_failed = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t ended_late = 0;  // behind their deadline
  std::vector<Duration> waits;   // from when a task could run to its first attempt; they rise
  std::vector<Duration> runs;    // of attempts that ended well or badly; they rise

  [[nodiscard]] std::uint64_t live() const;
  // Of those that ended, the share that succeeded; 1 when none ended.
  [[nodiscard]] double completion() const;
};

// The smallest that `share` of them do not exceed; 0 of none. They must rise.
[[nodiscard]] Duration quantile(const std::vector<Duration>& rising, double share);

struct GatheredStats {
  TaskStats total;
  std::map<std::string, TaskStats> groups;  // by name; the owner "" is nobody in particular
  Time from;
  Time to;
};

// Reads the log from behind `from` to the state's position, once. Errors: those of Log::read.
struct StatsOptions {
  const Log& log;
  const State& state;
  Position from;   // 0 = the beginning
  Time from_time;  // what that position stands for
  StatsBy by = StatsBy::queue;
};
[[nodiscard]] Result<GatheredStats> gather_stats(const StatsOptions& options);

}  // namespace almanac
