#include <almanac/tools/task_story.h>

#include <almanac/tools/task_event.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace almanac {
namespace {

constexpr std::size_t named_max = 4;

// "task 3", "tasks 3, 4", "tasks 3, 4, 5, 6 and 12 more".
template <class Next>
std::string tasks_text(std::size_t count, Next next) {
  std::string text = count == 1 ? "task" : "tasks";
  for (std::size_t i = 0; i < std::min(count, named_max); ++i) {
    text += fmt::format("{}{}", i == 0 ? " " : ", ", next().value);
  }
  return count > named_max ? text + fmt::format(" and {} more", count - named_max) : text;
}

std::string running_in(const State& state, NameId queue, std::size_t count) {
  auto entry = state.tasks.running.lower_bound({queue, TaskId()});
  return tasks_text(count, [&] { return (*entry++).id; });
}

std::uint32_t slots_of(const State& state, NameId queue) {
  const std::uint32_t* slots = state.queues.slots.find(queue);
  return slots == nullptr ? 0 : *slots;
}

WaitReason paused_reason(const State& state, const Task& task) {
  const bool is_queue = state.pauses.all.contains(PausedWork{PauseScope::queue, task.queue});
  const auto of = state.names.text(is_queue ? task.queue : task.kind);
  return {Wait::paused, fmt::format("{} {} is paused", is_queue ? "queue" : "kind", printable(of))};
}

// A ladder: what would have to change first stands first.
WaitReason ready_reason(const State& state, TaskId id, const Task& task) {
  const Tasks& tasks = state.tasks;
  if (state.pauses.hold_back({task.queue, task.kind})) return paused_reason(state, task);
  if (!state.engine.running) return {Wait::engine, "no engine runs"};
  const auto limit = slots_of(state, task.queue);
  const auto leases = limit > 0 ? tasks.running_in(task.queue) : 0;
  if (limit > 0 && leases >= limit) {
    return {Wait::queue_limit,
            fmt::format("queue {} runs {} of {}: {}", printable(state.names.text(task.queue)),
                        leases, limit, running_in(state, task.queue, leases))};
  }
  const auto slots = state.engine.slots;
  if (slots > 0 && tasks.running.size() >= slots) {
    auto entry = tasks.running.begin();
    return {Wait::slots,
            fmt::format("{} of {} taken: {}", tasks.running.size(), counted(slots, "slot"),
                        tasks_text(tasks.running.size(), [&] { return (*entry++).id; }))};
  }
  const ReadyKey own = ready_key(id, task);
  const LanePlace first = *tasks.ready.lanes().find(own.lane)->first();
  if (first.id != id) {
    const char* why = first.rank < own.place.rank ? "of a higher priority" : "enqueued earlier";
    return {Wait::behind, fmt::format("task {} stands before it, {}", first.id.value, why)};
  }
  return {Wait::next, "it is the next to start"};
}

// Where all that it still waits for has failed and may be retried.
std::optional<WaitReason> retry_reason(const State& state, TaskId id) {
  if (state.tasks.conditions.empty()) return std::nullopt;
  std::vector<TaskId> failed;
  for (const auto& [key, condition] : state.tasks.conditions) {
    if (key.dependent != id) continue;
    const Task* task = state.tasks.all.find(key.dependency);
    if (task != nullptr && task->state == TaskState::failed) failed.push_back(key.dependency);
  }
  if (failed.empty() || failed.size() < state.tasks.all.find(id)->waiting_for) return std::nullopt;
  auto next = failed.begin();
  return WaitReason{Wait::retry, fmt::format("{} failed: `almanac retry` runs {} again",
                                             tasks_text(failed.size(), [&] { return *next++; }),
                                             failed.size() == 1 ? "it" : "them")};
}

WaitReason dependency_reason(const State& state, TaskId id, const Task& task) {
  if (const TaskId* culprit = state.tasks.doomed.find(id)) {
    const Task* by = state.tasks.all.find(*culprit);
    const bool succeeded = by != nullptr && by->state == TaskState::succeeded;
    return {Wait::doomed,
            fmt::format("task {} ended with{} success", culprit->value, succeeded ? "" : "out")};
  }
  if (auto retry = retry_reason(state, id)) return *retry;
  return {Wait::dependency,
          fmt::format("{} it depends on {} not {}", counted(task.waiting_for, "task"),
                      task.waiting_for == 1 ? "has" : "have",
                      state.tasks.conditions.empty() ? "succeeded" : "ended as must be")};
}

}  // namespace

std::string_view name(Wait wait) {
  switch (wait) {
    case Wait::dependency: return "dependency";
    case Wait::doomed: return "doomed";
    case Wait::delay: return "delay";
    case Wait::engine: return "engine";
    case Wait::queue_limit: return "queue_limit";
    case Wait::slots: return "slots";
    case Wait::behind: return "behind";
    case Wait::next: return "next";
    case Wait::review: return "review";
    case Wait::paused: return "paused";
    case Wait::retry: return "retry";
  }
  return "";
}

std::optional<WaitReason> wait_reason(const State& state, TaskId id) {
  const Task* task = state.tasks.all.find(id);
  if (task == nullptr) return std::nullopt;
  switch (task->state) {
    case TaskState::waiting: return dependency_reason(state, id, *task);
    case TaskState::delayed:
      return WaitReason{Wait::delay, "not before " + format_time(task->run_at)};
    case TaskState::ready: return ready_reason(state, id, *task);
    case TaskState::held:
      if (state.tasks.held.find(id)->reason == HoldReason::paused) {
        return WaitReason{Wait::paused, "paused: `almanac resume` lets it run"};
      }
      return WaitReason{Wait::review, "under review: " + known_text(*state.tasks.held.find(id))};
    default: return std::nullopt;
  }
}

}  // namespace almanac
