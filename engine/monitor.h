// How operations go: how many succeed, how long they take, which errors come again and again, and
// what follows from that. For a program's own operations, with an engine or without one; tasks are
// in the log, and `almanac stats` and `almanac health` tell of them.
//
//   auto monitor = almanac::Monitor::make({.on_alert = tell_somebody});
//   almanac::OperationMonitor& search = (*monitor)->operation("search");
//   auto found = search.call([] { return search_for("a needle"); });
//
// A compiled example is examples/monitor.cc.
#pragma once

#include <almanac/engine/error_patterns.h>
#include <almanac/engine/has_worked.h>
#include <almanac/engine/health.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace almanac {

// More operations of a name fail than may, or no longer do.
struct MonitorAlert {
  std::string operation;
  bool is_raised = true;
  std::uint64_t failed = 0;  // in the window, of
  std::uint64_t ended = 0;
  std::string sentence;
};

struct HealthChange {
  Health from = Health::healthy;
  Health to = Health::healthy;
  std::vector<HealthReason> reasons;
};

struct MonitorOptions {
  // What counts for health and alerts is what ended within it; it slides by a tenth of itself.
  Duration window = std::chrono::minutes(5);
  FailureThresholds failures = {};
  std::uint16_t slow_permille = 100;         // above: degraded
  Duration slow = std::chrono::seconds(30);  // one that takes so long is slow
  std::size_t slow_kept = 32;                // the last ones, of each name
  // An alert is raised above the first, of failures.ended_min or more, and ends at the second.
  std::uint16_t alert_permille = 100;
  std::uint16_t alert_end_permille = 50;
  std::vector<ErrorRule> errors = default_error_rules();
  // Told once of each change, in order, one at a time, on a thread that ended an operation or asked
  // for a report, with no lock held: it may use the monitor. What it throws is a line of the log.
  // Without on_alert an alert is a line of the log as well.
  std::function<void(const MonitorAlert&)> on_alert = {};
  std::function<void(const HealthChange&)> on_health = {};
  // Since any moment; never goes back. Empty = steady_clock.
  std::function<std::chrono::nanoseconds()> clock = {};
};

struct SlowOperation {
  Time ended;
  std::chrono::nanoseconds took{0};
  bool succeeded = false;
  std::uint32_t retries = 0;
};

struct ErrorCount {
  std::string rule;
  std::uint64_t total = 0;
  std::uint64_t in_window = 0;
};

// Of the operations of one name, since the monitor was made. Percentiles are never less than they
// were, and at most 3.2 % more.
struct OperationReport {
  std::string operation;
  std::uint64_t succeeded = 0;  // also after retries
  std::uint64_t failed = 0;
  std::uint64_t retries = 0;
  std::chrono::nanoseconds average{0};
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p90{0};
  std::chrono::nanoseconds p95{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds longest{0};  // exact
  std::uint64_t ended_in_window = 0;
  std::uint64_t failed_in_window = 0;
  std::uint64_t slow_in_window = 0;
  std::vector<ErrorCount> errors;   // by rule, also those that none followed
  std::vector<SlowOperation> slow;  // the last ones, the oldest first
  bool is_alerting = false;
  std::vector<HealthReason> reasons;

  [[nodiscard]] double success_rate() const;  // 1 where none has ended
  [[nodiscard]] Health health() const { return health_of(reasons); }
};

struct MonitorReport {
  std::vector<OperationReport> operations;  // by name
  [[nodiscard]] Health health() const;
  [[nodiscard]] std::vector<HealthReason> reasons() const;
};
// One object: health, reasons and, by name, operations. Durations in nanoseconds.
[[nodiscard]] std::string to_json(const MonitorReport& report);

class Monitor;
class OperationMonitor;

// An operation that goes on, and the scope of it: says once how it ended. One that goes without a
// word has failed. Used by one thread at a time; dies before the monitor.
class [[nodiscard]] TrackedOperation {
 public:
  TrackedOperation(TrackedOperation&& other) noexcept
      : monitor_(std::exchange(other.monitor_, nullptr)),
        began_(other.began_),
        retries_(other.retries_) {}
  TrackedOperation& operator=(TrackedOperation&&) = delete;
  ~TrackedOperation() {
    if (monitor_ != nullptr) failed();
  }

  void retried() { ++retries_; }
  void succeeded();
  // Why, as far as it is known: the rules for errors read it. It is not kept.
  void failed(std::string_view why = {});

 private:
  friend class OperationMonitor;
  TrackedOperation(OperationMonitor& monitor, std::chrono::nanoseconds began)
      : monitor_(&monitor), began_(began) {}

  OperationMonitor* monitor_;  // none: it has been said
  std::chrono::nanoseconds began_;
  std::uint32_t retries_ = 0;
};

// The operations of one name. Owned by its monitor, and lives as long. Any thread. To begin and end
// one that succeeds are two looks at the clock and some atomic operations; ten times in a window
// one of them takes a lock and looks how things are. A failure and a slow one take that lock
// themselves.
class OperationMonitor {
 public:
  ~OperationMonitor();
  OperationMonitor(const OperationMonitor&) = delete;
  OperationMonitor& operator=(const OperationMonitor&) = delete;

  [[nodiscard]] TrackedOperation begin();
  // Calls `function` and answers what that answers. It has failed when it throws, which goes on to
  // the caller, and when has_worked() says no of what it answers.
  template <class Function>
  auto call(Function function) -> std::invoke_result_t<Function> {
    TrackedOperation tracked = begin();
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
        function();
        tracked.succeeded();
      } else {
        auto result = function();
        has_worked(result) ? tracked.succeeded() : tracked.failed(why_of(result));
        return result;
      }
    } catch (const std::exception& error) {
      tracked.failed(error.what());
      throw;
    }
  }
  [[nodiscard]] OperationReport report();

 private:
  friend class Monitor;
  friend class TrackedOperation;
  struct Record;
  struct Ended;
  OperationMonitor(Monitor& monitor, std::string name);

  template <class Answer>
  [[nodiscard]] static std::string why_of(const Answer& answer) {
    if constexpr (requires { std::string(answer.error().message); }) {
      return answer.error().message;
    } else {
      return {};
    }
  }
  void end(const Ended& ended);

  Monitor& monitor_;
  const std::unique_ptr<Record> record_;
};

// Any thread. Must outlive its operations.
class Monitor {
 public:
  // Errors: invalid (rules for errors, a window of nothing).
  [[nodiscard]] static Result<std::unique_ptr<Monitor>> make(MonitorOptions options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // One for each name, made when it is asked for first. Names are for people, few, and no data: at
  // most limits::monitored_operations_max; what comes behind them is counted as "…".
  [[nodiscard]] OperationMonitor& operation(std::string_view name);
  // O(names), some 20 µs for each.
  [[nodiscard]] MonitorReport report();

 private:
  friend class OperationMonitor;
  friend class TrackedOperation;
  struct Parts;
  explicit Monitor(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
