#include <almanac/tools/overview.h>

#include <almanac/tools/event_counts.h>
#include <almanac/tools/limits.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/task_event.h>
#include <almanac/tools/task_json.h>
#include <almanac/tools/units.h>

#include <almanac/engine/health.h>
#include <almanac/engine/state_health.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json state_counts_json(const State& state) {
  ordered_json json = ordered_json::object();
  for (std::size_t i = 0; i < state.tasks.counts.size(); ++i) {
    json[std::string(name(static_cast<TaskState>(i)))] = state.tasks.counts[i];
  }
  return json;
}

// ---- Rates ----

// The first position not older than a time, in the state's past or right behind it.
Result<Position> first_since(const OverviewOptions& options, Time since) {
  auto position = options.log.position_at(since);
  if (!position) return position;
  return std::min(*position, options.state.position.next());
}

Result<ordered_json> rate_json(const OverviewOptions& options, int minutes) {
  auto first = first_since(options, options.now - std::chrono::minutes(minutes));
  if (!first) return std::unexpected(first.error());
  auto counts = count_events({.log = options.log,
                              .first = *first,
                              .last = options.state.position,
                              .reads_max = limits::rate_reads_max});
  if (!counts) return std::unexpected(counts.error());
  const auto per_minute = [&](std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(minutes);
  };
  return ordered_json{
      {"minutes", minutes},
      {"enqueued_per_minute", per_minute(counts->enqueued)},
      {"started_per_minute", per_minute(counts->started)},
      {"ended_per_minute", per_minute(counts->succeeded + counts->failed + counts->cancelled)},
      {"succeeded_per_minute", per_minute(counts->succeeded)},
      {"failed_per_minute", per_minute(counts->failed)},
      {"sampled", counts->is_sampled}};
}

Result<ordered_json> rates_json(const OverviewOptions& options) {
  ordered_json rates = ordered_json::array();
  for (const int minutes : {1, 5, 60}) {
    auto rate = rate_json(options, minutes);
    if (!rate) return rate;
    rates.push_back(std::move(*rate));
  }
  return rates;
}

// ---- Tasks ----

ordered_json queues_json(const OverviewOptions& options) {
  const State& state = options.state;
  ordered_json queues = ordered_json::array();
  for (const auto& [queue, counts] : options.tally.of(state)) {
    const auto id = state.names.find(queue);
    ordered_json json{
        {"queue", queue},
        {"slots", slots_of_queue(state, queue)},
        {"paused", id && state.pauses.all.contains(PausedWork{PauseScope::queue, *id})}};
    for (std::size_t i = 0; i < counts.size(); ++i) {
      json[std::string(name(static_cast<TaskState>(i)))] = counts[i];
    }
    queues.push_back(std::move(json));
  }
  return queues;
}

Result<ordered_json> task_row_json(const OverviewOptions& options, TaskId id, const Task& task) {
  auto label = task_label(options.log, task);
  if (!label) return std::unexpected(label.error());
  const Names& names = options.state.names;
  return ordered_json{{"id", id.value},
                      {"label", *label},
                      {"queue", names.text(task.queue)},
                      {"kind", names.text(task.kind)},
                      {"state", name(task.state)},
                      {"attempt", task.attempts}};
}

// The longest first.
Result<ordered_json> running_json(const OverviewOptions& options) {
  const Tasks& tasks = options.state.tasks;
  std::vector<std::pair<Time, TaskId>> by_start;
  for (const RunningKey& key : tasks.running) {
    by_start.emplace_back(tasks.all.find(key.id)->started_at, key.id);
  }
  const std::size_t shown = std::min(by_start.size(), limits::overview_running_max);
  std::ranges::partial_sort(by_start, by_start.begin() + std::ptrdiff_t(shown));
  ordered_json running = ordered_json::array();
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [since, id] = by_start[i];
    auto json = task_row_json(options, id, *tasks.all.find(id));
    if (!json) return json;
    (*json)["since"] = format_time(since);
    (*json)["running_us"] = std::max(options.now - since, Duration(0)).count();
    const TaskProgress* progress = tasks.progress.find(id);
    (*json)["permille"] = progress == nullptr ? ordered_json() : ordered_json(progress->permille);
    const RemoteLease* remote = tasks.remote.find(id);
    (*json)["worker"] = remote == nullptr ? ordered_json() : ordered_json(remote->worker.view());
    running.push_back(std::move(*json));
  }
  return running;
}

bool is_end(const EventBody& body) {
  return std::holds_alternative<TaskSucceeded>(body) || std::holds_alternative<TaskFailed>(body) ||
         std::holds_alternative<TaskCancelled>(body);
}

