// Models: registered, changed, loaded and unloaded.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/json_fields.h>
#include <almanac/tools/setting_json.h>

#include <nlohmann/json.hpp>

#include <array>
#include <limits>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view model_body = "application/json";
constexpr Duration load_time_default = std::chrono::minutes(2);

ApiResult put_model(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto model = model_setting_of(name_in_path(call), *json);
  if (!model) return std::unexpected(model.error());
  auto done = call.api.engine().register_model(std::move(*model));
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

ApiResult change_model_of(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  ChangeModel change{.model = name_in_path(call)};
  JsonFields fields(*json);
  fields.truth("pinned", change.is_pinned);
  fields.number("priority", change.priority,
                {.min = std::numeric_limits<std::int32_t>::min(),
                 .max = std::numeric_limits<std::int32_t>::max()});
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (!change.is_pinned && !change.priority) {
    return fail(ErrorCode::invalid, "there is nothing to change", "send pinned or priority");
  }
  auto done = call.api.engine().change_model(change.model, change.is_pinned, change.priority);
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

ApiResult delete_model(const ApiCall& call) {
  auto done = call.api.engine().remove_model(name_in_path(call));
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

Result<std::chrono::milliseconds> load_time_of(const HttpRequest& request) {
  auto json = json_body(request);
  if (!json) return std::unexpected(json.error());
  Duration timeout = load_time_default;
  JsonFields fields(*json);
  fields.duration("timeout", timeout);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::min<Duration>(timeout, limits::model_wait_max));
}

// Nobody waits on a thread: it may take minutes.
void load_model_of(const ApiCall& call, const HttpReply& reply) {
  auto timeout = load_time_of(call.request);
  if (!timeout) return reply.send(problem(timeout.error()));
  call.api.engine().use_model(name_in_path(call), {.timeout = *timeout, .may_degrade = false},
                              [reply](Result<ModelLease> lease) {
                                if (!lease) return reply.send(problem(lease.error()));
                                reply.send({.status = 204});
                              });
}

// One at a time, so that it never takes all threads that ask the engine.
ApiResult unload_model_of(const ApiCall& call) {
  auto timeout = load_time_of(call.request);
  if (!timeout) return std::unexpected(timeout.error());
  const auto waits = call.api.wait_for_repair();
  if (!waits.owns_lock()) {
    return fail(ErrorCode::busy, "another request waits for a repair or an unload",
                "try again when it has ended");
  }
  auto done = call.api.engine().unload_model(name_in_path(call), *timeout);
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

constexpr std::array model_change_table = {
    HttpRoute{.method = "PUT",
              .path = "/v1/models/{model}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = put_model,
              .summary = "There is this model: `bytes`, `commands` and what else belongs to it",
              .body = model_body,
              .success = 204},
    HttpRoute{.method = "DELETE",
              .path = "/v1/models/{model}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = delete_model,
              .summary = "Removes one that is not loaded",
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/models/{model}/change",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = change_model_of,
              .summary = "Whether it is `pinned`, and its `priority`",
              .body = model_body,
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/models/{model}/load",
              .scope = AccessScope::operate,
              .act = load_model_of,
              .summary = "Loads it, and makes room for that; waits for a `timeout`",
              .body = model_body,
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/models/{model}/unload",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = unload_model_of,
              .summary = "Waits until nobody uses it and it is gone",
              .body = model_body,
              .success = 204},
};

}  // namespace

std::span<const HttpRoute> model_change_routes() { return model_change_table; }

}  // namespace almanac
