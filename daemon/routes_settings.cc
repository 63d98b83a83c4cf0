// Settings by which work is let through: of queues, kinds, schedules, limits and circuits. What the
// reading routes answer can be sent back.
#include <almanac/daemon/http_api.h>
#include <almanac/daemon/task_request.h>

#include <almanac/tools/json_fields.h>
#include <almanac/tools/setting_json.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view setting_body = "application/json";

ApiResult nothing_but(Result<void> done) {
  if (!done) return std::unexpected(std::move(done.error()));
  return HttpResponse{.status = 204};
}

ApiResult put_queue(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto setting = queue_setting_of(name_in_path(call), *json);
  if (!setting) return std::unexpected(setting.error());
  if (queue_setting_json(*setting).empty()) {
    return fail(ErrorCode::invalid, "there is nothing to set", "send {\"slots\": 4} or the like");
  }
  return nothing_but(call.api.engine().configure_queue(std::move(*setting)));
}

template <bool pauses>
ApiResult pause_kind(const ApiCall& call) {
  Engine& engine = call.api.engine();
  return nothing_but(pauses ? engine.pause(PauseScope::kind, name_in_path(call))
                            : engine.resume(PauseScope::kind, name_in_path(call)));
}

ApiResult put_limit(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto setting = limit_setting_of(*json);
  if (!setting) return std::unexpected(setting.error());
  return nothing_but(call.api.engine().configure_limit(name_in_path(call), *setting));
}

ApiResult delete_limit(const ApiCall& call) {
  return nothing_but(call.api.engine().configure_limit(name_in_path(call), {}));
}

ApiResult put_circuit_setting(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto setting = circuit_setting_of(*json);
  if (!setting) return std::unexpected(setting.error());
  return nothing_but(call.api.engine().configure_circuit(name_in_path(call), *setting));
}

ApiResult delete_circuit_setting(const ApiCall& call) {
  CircuitSetting lifted;
  lifted.probes = 0;
  return nothing_but(call.api.engine().configure_circuit(name_in_path(call), lifted));
}

ApiResult put_schedule(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto schedule = schedule_setting_of(name_in_path(call), *json);
  if (!schedule) return std::unexpected(schedule.error());
  auto task = read_scheduled_task((*json)["enqueues"].dump());
  if (!task) return std::unexpected(task.error());
  schedule->task = std::move(*task);
  return nothing_but(call.api.engine().define_schedule(std::move(*schedule)));
}

constexpr std::array setting_table = {
    HttpRoute{.method = "PUT",
              .path = "/v1/queues/{queue}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = put_queue,
              .summary = "Sets its `slots`, its `policy` with what belongs to it, and how long its "
                         "tasks are kept",
              .body = setting_body,
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/kinds/{kind}/pause",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = pause_kind<true>,
              .summary = "No attempt of this kind begins any more",
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/kinds/{kind}/resume",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = pause_kind<false>,
              .summary = "They do again",
              .success = 204},
    HttpRoute{.method = "PUT",
              .path = "/v1/schedules/{schedule}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = put_schedule,
              .summary = "There is this schedule: `recurrence`, the task it `enqueues`, `missed`, "
                         "`window`, `overlap`",
              .body = setting_body,
              .success = 204},
    HttpRoute{.method = "PUT",
              .path = "/v1/limits/{limit}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = put_limit,
              .summary = "Sets `units`, or `per_minute` and `burst`, or both",
              .body = setting_body,
              .success = 204},
    HttpRoute{.method = "DELETE",
              .path = "/v1/limits/{limit}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = delete_limit,
              .summary = "Lifts it",
              .success = 204},
    HttpRoute{.method = "PUT",
              .path = "/v1/circuits/{service}/setting",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = put_circuit_setting,
              .summary = "How it moves: what is its `setting` in answers",
              .body = setting_body,
              .success = 204},
    HttpRoute{.method = "DELETE",
              .path = "/v1/circuits/{service}/setting",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = delete_circuit_setting,
              .summary = "Lifts that: the default goes for it again",
              .success = 204},
};

}  // namespace

std::span<const HttpRoute> setting_routes() { return setting_table; }

}  // namespace almanac