// Of the last events, the ends of tasks: the newest first. Of a task that ended twice the last end.
Result<std::vector<TaskId>> last_ends(const OverviewOptions& options) {
  std::vector<TaskId> ends;
  std::set<TaskId> seen;
  std::size_t looked_at = 0;
  if (!options.state.position) return ends;
  auto read = options.log.read_backward(options.state.position,
                                        [&](const RecordedEvent& recorded) -> Result<bool> {
                                          const TaskId id = task_of(recorded.event.body);
                                          if (is_end(recorded.event.body) && seen.insert(id).second)
                                            ends.push_back(id);
                                          return ends.size() < limits::overview_ends_max &&
                                                 ++looked_at < limits::overview_ends_reads_max;
                                        });
  if (!read) return std::unexpected(read.error());
  return ends;
}

Result<ordered_json> ended_json(const OverviewOptions& options) {
  auto ends = last_ends(options);
  if (!ends) return std::unexpected(ends.error());
  ordered_json ended = ordered_json::array();
  for (const TaskId id : *ends) {
    const Task* task = options.state.tasks.all.find(id);
    if (task == nullptr || !has_ended(task->state)) continue;
    auto json = task_row_json(options, id, *task);
    if (!json) return json;
    (*json)["ended_at"] = format_time(task->ended_at);
    (*json)["code"] = task->last_code;
    ended.push_back(std::move(*json));
  }
  return ended;
}

// ---- What is not as it should be ----

// Those that are not closed.
ordered_json open_circuits_json(const State& state) {
  ordered_json circuits = ordered_json::array();
  for (const auto& [id, circuit] : state.circuits.all) {
    if (circuit.state == CircuitState::closed) continue;
    circuits.push_back({{"service", state.names.text(id)},
                        {"state", name(circuit.state)},
                        {"since", time_json(circuit.since)},
                        {"until", time_json(circuit.until)}});
  }
  return circuits;
}

// Implementations of components that are kept and cannot be used.
ordered_json degraded_json(const State& state) {
  ordered_json degraded = ordered_json::array();
  for (const auto& [place, health] : state.components.implementations) {
    const Component* component = state.components.all.find(place.component);
    const bool is_well = health.state == ImplementationState::healthy ||
                         health.state == ImplementationState::unknown;
    if (is_well || component == nullptr || !component->kept) continue;
    degraded.push_back({{"component", state.names.text(place.component)},
                        {"implementation", state.names.text(health.name)},
                        {"state", name(health.state)},
                        {"issue", name(health.issue)},
                        {"repair_at", time_json(health.repair_at)}});
  }
  return degraded;
}

ordered_json gpu_rows_json(const State& state) {
  ordered_json gpus = ordered_json::array();
  for (const auto& [key, heap] : state.gpu.heaps) {
    const GpuDevice* device = state.gpu.devices.find(key.device);
    if (device == nullptr || !heap.is_local) continue;
    ordered_json json{
        {"gpu", state.names.text(key.device)}, {"name", state.names.text(device->name)},
        {"presence", name(device->presence)},  {"heap", key.heap},
        {"level", name(heap.level)},           {"since", time_json(heap.alert_at)}};
    json.update(gpu_memory_json(heap.memory));
    gpus.push_back(std::move(json));
  }
  return gpus;
}

ordered_json alerts_json(const ordered_json& gpus) {
  ordered_json alerts = ordered_json::array();
  for (const ordered_json& gpu : gpus) {
    if (gpu["level"] != name(GpuLevel::normal)) alerts.push_back(gpu);
  }
  return alerts;
}

ordered_json health_word_json(const OverviewOptions& options) {
  const auto reasons = health_reasons(options.state, options.now);
  ordered_json sentences = ordered_json::array();
  for (const HealthReason& reason : reasons) sentences.push_back(reason.sentence);
  const Health word = std::max(health_of(reasons), options.state.health.health);
  return {{"health", name(word)},
          {"since", time_json(options.state.health.since)},
          {"reasons", std::move(sentences)}};
}

ordered_json engine_word_json(const EngineInfo& engine) {
  return {{"running", engine.running},
          {"slots", engine.slots},
          {"started_at", time_json(engine.started_at)},
          {"version", engine.version}};
}

}  // namespace

Result<ordered_json> overview_json(const OverviewOptions& options) {
  const State& state = options.state;
  auto rates = rates_json(options);
  if (!rates) return rates;
  auto running = running_json(options);
  if (!running) return running;
  auto ended = ended_json(options);
  if (!ended) return ended;
  const std::size_t running_left_out = state.tasks.running.size() - running->size();
  ordered_json gpus = gpu_rows_json(state);
  ordered_json alerts = alerts_json(gpus);
  return ordered_json{{"position", state.position.value},
                      {"time", time_json(state.time)},
                      {"now", format_time(options.now)},
                      {"engine", engine_word_json(state.engine)},
                      {"health", health_word_json(options)},
                      {"tasks", state_counts_json(state)},
                      {"live", state.tasks.live()},
                      {"rates", std::move(*rates)},
                      {"queues", queues_json(options)},
                      {"running", std::move(*running)},
                      {"running_left_out", running_left_out},
                      {"ended", std::move(*ended)},
                      {"circuits", open_circuits_json(state)},
                      {"components", degraded_json(state)},
                      {"gpus", std::move(gpus)},
                      {"alerts", std::move(alerts)}};
}

}  // namespace almanac
