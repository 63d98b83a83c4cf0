// Tasks: asked for, looked at, changed.
#include <almanac/daemon/http_api.h>
#include <almanac/daemon/task_request.h>

#include <almanac/tools/source.h>
#include <almanac/tools/task_filter.h>
#include <almanac/tools/task_json.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view task_body = "application/json";
constexpr std::string_view tasks_body = "application/json application/x-ndjson application/jsonl";

// Goes through the tasks behind `after` that may match, by number, until it is told to stop: with a
// tag those that have it, else all of them, but no further than the last in the states asked for.
void visit_candidates(const State& state, const TaskFilter& filter, TaskId after,
                      const std::function<bool(TaskId, const Task&)>& visit) {
  if (filter.nothing) return;
  const Tasks& tasks = state.tasks;
  if (filter.tag) {
    for (auto key = tasks.tagged.lower_bound(TagKey{*filter.tag, TaskId(after.value + 1)});
         key != tasks.tagged.end() && key->tag == *filter.tag; ++key) {
      if (!visit(key->id, *tasks.all.find(key->id))) return;
    }
    return;
  }
  std::uint64_t left = filter.states.empty() ? tasks.all.size() : 0;
  for (const TaskState each : filter.states) left += tasks.count(each);
  for (auto entry = tasks.all.lower_bound(TaskId(after.value + 1));
       left > 0 && entry != tasks.all.end(); ++entry) {
    const auto& [id, task] = *entry;
    const bool is_asked_for = filter.states.empty() ||
                              std::ranges::find(filter.states, task.state) != filter.states.end();
    if (!is_asked_for) continue;
    --left;
    if (!visit(id, task)) return;
  }
}

