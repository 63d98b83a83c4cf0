// The life of a task as one table. The fold asks it before every change, the README's picture is
// printed from it, and a test holds both against it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// The numbers are in digests and checkpoints: a new state comes last.
enum class TaskState : std::uint8_t {
  waiting,     // for tasks it depends on
  delayed,     // until a time: a start time, or the wait before another attempt
  ready,       // as soon as there is a slot
  running,     // an attempt holds the lease
  cancelling,  // running, and told to stop
  succeeded,
  failed,
  cancelled,
  held,  // under review or paused: until somebody has decided
};
inline constexpr std::size_t task_state_count = 9;

[[nodiscard]] std::string_view name(TaskState state);
[[nodiscard]] std::optional<TaskState> task_state_from(std::string_view name);
[[nodiscard]] constexpr bool has_ended(TaskState state) {
  return state >= TaskState::succeeded && state <= TaskState::cancelled;
}
// A failed one when it is run again.
[[nodiscard]] constexpr bool may_run(TaskState state) {
  return !has_ended(state) || state == TaskState::failed;
}
[[nodiscard]] constexpr bool holds_lease(TaskState state) {
  return state == TaskState::running || state == TaskState::cancelling;
}

// What can happen to a task. Each is an event's type, but for `unblocked`, which is the end of the
// last task it was waiting for.
enum class TaskStep : std::uint8_t {
  enqueued,
  unblocked,
  readied,
  started,
  succeeded,
  attempt_failed,
  failed,
  cancel_requested,
  cancelled,
  handed_back,
  held,
  released,
  accepted,
  snoozed,
  redriven,
  failed_over,
};
inline constexpr std::size_t task_step_count = 16;
[[nodiscard]] std::string_view name(TaskStep step);

struct Transition {
  std::optional<TaskState> from;  // none: before it exists
  TaskStep step;
  TaskState to;
  std::string_view when;  // tells apart the rows of one `from` and `step`
};

inline constexpr std::array lifecycle = {
    Transition{{}, TaskStep::enqueued, TaskState::waiting, "depends on tasks that have not ended"},
    Transition{{}, TaskStep::enqueued, TaskState::delayed, "its start time is in the future"},
    Transition{{}, TaskStep::enqueued, TaskState::ready, ""},
    Transition{TaskState::waiting, TaskStep::unblocked, TaskState::delayed,
               "its start time is in the future"},
    Transition{TaskState::waiting, TaskStep::unblocked, TaskState::ready, ""},
    Transition{TaskState::waiting, TaskStep::cancelled, TaskState::cancelled, ""},
    Transition{TaskState::delayed, TaskStep::readied, TaskState::ready, ""},
    Transition{TaskState::delayed, TaskStep::cancelled, TaskState::cancelled, ""},
    Transition{TaskState::ready, TaskStep::started, TaskState::running, ""},
    Transition{TaskState::ready, TaskStep::cancelled, TaskState::cancelled, ""},
    Transition{TaskState::running, TaskStep::succeeded, TaskState::succeeded, ""},
    Transition{TaskState::running, TaskStep::attempt_failed, TaskState::delayed,
               "attempts are left"},
    Transition{TaskState::running, TaskStep::failed, TaskState::failed, "it was the last attempt"},
    Transition{TaskState::running, TaskStep::failed_over, TaskState::running,
               "its kind has another implementation"},
    Transition{TaskState::running, TaskStep::cancel_requested, TaskState::cancelling, ""},
    Transition{TaskState::running, TaskStep::handed_back, TaskState::ready,
               "what ran it stopped, died or was silent"},
    Transition{TaskState::running, TaskStep::snoozed, TaskState::delayed, "it asked for it"},
    Transition{TaskState::failed, TaskStep::redriven, TaskState::ready, ""},
    Transition{TaskState::cancelling, TaskStep::cancelled, TaskState::cancelled,
               "the attempt has ended"},
    Transition{TaskState::waiting, TaskStep::held, TaskState::held, ""},
    Transition{TaskState::delayed, TaskStep::held, TaskState::held, ""},
    Transition{TaskState::ready, TaskStep::held, TaskState::held, ""},
    Transition{TaskState::running, TaskStep::held, TaskState::held, ""},
    Transition{TaskState::held, TaskStep::held, TaskState::held, "more is known of it"},
    Transition{TaskState::held, TaskStep::released, TaskState::waiting,
               "depends on tasks that have not ended"},
    Transition{TaskState::held, TaskStep::released, TaskState::delayed,
               "its time is in the future"},
    Transition{TaskState::held, TaskStep::released, TaskState::ready, ""},
    Transition{TaskState::held, TaskStep::accepted, TaskState::succeeded, ""},
    Transition{TaskState::held, TaskStep::cancelled, TaskState::cancelled, ""},
};

// The table to look up in: by state before (the last one is "before it exists") and step, a bit for
// each state that may follow.
inline constexpr auto lifecycle_index = [] {
  std::array<std::array<std::uint16_t, task_step_count>, task_state_count + 1> index{};
  static_assert(task_state_count <= 16, "a state is a bit of two bytes");
  for (const Transition& row : lifecycle) {
    const std::size_t before = row.from ? static_cast<std::size_t>(*row.from) : task_state_count;
    std::uint16_t& after = index[before][static_cast<std::size_t>(row.step)];
    after = static_cast<std::uint16_t>(after | 1U << static_cast<unsigned>(row.to));
  }
  return index;
}();

// Whether the table has a row that leads from `from` by `step` to `to`.
[[nodiscard]] constexpr bool allows(std::optional<TaskState> from, TaskStep step, TaskState to) {
  const std::size_t before = from ? static_cast<std::size_t>(*from) : task_state_count;
  return ((lifecycle_index[before][static_cast<std::size_t>(step)] >> static_cast<unsigned>(to)) &
          1U) != 0;
}

// The table as a Mermaid state diagram, as the README shows it.
[[nodiscard]] std::string lifecycle_picture();

}  // namespace almanac
