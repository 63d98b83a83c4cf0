// The oracle's own record of circuits: what requests came to, which probes are out, and along which
// edges of the table they move.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/circuits.h>
#include <almanac/tests/simulation/coverage.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {

class CircuitRecord {
 public:
  explicit CircuitRecord(Coverage& coverage) : coverage_(coverage) {}

  // What is on the disk, in order. What is wrong with it; empty = nothing.
  [[nodiscard]] std::string see(const RecordedEvent& recorded);
  // What should have happened by then; empty = nothing.
  [[nodiscard]] std::string missing(Time now) const;
  // Whether a task that asks for the service may have to wait for its circuit.
  [[nodiscard]] bool may_hold_back(const std::string& service) const;
  // Events that said that a circuit moved.
  [[nodiscard]] std::uint64_t moves() const { return moves_; }

 private:
  struct Result {
    Time at;
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
  };
  struct One {
    std::optional<CircuitSetting> setting;
    CircuitState state = CircuitState::closed;
    Time until;
    Duration cooldown{0};
    std::vector<Result> results;  // since it closed
    std::uint64_t in_row = 0;
    std::uint32_t probes = 0;  // that it admits
    std::uint32_t succeeded = 0;
    std::uint32_t failed = 0;
    std::set<TaskId> tasks;  // probes that are out
    std::map<Position, Time> programs;
    std::uint64_t paced = 0;

    [[nodiscard]] CircuitSetting rules() const { return setting.value_or(CircuitSetting()); }
    [[nodiscard]] bool guards() const {
      return setting || state == CircuitState::forced_open || state == CircuitState::forced_closed;
    }
    [[nodiscard]] std::uint64_t out() const { return tasks.size() + programs.size(); }
  };
  struct Asking {
    std::vector<std::string> services;
    bool runs = false;
  };

  void judge(const CircuitConfigured& event);
  void judge(const CircuitObserved& event);
  void judge(const CircuitProbed& event);
  void judge(const CircuitOpened& event);
  void judge(const CircuitHalfOpened& event);
  void judge(const CircuitClosed& event);
  void judge(const TaskEnqueued& event);
  void judge(const TaskStarted& event);
  void judge(const TaskSucceeded& event) { end(event.id, {.at = now_, .successes = 1}); }
  void judge(const TaskAttemptFailed& event) { end(event.id, {.at = now_, .failures = 1}); }
  void judge(const TaskFailed& event);
  void judge(const TaskHandedBack& event);
  void judge(const TaskCancelled& event) { end(event.id, {}); }
  void judge(const TaskSnoozed& event) { end(event.id, {}); }
  void judge(const TaskHeld& event) { end(event.id, {}); }
  void judge(const EngineStarted& event);
  void judge(const auto&) {}

  void require(bool good, const char* otherwise) {
    if (!good && wrong_.empty()) wrong_ = otherwise;
  }
  void move(One& one, CircuitCause cause, CircuitState to);
  void judge_opening(const One& one, const CircuitOpened& event);
  void admit(One& one);
  static void count(One& one, const Result& result, bool was_probe);
  void end(TaskId id, const Result& result);

  Coverage& coverage_;
  std::map<std::string, One> all_;
  std::map<TaskId, Asking> tasks_;  // that ask for something
  std::string wrong_;
  Time now_;
  Position position_;
  std::uint64_t moves_ = 0;
};

}  // namespace almanac::test