ApiResult get_tasks(const ApiCall& call) {
  const State& state = *call.state;
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  auto filter = make_task_filter(state, {.states = texts_parameter(call, "state"),
                                         .queue = text_parameter(call, "queue"),
                                         .kind = text_parameter(call, "kind"),
                                         .tag = text_parameter(call, "tag"),
                                         .where = text_parameter(call, "where")});
  if (!filter) return std::unexpected(filter.error());
  ordered_json items = ordered_json::array();
  std::uint64_t last = 0;
  bool has_more = false;
  Result<void> read;
  visit_candidates(state, *filter, TaskId(page->after), [&](TaskId id, const Task& task) {
    if (!filter->matches(state, id, task)) return true;
    has_more = items.size() == page->limit;
    if (has_more) return false;
    auto label = task_label(call.api.log(), task);
    if (!label) {
      read = std::unexpected(label.error());
      return false;
    }
    items.push_back(task_summary_json(state, id, task, *label));
    last = id.value;
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return items_response(std::move(items), has_more ? last : 0);
}

// As an ETag: the position of the last event that changed the task.
std::string version_tag(Position changed) { return "\"" + std::to_string(changed.value) + "\""; }

struct NamedTask {
  TaskId id;
  const Task* task;
};

Result<NamedTask> find_task(const ApiCall& call) {
  auto number = number_of(call, "task");
  if (!number) return std::unexpected(number.error());
  const TaskId id(*number);
  const Task* task = call.state->tasks.all.find(id);
  if (task != nullptr) return NamedTask{id, task};
  auto error = no_task(*call.state, id, text_parameter(call, "at"));
  error.next_step = "GET /v1/tasks lists those there are";
  return std::unexpected(std::move(error));
}

Result<std::string> output_of(const Log& log, const Task& task) {
  std::string output;
  auto read = log.read_one(task.changed, [&](const Event& event) {
    const AttemptEnd* end = attempt_end_in(event.body);
    if (end != nullptr) output = as_text(end->output);
  });
  if (!read) return std::unexpected(read.error());
  return output;
}

ApiResult get_task(const ApiCall& call) {
  auto found = find_task(call);
  if (!found) return std::unexpected(found.error());
  auto wants_output = truth_parameter(call, "output");
  if (!wants_output) return std::unexpected(wants_output.error());
  if (*wants_output) {
    auto output = output_of(call.api.log(), *found->task);
    if (!output) return std::unexpected(output.error());
    return HttpResponse{.type = "application/octet-stream", .body = std::move(*output)};
  }
  auto json = task_detail_json(call.api.log(), *call.state, found->id);
  if (!json) return std::unexpected(json.error());
  auto response = json_response(*json);
  response.headers.emplace_back("ETag", version_tag(found->task->changed));
  return response;
}

std::string_view outcome_name(SubmitOutcome outcome) {
  switch (outcome) {
    case SubmitOutcome::enqueued: return "enqueued";
    case SubmitOutcome::same_key: return "same_key";
    case SubmitOutcome::existing: return "existing";
    case SubmitOutcome::skipped: return "skipped";
  }
  return "enqueued";
}

ordered_json submitted_json(const Submitted& submitted) {
  ordered_json json{{"id", submitted.id.value}, {"outcome", outcome_name(submitted.outcome)}};
  if (submitted.replaced) json["replaced"] = submitted.replaced.value;
  return json;
}

HttpResponse one_submitted(const Submitted& submitted) {
  auto response = json_response(submitted_json(submitted), submitted.existed() ? 200 : 201);
  response.headers.emplace_back("Location", "/v1/tasks/" + std::to_string(submitted.id.value));
  return response;
}

// As items_response() of submitted_json() writes it, without a tree of 100,000 objects: this is the
// engine's thread.
HttpResponse all_submitted(const std::vector<Submitted>& submitted) {
  std::string items;
  bool is_new = false;
  for (const Submitted& each : submitted) {
    items += items.empty() ? R"({"id":)" : R"(,{"id":)";
    items += std::to_string(each.id.value);
    items.append(R"(,"outcome":")").append(outcome_name(each.outcome)).append("\"");
    if (each.replaced) items += R"(,"replaced":)" + std::to_string(each.replaced.value);
    items += '}';
    is_new = is_new || !each.existed();
  }
  return {.status = is_new ? 201 : 200, .body = R"({"items":[)" + items + "],\"next\":null}\n"};
}

// Each line has a key of its own, so that one more or one fewer would be new work and no other
// content. As far as is on disk: requests that differ and come at once are both taken.
Result<void> check_same_lines(const State& state, const std::vector<TaskSpec>& tasks,
                              const std::string& key) {
  const auto is_known = [&](std::size_t line) {
    return state.tasks.keys.contains(fmt::format("{}/{}", key, line));
  };
  const std::size_t count = tasks.size();
  const bool was_one = state.tasks.keys.contains(key);
  const bool was_many = is_known(0);
  const bool is_last_ours = tasks.back().idempotency_key.empty();
  bool is_other = count == 1 ? was_many : was_one || is_known(count);
  is_other = is_other || (count > 1 && was_many && is_last_ours && !is_known(count - 1));
  if (!is_other) return {};
  return fail(ErrorCode::conflict,
              fmt::format("the key '{}' stands for another number of tasks", key),
              "submit them under another key, or as they were");
}

Result<void> use_key_of(const ApiCall& call, std::vector<TaskSpec>& tasks) {
  const std::string* key = call.request.header("idempotency-key");
  if (key == nullptr) return {};
  if (key->empty()) return std::unexpected(empty_key());
  const auto state = call.api.engine().state();
  if (auto checked = check_same_lines(*state, tasks, *key); !checked) return checked;
  add_idempotency_keys(tasks, *key);
  return {};
}

// One of them is refused, and so are all.
void post_tasks(const ApiCall& call, const HttpReply& reply) {
  const std::string type = call.request.media_type();
  const bool is_one = type.empty() || type == task_body;
  Result<std::vector<TaskSpec>> tasks;
  if (is_one) {
    auto task = read_task_request(call.request.body, system_time());
    if (!task) return reply.send(problem(task.error()));
    tasks->push_back(std::move(*task));
  } else {
    tasks = read_task_requests(call.request.body, system_time());
    if (!tasks) return reply.send(problem(tasks.error()));
  }
  if (auto keyed = use_key_of(call, *tasks); !keyed) return reply.send(problem(keyed.error()));
  call.api.engine().submit(
      std::move(*tasks), [reply, is_one](Result<std::vector<Submitted>> submitted) {
        if (!submitted) return reply.send(problem(submitted.error()));
        reply.send(is_one ? one_submitted(submitted->front()) : all_submitted(*submitted));
      });
}

Result<std::string> reason_of(const ApiCall& call, std::string otherwise) {
  auto body = object_of(call.request, "reason");
  if (!body) return std::unexpected(body.error());
  if (!body->contains("reason")) return otherwise;
  return text_member(*body, "reason");
}

// Which event has to be the last that changed it; none = whatever it is. Errors: invalid.
Result<std::optional<Position>> expected_version(const ApiCall& call) {
  const std::string* tag = call.request.header("if-match");
  if (tag == nullptr || *tag == "*") return std::optional<Position>();
  std::uint64_t number = 0;
  const char* end = tag->data() + tag->size();
  const bool is_quoted = tag->size() > 2 && tag->starts_with('"') && tag->ends_with('"');
  if (is_quoted) {
    const auto [stop, error] = std::from_chars(tag->data() + 1, end - 1, number);
    if (error == std::errc() && stop == end - 1) return std::optional(Position(number));
  }
  return fail(ErrorCode::invalid, "If-Match names no version of a task",
              "send the ETag of GET /v1/tasks/{id} as it came, such as \"17\"");
}

// A conflict with what was expected is said as HTTP has it.
HttpResponse unchanged_task(const Error& error, bool had_expectation) {
  return problem(error, had_expectation && error.code == ErrorCode::conflict ? 412 : 0);
}

ApiResult cancel_task(const ApiCall& call) {
  auto found = find_task(call);
  if (!found) return std::unexpected(found.error());
  auto expected = expected_version(call);
  if (!expected) return std::unexpected(expected.error());
  auto reason = reason_of(call, "cancelled");
  if (!reason) return std::unexpected(reason.error());
  auto cancelled = call.api.engine().cancel(found->id, std::move(*reason), *expected);
  if (!cancelled) return unchanged_task(cancelled.error(), expected->has_value());
  const auto state = call.api.engine().state();
  const Task* task = state->tasks.all.find(found->id);
  return json_response(
      {{"id", found->id.value}, {"state", task == nullptr ? "cancelled" : name(task->state)}});
}

template <TaskChange change>
ApiResult change_task(const ApiCall& call) {
  auto found = find_task(call);
  if (!found) return std::unexpected(found.error());
  auto reason = reason_of(call, {});
  if (!reason) return std::unexpected(reason.error());
  auto expected = expected_version(call);
  if (!expected) return std::unexpected(expected.error());
  auto changed = call.api.engine().change(change, {found->id}, std::move(*reason),
                                          Engine::Conflicts::refuse, *expected);
  if (!changed) return unchanged_task(changed.error(), expected->has_value());
  const auto state = call.api.engine().state();
  const Task* task = state->tasks.all.find(found->id);
  return json_response(
      {{"id", found->id.value}, {"state", task == nullptr ? "gone" : name(task->state)}});
}

constexpr std::array task_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/tasks",
              .runs = RouteRuns::on_reader,
              .handler = get_tasks,
              .summary = "Tasks, by number",
              .parameters = "state queue kind tag where limit page at"},
    HttpRoute{.method = "POST",
              .path = "/v1/tasks",
              .scope = AccessScope::submit,
              .act = post_tasks,
              .summary = "Submits one task, or with JSON Lines all of them or none",
              .body = tasks_body,
              .success = 201},
    HttpRoute{.method = "GET",
              .path = "/v1/tasks/{id}",
              .handler = get_task,
              .summary = "One task, with its request and how it ended",
              .parameters = "output at",
              .holds = std::chrono::hours(1)},
    HttpRoute{.method = "DELETE",
              .path = "/v1/tasks/{id}",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = cancel_task,
              .summary = "Cancels it; one that runs is told to stop"},
    HttpRoute{.method = "POST",
              .path = "/v1/tasks/{id}/cancel",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = cancel_task,
              .summary = "The same, with a `reason`",
              .body = task_body},
    HttpRoute{.method = "POST",
              .path = "/v1/tasks/{id}/retry",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = change_task<TaskChange::retry>,
              .summary = "Runs a failed task again, with all its attempts",
              .body = task_body},
    HttpRoute{.method = "POST",
              .path = "/v1/tasks/{id}/pause",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = change_task<TaskChange::pause>,
              .summary = "Holds a task that does not run",
              .body = task_body},
    HttpRoute{.method = "POST",
              .path = "/v1/tasks/{id}/resume",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = change_task<TaskChange::resume>,
              .summary = "Lets it go on",
              .body = task_body},
    HttpRoute{.method = "POST",
              .path = "/v1/tasks/{id}/hasten",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = change_task<TaskChange::hasten>,
              .summary = "Makes a delayed task ready now",
              .body = task_body},
    HttpRoute{.method = "POST",
              .path = "/v1/tasks/{id}/forget",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = change_task<TaskChange::forget>,
              .summary = "Forgets one that has ended, before its time",
              .body = task_body},
};

}  // namespace

std::span<const HttpRoute> task_routes() { return task_table; }

}  // namespace almanac
