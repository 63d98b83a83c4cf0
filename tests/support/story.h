// A state and the events it came from: each told event is folded at once, one second behind the
// one before.
#pragma once

#include <almanac/projections/state.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

// The digest of a state.
[[nodiscard]] std::string hex(const State& state);

// What a story says about a new task; owns what TaskEnqueued borrows.
struct NewTask {
  std::uint64_t id = 0;
  std::string kind = "work";
  std::string queue = "default";
  std::int32_t priority = 0;
  Time run_at = {};
  Duration timeout{0};
  std::uint16_t attempts_max = 1;
  std::vector<std::uint64_t> dependencies;
  std::vector<DependencyCondition> conditions;  // as in TaskEnqueued
  bool keeps_dependencies = false;
  Time expires_at = {};
  std::vector<std::string> tags;
  std::string key;
  std::uint64_t content_hash = 0;
  std::string owner = {};
  Time deadline = {};
  Duration estimate{0};
  Uniqueness unique = {};
  std::uint32_t version = 0;
  std::uint64_t group = 0;
  std::uint64_t after_group = 0;
  DependencyCondition after_group_condition = DependencyCondition::success;
};

// Owns everything its events point at. The verbs answer whether the state changed; false says that
// the event was ignored. They use the lease the task holds.
class Story {
 public:
  bool tell(const EventBody& body, std::string_view key = {});

  bool enqueue(const NewTask& task);
  bool make_ready(std::uint64_t id) { return tell(TaskReadied{TaskId(id)}); }
  bool start(std::uint64_t id);
  bool succeed(std::uint64_t id);
  bool fail_attempt(std::uint64_t id, Time retry_at);
  bool fail(std::uint64_t id);
  bool request_cancel(std::uint64_t id) { return tell(TaskCancelRequested{TaskId(id), "no"}); }
  bool cancel(std::uint64_t id);
  bool hand_back(std::uint64_t id);
  bool hold(std::uint64_t id, TaskOutcome outcome = TaskOutcome::unknown);
  bool release(std::uint64_t id) { return tell(TaskReleased{TaskId(id)}); }
  bool accept(std::uint64_t id) { return tell(TaskAccepted{TaskId(id)}); }
  bool snooze(std::uint64_t id, Time until) {
    return tell(TaskSnoozed{TaskId(id), lease(id), until});
  }
  bool fail_over(std::uint64_t id, std::string_view to) {
    return tell(TaskFailedOver{.id = TaskId(id), .lease = lease(id), .from = "remote", .to = to});
  }
  bool redrive(std::uint64_t id) { return tell(TaskRedriven{TaskId(id), "again"}); }
  bool crash(std::uint64_t id, std::uint32_t crashes);
  bool forget(const std::vector<std::uint64_t>& ids);

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] const Tasks& tasks() const { return state_.tasks; }
  // Stops the test program when there is no such task.
  [[nodiscard]] const Task& task(std::uint64_t id) const;
  [[nodiscard]] Lease lease(std::uint64_t id) const;
  [[nodiscard]] const std::vector<RecordedEvent>& events() const { return events_; }
  // When the next event happens.
  [[nodiscard]] Time now() const;

 private:
  struct Memory {
    NewTask task;
    std::vector<TaskId> dependencies;
    std::vector<std::string_view> tags;
  };

  State state_;
  std::vector<RecordedEvent> events_;
  std::deque<Memory> memory_;
  std::deque<std::string> keys_;
  std::deque<std::vector<TaskId>> ids_;
};

// The first thing that is wrong between the tasks and what is derived from them (orders, counts),
// or an empty string.
[[nodiscard]] std::string check_orders(const State& state);

}  // namespace almanac::test
