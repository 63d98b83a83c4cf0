#include <almanac/tools/commands.h>
#include <almanac/tools/event_text.h>
#include <almanac/tools/source.h>
#include <almanac/tools/task_event.h>
#include <almanac/tools/terms_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/command_spec.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::string text_of(Bytes bytes) { return std::string(as_text(bytes)); }

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

void describe_state(ordered_json& json, const Source& source, TaskId id, const Task& task) {
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
Result<void> describe_progress(ordered_json& json, const Source& source, TaskId id) {
  const TaskProgress* progress = source.state.tasks.progress.find(id);
  if (progress == nullptr) return {};
  json["progress"] = fmt::format("{}.{} %", progress->permille / 10, progress->permille % 10);
  json["progress_at"] = format_time(progress->at);
  return source.log->read_one(progress->told, [&](const Event& event) {
    const auto& told = std::get<TaskProgressed>(event.body);
    if (!told.message.empty()) json["progress_message"] = told.message;
    if (!told.partial.empty()) json["partial"] = text_of(told.partial);
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
  if (!end->result.empty()) json["result"] = text_of(end->result);
  if (!end->output.empty()) json["output"] = text_of(end->output);
  if (end->output_dropped > 0) json["output_dropped"] = end->output_dropped;
}

std::string plain_text(const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const auto& element : value) text += (text.empty() ? "" : ", ") + plain_text(element);
  return text;
}

// Output is shown as lines, everything else as one escaped line.
void print_plain(const ordered_json& json) {
  for (const auto& [key, value] : json.items()) {
    auto text = plain_text(value);
    if (key != "output") {
      fmt::print("{:<13} {}\n", key, printable(text));
      continue;
    }
    fmt::print("output\n");
    for (std::size_t begin = 0; begin < text.size();) {
      auto end = std::min(text.find('\n', begin), text.size());
      fmt::print("  {}\n", printable(std::string_view(text).substr(begin, end - begin)));
      begin = end + 1;
    }
  }
}

Result<void> write_output(const Source& source, const Task& task) {
  return source.log->read_one(task.changed, [](const Event& event) {
    const AttemptEnd* end = attempt_end_in(event.body);
    if (end != nullptr) std::fwrite(end->output.data(), 1, end->output.size(), stdout);
  });
}

}  // namespace

ExitCode show(const ShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  TaskId id(command.id);
  const Task* task = source->state.tasks.all.find(id);
  if (task == nullptr) {
    return report(no_task(source->state, id, command.at));
  }
  if (command.output) {
    auto written = write_output(*source, *task);
    return written ? ExitCode::ok : report(written.error());
  }
  ordered_json json{{"id", command.id}};
  auto read = source->log->read_one(
      task->enqueued, [&](const Event& event) { describe_request(json, request_in(event.body)); });
  if (!read && read.error().code == ErrorCode::not_found) {
    return report(
        {ErrorCode::not_found,
         fmt::format("the part of the log with the request of task {} was removed", command.id),
         "`almanac list` shows what is still known of it"});
  }
  if (!read) return report(read.error());
  describe_state(json, *source, id, *task);
  read = describe_progress(json, *source, id);
  if (!read) return report(read.error());
  read = source->log->read_one(task->changed,
                               [&](const Event& event) { describe_end(json, event.body); });
  if (!read) return report(read.error());
  if (command.json) {
    fmt::print("{}\n", json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    print_plain(json);
  }
  return ExitCode::ok;
}

}  // namespace almanac
