#include <almanac/tools/state_json.h>

#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

#include <string>

namespace almanac {

using nlohmann::ordered_json;

ordered_json time_json(Time time) {
  return time == Time() ? ordered_json() : ordered_json(format_time(time));
}

ordered_json job_json(const BackupJob& job) {
  return {{"action", name(job.action)},
          {"schedule", job.is_scheduled() ? ordered_json(job.schedule) : ordered_json()},
          {"repository", job.repository},
          {"running", job.running},
          {"due", time_json(job.due)},
          {"next", time_json(job.next)},
          {"started_at", time_json(job.started_at)},
          {"ended_at", time_json(job.ended_at)},
          {"succeeded_at", time_json(job.succeeded_at)},
          {"runs", job.runs},
          {"failures", job.failures},
          {"failures_in_row", job.failures_in_row},
          {"missed", job.missed}};
}

ordered_json circuit_json(const Circuit& circuit) {
  return {{"state", name(circuit.state)},
          {"changed", circuit.changed.value},
          {"since", time_json(circuit.since)},
          {"until", time_json(circuit.until)},
          {"cooldown_us", circuit.cooldown.count()},
          {"consecutive_failures", circuit.consecutive_failures},
          {"probes", circuit.probes},
          {"probes_succeeded", circuit.probes_succeeded},
          {"paced", circuit.paced},
          {"successes", circuit.successes},
          {"failures", circuit.failures},
          {"trips", circuit.trips},
          {"average_us", circuit.average().count()}};
}

std::uint64_t tasks_waiting_for(const State& state, NameId limit) {
  std::uint64_t waiting = 0;
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    for (const LimitDemand& demand : state.tasks.demand_sets.of(lane.demands)) {
      if (demand.limit == limit) waiting += places.size();
    }
  }
  return waiting;
}

ordered_json circuit_json(const State& state, NameId service) {
  const std::string_view name = state.names.text(service);
  ordered_json json{{"service", name}};
  json.update(circuit_json(circuit_of(state.circuits, service)));
  json["waiting"] = tasks_waiting_for(state, service);
  json["setting"] = circuit_setting_json(setting_or_default(state.circuits, state.names, name));
  return json;
}

ordered_json circuit_setting_json(const CircuitSetting& setting) {
  return {{"requests_min", setting.requests_min},
          {"failure_permille", setting.failure_permille},
          {"consecutive_failures", setting.consecutive_failures},
          {"window_us", setting.window.count()},
          {"cooldown_us", setting.cooldown.count()},
          {"cooldown_max_us", setting.cooldown_max.count()},
          {"probes", setting.probes}};
}

ordered_json schedule_json(const Schedule& schedule) {
  const ScheduleDefined& definition = *schedule.definition;
  ordered_json queued = ordered_json::array();
  for (const Time instant : schedule.queued) queued.push_back(time_json(instant));
  return {{"recurrence", definition.recurrence},
          {"missed", name(definition.missed)},
          {"window", definition.window == Duration(0)
                         ? ordered_json()
                         : ordered_json(format_duration(definition.window))},
          {"overlap", name(definition.overlap)},
          {"defined", schedule.defined.value},
          {"paused", schedule.paused},
          {"next", schedule.paused ? ordered_json() : time_json(schedule.next)},
          {"queued", std::move(queued)},
          {"task", schedule.task ? ordered_json(schedule.task.value) : ordered_json()},
          {"fired", time_json(schedule.fired)},
          {"firings", schedule.firings},
          {"skipped", schedule.skipped}};
}

}  // namespace almanac
