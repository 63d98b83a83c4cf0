#include <almanac/tools/task_json.h>

#include <almanac/tools/task_event.h>
#include <almanac/tools/terms_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/command_spec.h>
#include <almanac/projections/gpu_memory.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

namespace {

struct TaskSource {
  const Log& log;
  const State& state;
};

std::string attempt_text(Bytes bytes) { return std::string(as_text(bytes)); }

void describe_request(ordered_json& json, const TaskEnqueued& event) {
  json["label"] = event.label;
  json["kind"] = event.kind;
  json["queue"] = event.queue;
  json["priority"] = event.priority;
  for (std::size_t i = 0; i < event.tags.size(); ++i) json["tags"].push_back(event.tags[i]);
  for (std::size_t i = 0; i < event.dependencies.size(); ++i) {
    json["after"].push_back(event.dependencies[i].value);
    if (!event.conditions.empty()) json["when"].push_back(name(event.conditions[i]));
  }
  if (event.retry_policy != RetryPolicy()) json["retry"] = name(event.retry_policy);
  if (event.timeout > Duration(0)) json["timeout"] = format_duration(event.timeout);
  if (event.kind != command_kind) {
    json["payload_bytes"] = event.payload.size();
    return;
  }
  if (auto spec = decode_command(event.payload)) {
    json["command"] = shell_line(spec->arguments);
    if (!spec->working_folder.empty()) json["folder"] = spec->working_folder;
  }
}

// What it asks for, in the words of a request, and which GPU has given it.
void describe_gpu_memory(ordered_json& json, const State& state, TaskId id) {
  const DemandsId* asked = state.tasks.demands.find(id);
  if (asked == nullptr) return;
  for (const LimitDemand& demand : state.tasks.demand_sets.of(*asked)) {
    const std::string_view limit = state.names.text(demand.limit);
    if (!is_gpu_memory(limit)) continue;
    json["gpu_memory"] = std::to_string(demand.units) + "MiB";
    const auto wanted = gpu_of_demand(limit);
    if (!wanted.empty()) json["gpu"] = wanted;
  }
  if (const GpuPlace* place = state.tasks.on_gpu.find(id)) {
    json["gpu"] = state.names.text(place->gpu);
  }
}

void describe_state(ordered_json& json, const TaskSource& source, TaskId id, const Task& task) {
  json["state"] = name(task.state);
  json["attempts"] = task.attempts;
  json["failures"] = task.failures;
  json["attempts_max"] = task.attempts_max;
  json["enqueued_at"] = format_time(task.enqueued_at);
  if (task.state == TaskState::delayed) json["run_at"] = format_time(task.run_at);
  if (task.attempts > 0) json["started_at"] = format_time(task.started_at);
  if (has_ended(task.state)) json["ended_at"] = format_time(task.ended_at);
  add_terms(json, source.state, id);
  if (task.lease) json["lease"] = task.lease.value;
  if (const NameId* used = source.state.tasks.run_by.find(id)) {
    json["run_by"] = source.state.names.text(*used);
  }
  if (const RemoteLease* lease = source.state.tasks.remote.find(id)) {
    json["worker"] = lease->worker.view();
    json["lease_time"] = format_duration(lease->time);
  }
  describe_gpu_memory(json, source.state, id);
  if (const Hold* hold = source.state.tasks.held.find(id)) {
    json[hold->reason == HoldReason::paused ? "held" : "review"] = known_text(*hold);
  }
  if (const auto* crashes = source.state.tasks.crashes.find(id)) json["crashes"] = *crashes;
  const auto& dependents = source.state.tasks.dependents;
  for (auto entry = dependents.lower_bound(DependencyKey{id, TaskId()});
       entry != dependents.end() && (*entry).dependency == id; ++entry) {
    json["awaited_by"].push_back((*entry).dependent.value);
  }
}

// What it has told of how far it is.
Result<void> describe_progress(ordered_json& json, const TaskSource& source, TaskId id) {
  const TaskProgress* progress = source.state.tasks.progress.find(id);
  if (progress == nullptr) return {};
  json["progress"] = fmt::format("{}.{} %", progress->permille / 10, progress->permille % 10);
  json["progress_at"] = format_time(progress->at);
  return source.log.read_one(progress->told, [&](const Event& event) {
    const auto& told = std::get<TaskProgressed>(event.body);
    if (!told.message.empty()) json["progress_message"] = told.message;
    if (!told.partial.empty()) json["partial"] = attempt_text(told.partial);
  });
}

void describe_end(ordered_json& json, const EventBody& body) {
  if (const auto* cancelled = std::get_if<TaskCancelled>(&body)) {
    json["reason"] = cancelled->reason;
  }
  if (std::holds_alternative<TaskAccepted>(body)) json["reason"] = "accepted in review";
  const AttemptEnd* end = attempt_end_in(body);
  if (end == nullptr) return;
  if (!end->message.empty()) json["message"] = end->message;
  if (!end->result.empty()) json["result"] = attempt_text(end->result);
  if (!end->output.empty()) json["output"] = attempt_text(end->output);
  if (end->output_dropped > 0) json["output_dropped"] = end->output_dropped;
}

}  // namespace

ordered_json task_summary_json(const State& state, TaskId id, const Task& task,
                               std::string_view label) {
  ordered_json json{{"id", id.value},
                    {"label", label},
                    {"state", name(task.state)},
                    {"queue", state.names.text(task.queue)},
                    {"kind", state.names.text(task.kind)},
                    {"priority", task.priority},
                    {"attempts", task.attempts},
                    {"failures", task.failures},
                    {"attempts_max", task.attempts_max},
                    {"enqueued_at", format_time(task.enqueued_at)}};
  if (task.state == TaskState::delayed) json["run_at"] = format_time(task.run_at);
  if (task.attempts > 0) json["started_at"] = format_time(task.started_at);
  if (has_ended(task.state)) json["ended_at"] = format_time(task.ended_at);
  add_terms(json, state, id);
  if (const RemoteLease* lease = state.tasks.remote.find(id)) {
    json["worker"] = lease->worker.view();
  }
  return json;
}

Result<std::string> task_label(const Log& log, const Task& task) {
  std::string label;
  auto read = log.read_one(task.enqueued,
                           [&](const Event& event) { label = request_in(event.body).label; });
  if (!read && read.error().code != ErrorCode::not_found) return std::unexpected(read.error());
  return label;
}

Result<ordered_json> task_detail_json(const Log& log, const State& state, TaskId id) {
  const TaskSource source{log, state};
  const Task& task = *state.tasks.all.find(id);
  ordered_json json{{"id", id.value}};
  auto read = log.read_one(
      task.enqueued, [&](const Event& event) { describe_request(json, request_in(event.body)); });
  if (!read && read.error().code == ErrorCode::not_found) {
    return fail(
        ErrorCode::not_found,
        fmt::format("the part of the log with the request of task {} was removed", id.value),
        "`almanac list` shows what is still known of it");
  }
  if (!read) return std::unexpected(read.error());
  describe_state(json, source, id, task);
  read = describe_progress(json, source, id);
  if (!read) return std::unexpected(read.error());
  read = log.read_one(task.changed, [&](const Event& event) { describe_end(json, event.body); });
  if (!read) return std::unexpected(read.error());
  return json;
}

}  // namespace almanac
