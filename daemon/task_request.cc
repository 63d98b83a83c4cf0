#include <almanac/daemon/task_request.h>

#include <almanac/engine/limits.h>
#include <almanac/tools/encoding.h>
#include <almanac/tools/text.h>
#include <almanac/tools/workload_task.h>
#include <almanac/tools/workload_value.h>

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace almanac {
namespace {

using workload::Checked;
using workload::fault;
using workload::Field;
using workload::Member;
using workload::TaskDraft;
using workload::Value;

// What a request can say beside the keys of workloads.
struct RequestDraft {
  TaskDraft task;
  int line = 0;
  std::string kind;
  bool has_payload = false;
};

Checked<void> take_payload(RequestDraft& draft, const Field& field) {
  if (draft.has_payload) {
    return fault(field.value.line, "there are two payloads",
                 "send either payload or payload_base64");
  }
  draft.has_payload = true;
  if (field.key == "payload") return put(read_text(field), draft.task.spec.payload);
  auto text = read_text(field);
  if (!text) return std::unexpected(std::move(text.error()));
  auto bytes = from_base64(*text);
  if (!bytes) {
    return fault(field.value.line, "'payload_base64' is no base64", "encode it with padding");
  }
  draft.task.spec.payload = std::move(*bytes);
  return {};
}

// Takes what is ours from the table, and leaves the rest to workloads.
Checked<RequestDraft> read_request(const Value& value, workload::Scope scope) {
  const auto* table = std::get_if<Value::Table>(&value.content);
  if (table == nullptr) {
    return fault(value.line, "a task must be an object", R"(send {"kind": "mail"} or the like)");
  }
  RequestDraft draft{.line = value.line};
  Value::Table rest;
  for (const Member& member : *table) {
    const Field field{member.key, member.value};
    Checked<void> read;
    if (member.key == "kind") {
      read = put(read_text(field), draft.kind);
    } else if (member.key == "label") {
      read = put(read_text(field), draft.task.spec.label);
    } else if (member.key == "key") {
      read = put(read_text(field), draft.task.spec.idempotency_key);
    } else if (member.key == "payload" || member.key == "payload_base64") {
      read = take_payload(draft, field);
    } else {
      rest.push_back(member);
    }
    if (!read) return std::unexpected(std::move(read.error()));
  }
  auto read = read_task(draft.task, rest, scope);
  if (!read) return std::unexpected(std::move(read.error()));
  return draft;
}

Checked<void> finish_payload(RequestDraft& draft) {
  TaskSpec& spec = draft.task.spec;
  const bool is_command = !draft.task.command.arguments.empty();
  if (is_command == !draft.kind.empty() || (is_command && draft.has_payload)) {
    return fault(draft.line, "the task says neither or both of a kind and a command",
                 R"(send "kind" and "payload", or "command", or "shell")");
  }
  if (!is_command) {
    if (draft.kind == command_kind) {
      return fault(draft.line, "tasks of this kind are commands", R"(send "command" or "shell")");
    }
    spec.kind = std::move(draft.kind);
    return {};
  }
  std::string& folder = draft.task.command.working_folder;
  if (folder.empty()) folder = "/";
  if (!folder.starts_with('/')) {
    return fault(draft.line, "'cwd' is no absolute path", "write it from / on");
  }
  auto payload = encode(draft.task.command);
  if (!payload) return fault(draft.line, payload.error().message, payload.error().next_step);
  spec.kind = command_kind;
  spec.payload = std::move(*payload);
  if (spec.label.empty()) spec.label = draft.task.name;
  const std::string line = shell_line(draft.task.command.arguments);
  if (spec.label.empty() && line.size() <= limits::label_bytes_max) spec.label = line;
  return {};
}

// Another task of the request by its name, or one that is there by its number.
Checked<Dependency> dependency_of(const workload::After& after,
                                  const std::map<std::string, std::size_t>& places) {
  if (after.is_tag) {
    return fault(after.line, "nothing here comes after a tag", "name tasks, by number or name");
  }
  std::uint64_t number = 0;
  const char* end = after.text.data() + after.text.size();
  const auto parsed = std::from_chars(after.text.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end && number > 0) return TaskId(number);
  const auto found = places.find(after.text);
  if (found != places.end()) return InBatch{found->second};
  return fault(after.line, fmt::format("no task in front of this one is called '{}'", after.text),
               "write those first that others come after, or a task's number as a text");
}

Checked<TaskSpec> finish_request(RequestDraft draft, Time now,
                                 const std::map<std::string, std::size_t>& places) {
  TaskSpec& spec = draft.task.spec;
  if (auto finished = finish_payload(draft); !finished) {
    return std::unexpected(std::move(finished.error()));
  }
  if (spec.label.empty()) spec.label = draft.task.name;
  if (draft.task.delay) spec.run_at = now + *draft.task.delay;
  if (draft.task.expires) spec.expires_at = now + *draft.task.expires;
  for (const workload::After& after : draft.task.after) {
    auto dependency = dependency_of(after, places);
    if (!dependency) return std::unexpected(std::move(dependency.error()));
    spec.dependencies.push_back(*dependency);
    spec.conditions.push_back(after.condition);
  }
  return std::move(spec);
}

Checked<std::vector<TaskSpec>> read_lines(std::string_view lines, Time now,
                                          workload::Scope scope = workload::Scope::task) {
  std::vector<TaskSpec> tasks;
  std::map<std::string, std::size_t> places;
  const workload::Sink sink{
      .head = [](const Value::Table& head) -> Checked<void> {
        if (head.empty()) return {};
        return fault(1, "there is nothing but tasks here", "leave out 'workload'");
      },
      .task = [&](const Value& value) -> Checked<void> {
        if (tasks.size() == limits::submission_tasks_max) {
          return fault(value.line,
                       fmt::format("over the limit of {} tasks", limits::submission_tasks_max),
                       "send several requests");
        }
        auto draft = read_request(value, scope);
        if (!draft) return std::unexpected(std::move(draft.error()));
        const std::string name = draft->task.name;
        auto task = finish_request(std::move(*draft), now, places);
        if (!task) return std::unexpected(std::move(task.error()));
        if (!name.empty() && !places.emplace(name, tasks.size()).second) {
          return fault(value.line, fmt::format("two tasks are called '{}'", name),
                       "give each a name of its own");
        }
        tasks.push_back(std::move(*task));
        return {};
      }};
  auto read = workload::read_json_lines(lines, sink);
  if (!read) return std::unexpected(std::move(read.error()));
  return tasks;
}

}  // namespace

Result<std::vector<TaskSpec>> read_task_requests(std::string_view lines, Time now) {
  auto tasks = read_lines(lines, now);
  if (!tasks) {
    return fail(ErrorCode::invalid,
                fmt::format("line {}: {}", tasks.error().line, tasks.error().message),
                tasks.error().next_step);
  }
  if (tasks->empty()) {
    return fail(ErrorCode::invalid, "there is no task", "send one JSON object on each line");
  }
  return std::move(*tasks);
}

// Between the parts of JSON a line's end is a space, and inside of texts it cannot stand.
Result<TaskSpec> read_task_request(std::string_view json, Time now) {
  std::string line(json);
  std::ranges::replace(line, '\n', ' ');
  auto tasks = read_lines(line, now);
  if (!tasks) return fail(ErrorCode::invalid, tasks.error().message, tasks.error().next_step);
  if (tasks->size() == 1) return std::move(tasks->front());
  return fail(ErrorCode::invalid, "there is no task", R"(send {"kind": "mail"} or the like)");
}

// Unlike the keys of workloads, that of a submission is none that could be left out there.
Result<TaskSpec> read_scheduled_task(std::string_view json) {
  auto tasks = read_lines(json, Time(), workload::Scope::schedule);
  if (!tasks) return fail(ErrorCode::invalid, tasks.error().message, tasks.error().next_step);
  if (tasks->size() != 1) {
    return fail(ErrorCode::invalid, "there is no task", R"(send {"kind": "mail"} or the like)");
  }
  if (tasks->front().idempotency_key.empty()) return std::move(tasks->front());
  return fail(ErrorCode::invalid, "'key' is nothing that a schedule can say", "leave it out");
}

Error empty_key() {
  return {ErrorCode::invalid, "the Idempotency-Key is empty",
          "send one of 1 to 512 bytes, or leave the header out"};
}

void add_idempotency_keys(std::vector<TaskSpec>& tasks, const std::string& key) {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].idempotency_key.empty()) {
      tasks[i].idempotency_key = tasks.size() == 1 ? key : fmt::format("{}/{}", key, i);
    }
  }
}

}  // namespace almanac
