// Many tasks changed at once, decided about after a restore, and held together by groups.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/json_fields.h>
#include <almanac/tools/trial.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view change_body = "application/json";

Result<void> read_task_numbers(const ordered_json& list, std::vector<TaskId>& ids) {
  for (const ordered_json& each : list) {
    if (!list.is_array() || !each.is_number_unsigned() || each.get<std::uint64_t>() == 0) break;
    ids.emplace_back(each.get<std::uint64_t>());
  }
  if (list.is_array() && ids.size() == list.size() && !ids.empty()) return {};
  return fail(ErrorCode::invalid, "it is no list of tasks", "send their numbers, such as [1, 2]");
}

struct BulkRequest {
  ChangeTasks change;
  std::optional<std::string> where;
  bool dry_run = false;
};

Result<BulkRequest> bulk_request_of(const HttpRequest& request, TaskChange change) {
  auto json = json_body(request);
  if (!json) return std::unexpected(json.error());
  BulkRequest bulk{.change = {.ids = {}, .change = change, .reason = {}}};
  JsonFields fields(*json);
  fields.value("tasks",
               [&](const ordered_json& list) { return read_task_numbers(list, bulk.change.ids); });
  fields.text("where", bulk.where);
  fields.text("reason", bulk.change.reason);
  fields.truth("skip", bulk.change.skips);
  fields.truth("dry_run", bulk.dry_run);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (bulk.where.has_value() == bulk.change.ids.empty()) return bulk;
  return fail(ErrorCode::invalid, "it is not said which tasks, or in two ways",
              R"(send {"tasks": [1, 2]}, or {"where": "attempts > 2"})");
}

// Those that were named are all changed or none; of those for which an expression holds each that
// can be, as some will have changed meanwhile.
template <TaskChange change>
ApiResult change_tasks(const ApiCall& call) {
  auto bulk = bulk_request_of(call.request, change);
  if (!bulk) return std::unexpected(bulk.error());
  ChangeTasks& asked = bulk->change;
  if (change == TaskChange::cancel && asked.reason.empty()) asked.reason = "cancelled";
  if (bulk->where) {
    auto ids = tasks_to_change(*call.state, *bulk->where, asked);
    if (!ids) return std::unexpected(ids.error());
    asked.ids = std::move(*ids);
    asked.skips = true;
  } else if (!asked.skips && asked.ids.size() > limits::changes_max) {
    return fail(ErrorCode::invalid,
                "more than " + std::to_string(limits::changes_max) +
                    " tasks are named, which cannot be changed all or none",
                R"(send fewer, or "skip": true, or {"where": …})");
  } else if (bulk->dry_run) {
    State trial = *call.state;
    auto answer = try_out(trial, asked);
    if (!answer) return std::unexpected(answer.error());
    return json_response({{"would_change", std::get<Changed>(*answer).tasks}});
  }
  if (bulk->dry_run) return json_response({{"would_change", asked.ids.size()}});
  std::size_t changed = 0;
  for (std::size_t begin = 0; begin < asked.ids.size(); begin += limits::changes_max) {
    const auto end = std::min(begin + limits::changes_max, asked.ids.size());
    auto some = call.api.engine().change(
        change,
        {asked.ids.begin() + std::ptrdiff_t(begin), asked.ids.begin() + std::ptrdiff_t(end)},
        asked.reason, asked.skips ? Engine::Conflicts::skip : Engine::Conflicts::refuse);
    if (!some) return std::unexpected(some.error());
    changed += *some;
  }
  return json_response({{"changed", changed}});
}

template <TaskChange change>
constexpr HttpRoute bulk_row(std::string_view path, std::string_view summary) {
  return {.method = "POST",
          .path = path,
          .scope = AccessScope::operate,
          .runs = RouteRuns::on_asker,
          .handler = change_tasks<change>,
          .summary = summary,
          .body = change_body};
}

ApiResult post_reviews(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  std::vector<TaskId> ids;
  std::optional<ReviewDecision> decision;
  JsonFields fields(*json);
  fields.value("tasks", [&](const ordered_json& list) { return read_task_numbers(list, ids); });
  fields.word("decision", decision, [](std::string_view word) -> Result<ReviewDecision> {
    if (const auto found = review_decision_from(word)) return *found;
    return fail(ErrorCode::invalid, "it is no decision", "send run, skip or accept");
  });
  fields.require("tasks");
  fields.require("decision");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (!decision) return fail(ErrorCode::invalid, "it is not decided", "send run, skip or accept");
  const std::size_t count = ids.size();
  auto done = call.api.engine().review(std::move(ids), *decision);
  if (!done) return std::unexpected(done.error());
  return json_response({{"changed", count}});
}

ApiResult put_group(const ApiCall& call) {
  auto opened = call.api.engine().open_group(name_in_path(call));
  if (!opened) return std::unexpected(opened.error());
  return HttpResponse{.status = 204};
}

ApiResult close_group_of(const ApiCall& call) {
  auto closed = call.api.engine().close_group(name_in_path(call));
  if (!closed) return std::unexpected(closed.error());
  return HttpResponse{.status = 204};
}

ApiResult cancel_group_of(const ApiCall& call) {
  auto object = object_of(call.request, "reason");
  if (!object) return std::unexpected(object.error());
  auto reason = text_member_or(*object, "reason", "cancelled with its group");
  if (!reason) return std::unexpected(reason.error());
  auto cancelled = call.api.engine().cancel_group(name_in_path(call), std::move(*reason));
  if (!cancelled) return std::unexpected(cancelled.error());
  return json_response({{"changed", *cancelled}});
}

constexpr std::array task_change_table = {
    bulk_row<TaskChange::cancel>("/v1/tasks/cancel",
                                 "Cancels many `tasks`, or those `where` something holds; says "
                                 "with `dry_run` how many"),
    bulk_row<TaskChange::retry>("/v1/tasks/retry", "The same: runs failed ones again"),
    bulk_row<TaskChange::pause>("/v1/tasks/pause", "Holds those that do not run"),
    bulk_row<TaskChange::resume>("/v1/tasks/resume", "Lets them go on"),
    bulk_row<TaskChange::hasten>("/v1/tasks/hasten", "Makes delayed ones ready now"),
    bulk_row<TaskChange::forget>("/v1/tasks/forget", "Forgets those that have ended"),
    HttpRoute{
        .method = "POST",
        .path = "/v1/reviews",
        .scope = AccessScope::operate,
        .runs = RouteRuns::on_asker,
        .handler = post_reviews,
        .summary = "Decides about `tasks` that a restore holds: `decision` run, skip or accept",
        .body = change_body},
    HttpRoute{.method = "PUT",
              .path = "/v1/groups/{group}",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = put_group,
              .summary = "Opens a group, which tasks of many submissions can belong to",
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/groups/{group}/close",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = close_group_of,
              .summary = "It takes no more; what comes after it begins when all have ended",
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/groups/{group}/cancel",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = cancel_group_of,
              .summary = "Closes it and cancels its tasks, with a `reason`",
              .body = change_body},
};

}  // namespace

std::span<const HttpRoute> task_change_routes() { return task_change_table; }

}  // namespace almanac
