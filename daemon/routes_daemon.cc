// Whether the daemon lives and is ready, its figures, and what describes it.
#include <almanac/daemon/disk_room.h>
#include <almanac/daemon/http_api.h>
#include <almanac/daemon/metrics.h>

#include <almanac/tools/running_daemon.h>
#include <almanac/version.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ApiResult get_live(const ApiCall&) { return json_response({{"status", "alive"}}); }

ApiResult get_ready(const ApiCall& call) {
  const Engine& engine = call.api.engine();
  if (auto failure = engine.failure()) return std::unexpected(*failure);
  if (engine.stopping() || engine.stopped()) {
    return fail(ErrorCode::stopped, "the engine stops", "ask the next one");
  }
  if (!has_room(call)) {
    return fail(ErrorCode::storage_full, "the log has no room for new work",
                "make room on its disk; what runs goes on, and its ends are kept");
  }
  return json_response({{"status", "ready"}});
}

ApiResult get_metrics(const ApiCall& call) {
  return HttpResponse{.type = "text/plain; version=0.0.4; charset=utf-8",
                      .body = metrics_text(call)};
}

ApiResult get_openapi(const ApiCall&) {
  static const HttpResponse document = json_response(openapi_document());
  return document;
}

ApiResult get_about(const ApiCall& call) {
  return json_response({{"name", "almanac"},
                        {"version", version},
                        {"timeline", to_hex(call.api.log().timeline())},
                        {"folder", daemon_folder_name(call.api.surroundings().folder)},
                        {"position", call.state->position.value}});
}

constexpr std::array daemon_table = {
    HttpRoute{.method = "GET",
              .path = "/livez",
              .scope = AccessScope::none,
              .handler = get_live,
              .summary = "Whether the daemon answers at all"},
    HttpRoute{.method = "GET",
              .path = "/readyz",
              .scope = AccessScope::none,
              .handler = get_ready,
              .summary = "Whether it takes work; 503 while it stops, 507 while its disk is full"},
    HttpRoute{.method = "GET",
              .path = "/metrics",
              .runs = RouteRuns::on_reader,
              .handler = get_metrics,
              .summary = "Figures for Prometheus",
              .answers = "text/plain"},
    HttpRoute{.method = "GET",
              .path = "/v1",
              .handler = get_about,
              .summary = "Version, timeline, folder and position"},
    HttpRoute{.method = "GET",
              .path = "/v1/openapi.json",
              .handler = get_openapi,
              .summary = "This description, for programs"},
};

}  // namespace

std::span<const HttpRoute> daemon_routes() { return daemon_table; }

}  // namespace almanac
