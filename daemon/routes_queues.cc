// Queues, schedules, limits: how work is let through.
#include <almanac/daemon/http_api.h>

#include <almanac/projections/lane_claims.h>
#include <almanac/tools/queue_json.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/task_request_json.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ordered_json queue_entry(const State& state, std::string_view queue, const QueueCounts& counts) {
  ordered_json json = queue_json(state, queue, counts);
  const auto id = state.names.find(queue);
  json["paused"] = id && state.pauses.all.contains(PausedWork{PauseScope::queue, *id});
  return json;
}

ApiResult get_queues(const ApiCall& call) {
  ordered_json items = ordered_json::array();
  for (const auto& [queue, counts] : call.api.tally().of(*call.state)) {
    items.push_back(queue_entry(*call.state, queue, counts));
  }
  return items_response(std::move(items));
}

ApiResult get_queue(const ApiCall& call) {
  const auto queues = call.api.tally().of(*call.state);
  const auto found = queues.find(name_in_path(call));
  if (found != queues.end()) {
    return json_response(queue_entry(*call.state, found->first, found->second));
  }
  return fail(ErrorCode::not_found, "there is no queue of this name",
              "GET /v1/queues lists those there are");
}

template <bool pauses>
ApiResult pause_queue(const ApiCall& call) {
  Engine& engine = call.api.engine();
  auto done = pauses ? engine.pause(PauseScope::queue, name_in_path(call))
                     : engine.resume(PauseScope::queue, name_in_path(call));
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

ApiResult get_schedules(const ApiCall& call) {
  const State& state = *call.state;
  ordered_json items = ordered_json::array();
  for (const auto& [id, schedule] : state.schedules.all) {
    ordered_json json{{"schedule", state.names.text(id)}};
    json.update(schedule_json(schedule));
    json["label"] = schedule.definition->task.label;
    json["queue"] = schedule.definition->task.queue;
    if (auto task = task_request_json(schedule.definition->task)) {
      json["enqueues"] = std::move(*task);
    }
    items.push_back(std::move(json));
  }
  return items_response(std::move(items));
}

template <ScheduleChange change>
ApiResult change_schedule(const ApiCall& call) {
  Engine& engine = call.api.engine();
  const std::string name = name_in_path(call);
  auto object = object_of(call.request, change == ScheduleChange::pause ? "reason" : "");
  if (!object) return std::unexpected(object.error());
  auto reason = text_member_or(*object, "reason", {});
  if (!reason) return std::unexpected(reason.error());
  Result<void> done;
  if constexpr (change == ScheduleChange::pause) done = engine.pause_schedule(name, *reason);
  if constexpr (change == ScheduleChange::resume) done = engine.resume_schedule(name);
  if constexpr (change == ScheduleChange::remove) done = engine.remove_schedule(name);
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

ApiResult get_limits(const ApiCall& call) {
  const State& state = *call.state;
  ordered_json items = ordered_json::array();
  for (const auto& [limit, setting] : state.limits.settings) {
    ordered_json json{{"limit", state.names.text(limit)}};
    if (setting.units > 0) json["units"] = setting.units;
    json["used"] = units_in_use(state, limit);
    if (setting.per_minute > 0) {
      json["per_minute"] = setting.per_minute;
      json["burst"] = setting.burst;
    }
    json["waiting"] = tasks_waiting_for(state, limit);
    items.push_back(std::move(json));
  }
  return items_response(std::move(items));
}

constexpr std::array queue_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/queues",
              .runs = RouteRuns::on_reader,
              .handler = get_queues,
              .summary = "Queues, with what is in them",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/queues/{queue}",
              .runs = RouteRuns::on_reader,
              .handler = get_queue,
              .summary = "One of them",
              .parameters = "at"},
    HttpRoute{.method = "POST",
              .path = "/v1/queues/{queue}/pause",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = pause_queue<true>,
              .summary = "No attempt of it begins any more",
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/queues/{queue}/resume",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = pause_queue<false>,
              .summary = "They do again",
              .success = 204},
    HttpRoute{.method = "GET",
              .path = "/v1/schedules",
              .handler = get_schedules,
              .summary = "What is enqueued again and again",
              .parameters = "at"},
    HttpRoute{.method = "POST",
              .path = "/v1/schedules/{schedule}/pause",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = change_schedule<ScheduleChange::pause>,
              .summary = "Its instants pass",
              .body = "application/json",
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/schedules/{schedule}/resume",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = change_schedule<ScheduleChange::resume>,
              .summary = "They do no longer",
              .success = 204},
    HttpRoute{.method = "DELETE",
              .path = "/v1/schedules/{schedule}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = change_schedule<ScheduleChange::remove>,
              .summary = "Removes it; what it has enqueued stays",
              .success = 204},
    HttpRoute{.method = "GET",
              .path = "/v1/limits",
              .handler = get_limits,
              .summary = "What tasks share, and how much of it is in use",
              .parameters = "at"},
};

}  // namespace

std::span<const HttpRoute> queue_routes() { return queue_table; }

}  // namespace almanac
