// How the work of an engine is arranged: pauses, reviews, queues, groups, schedules,
// limits and circuits.
#include <almanac/engine/engine.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace almanac {

Result<void> Engine::pause(PauseScope scope, std::string name) {
  return ask_without_answer(PauseWork{scope, std::move(name), true});
}

Result<void> Engine::resume(PauseScope scope, std::string name) {
  return ask_without_answer(PauseWork{scope, std::move(name), false});
}

Result<void> Engine::review(std::vector<TaskId> ids, ReviewDecision decision) {
  return ask_without_answer(ReviewTasks{std::move(ids), decision});
}

Result<void> Engine::configure_queue(std::string queue, std::uint32_t slots) {
  return configure_queue({.queue = std::move(queue), .slots = slots});
}

Result<void> Engine::configure_queue(ConfigureQueue settings) {
  return ask_without_answer(std::move(settings));
}

Result<void> Engine::open_group(std::string name) {
  return ask_without_answer(OpenGroup{std::move(name)});
}

Result<void> Engine::close_group(std::string name) {
  return ask_without_answer(CloseGroup{std::move(name)});
}

Result<std::size_t> Engine::cancel_group(std::string name, std::string reason) {
  if (auto closed = close_group(name); !closed) return std::unexpected(closed.error());
  const auto state = this->state();
  const Groups& groups = state->tasks.groups;
  const auto group = groups.find(name);  // gone with its close where it had no tasks
  const auto ids = group ? groups.live_of(*group) : std::vector<TaskId>();
  std::size_t cancelled = 0;
  for (std::size_t at = 0; at < ids.size(); at += limits::changes_max) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(at);
    const auto last =
        first + static_cast<std::ptrdiff_t>(std::min(limits::changes_max, ids.size() - at));
    auto changed = change(TaskChange::cancel, {first, last}, reason, Conflicts::skip);
    if (!changed) return changed;
    cancelled += *changed;
  }
  return cancelled;
}

Result<void> Engine::define_schedule(ScheduleSpec schedule) {
  return ask_without_answer(DefineSchedule{std::move(schedule)});
}

Result<void> Engine::pause_schedule(std::string name, std::string reason) {
  return ask_without_answer(
      ChangeSchedule{std::move(name), ScheduleChange::pause, std::move(reason)});
}

Result<void> Engine::resume_schedule(std::string name) {
  return ask_without_answer(ChangeSchedule{std::move(name), ScheduleChange::resume});
}

Result<void> Engine::remove_schedule(std::string name) {
  return ask_without_answer(ChangeSchedule{std::move(name), ScheduleChange::remove});
}

Result<void> Engine::set_schedules(std::string prefix, std::vector<ScheduleSpec> schedules) {
  return ask_without_answer(SetSchedules{std::move(prefix), std::move(schedules)});
}

Result<void> Engine::configure_limit(std::string name, LimitSetting setting) {
  return ask_without_answer(ConfigureLimit{std::move(name), setting});
}

Result<void> Engine::configure_circuit(std::string service, CircuitSetting setting) {
  return ask_without_answer(ConfigureCircuit{std::move(service), setting});
}

Result<void> Engine::force_circuit(std::string service, CircuitState to, std::string reason) {
  return ask_without_answer(ForceCircuit{std::move(service), to, std::move(reason)});
}

}  // namespace almanac
