#include <almanac/tools/task_request_json.h>

#include <almanac/tools/encoding.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/command_spec.h>
#include <almanac/engine/resource_limits.h>

#include <almanac/log/printable.h>
#include <almanac/projections/gpu_memory.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

namespace {

Result<void> add_work(ordered_json& json, const TaskSpec& task) {
  if (task.kind == command_kind) {
    auto command = decode_command(as_bytes(task.payload));
    if (!command) return std::unexpected(command.error());
    json["command"] = command->arguments;
    if (!command->working_folder.empty()) json["cwd"] = command->working_folder;
    for (const auto& [name, value] : command->environment) json["env"][name] = value;
    return {};
  }
  json["kind"] = task.kind;
  if (task.payload.empty()) return {};
  if (is_utf8(task.payload)) {
    json["payload"] = task.payload;
  } else {
    json["payload_base64"] = to_base64(as_bytes(task.payload));
  }
  return {};
}

void add_attempts(ordered_json& json, const TaskSpec& task) {
  json["priority"] = task.priority;
  json["attempts"] = task.attempts_max;
  json["backoff"] = format_duration(task.backoff.initial);
  json["backoff_max"] = format_duration(task.backoff.max);
  json["retry"] = name(task.retry_policy);
  json["crashes"] = task.crashes_max;
  if (task.timeout > Duration(0)) json["timeout"] = format_duration(task.timeout);
  if (task.version != 0) json["version"] = task.version;
}

void add_times(ordered_json& json, const TaskSpec& task) {
  if (task.run_at != Time()) json["run_at"] = format_time(task.run_at);
  if (task.deadline != Time()) json["deadline"] = format_time(task.deadline);
  if (task.estimate > Duration(0)) json["estimate"] = format_duration(task.estimate);
  if (task.expires_at != Time()) json["expires_at"] = format_time(task.expires_at);
}

// Said as it is on record: of a task that was read from there it is among the demands.
void add_gpu_memory(ordered_json& json, const TaskSpec& task) {
  for (const TaskDemand& demand : demands_of(task)) {
    if (!is_gpu_memory(demand.limit)) continue;
    json["gpu_memory"] = std::to_string(demand.units) + "MiB";
    const auto gpu = gpu_of_demand(demand.limit);
    if (!gpu.empty()) json["gpu"] = gpu;
  }
}

void add_relations(ordered_json& json, const TaskSpec& task) {
  for (std::size_t i = 0; i < task.dependencies.size(); ++i) {
    const auto* id = std::get_if<TaskId>(&task.dependencies[i]);
    if (id == nullptr) continue;
    ordered_json after{{"task", std::to_string(id->value)}};
    if (i < task.conditions.size()) after["when"] = name(task.conditions[i]);
    json["after"].push_back(std::move(after));
  }
  for (const TaskDemand& demand : task.demands) {
    if (is_gpu_memory(demand.limit)) continue;
    json["needs"][demand.limit] = demand.units;
  }
  add_gpu_memory(json, task);
  if (!task.tags.empty()) json["tags"] = task.tags;
  if (!task.owner.empty()) json["owner"] = task.owner;
  if (!task.group.empty()) json["group"] = task.group;
  if (task.after_group) {
    json["after_group"] = {{"group", task.after_group->group},
                           {"when", name(task.after_group->condition)}};
  }
}

void add_unique(ordered_json& json, const TaskSpec& task) {
  if (!task.unique) return;
  ordered_json unique{{"per_queue", task.unique->per_queue},
                      {"until", name(task.unique->until)},
                      {"on_conflict", name(task.unique->on_conflict)}};
  if (!task.unique->key.empty()) unique["key"] = task.unique->key;
  if (task.unique->within > Duration(0)) unique["within"] = format_duration(task.unique->within);
  json["unique"] = std::move(unique);
}

}  // namespace

Result<ordered_json> task_request_json(const TaskSpec& task) {
  ordered_json json = ordered_json::object();
  if (auto added = add_work(json, task); !added) return std::unexpected(added.error());
  if (!task.label.empty()) json["label"] = task.label;
  json["queue"] = task.queue;
  add_attempts(json, task);
  add_times(json, task);
  add_relations(json, task);
  add_unique(json, task);
  if (!task.idempotency_key.empty()) json["key"] = task.idempotency_key;
  return json;
}

Result<ordered_json> task_request_json(const TaskEnqueued& task) {
  TaskSpec spec{.kind = std::string(task.kind),
                .queue = std::string(task.queue),
                .label = std::string(task.label),
                .payload = std::string(as_text(task.payload)),
                .priority = task.priority,
                .attempts_max = task.attempts_max,
                .backoff = task.backoff,
                .timeout = task.timeout,
                .retry_policy = task.retry_policy};
  if (task.crashes_max > 0) spec.crashes_max = task.crashes_max;
  for (std::size_t i = 0; i < task.tags.size(); ++i) spec.tags.emplace_back(task.tags[i]);
  for (std::size_t i = 0; i < task.demands.size(); ++i) {
    spec.demands.push_back({std::string(task.demands[i].limit), task.demands[i].units});
  }
  spec.owner = task.owner;
  spec.estimate = task.estimate;
  spec.version = task.version;
  return task_request_json(spec);
}

}  // namespace almanac
