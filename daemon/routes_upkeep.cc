// What an operator does by hand: components repaired, switched and looked at, the log trimmed.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/daemon_operations.h>
#include <almanac/tools/healing.h>
#include <almanac/tools/json_fields.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view upkeep_body = "application/json";

ApiResult repair_of(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  std::string implementation;
  std::optional<RepairStrategy> strategy;
  JsonFields fields(*json);
  fields.text("implementation", implementation);
  fields.word("strategy", strategy, [](std::string_view word) {
    return choose<RepairStrategy>("strategy", word, repair_strategy_count);
  });
  fields.require("implementation");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  auto asked =
      call.api.engine().repair_component(name_in_path(call), std::move(implementation), strategy);
  if (!asked) return std::unexpected(asked.error());
  return HttpResponse{.status = 204};
}

ApiResult switch_of(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  std::string implementation;
  JsonFields fields(*json);
  fields.text("implementation", implementation);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  auto asked = call.api.engine().switch_component(name_in_path(call), std::move(implementation));
  if (!asked) return std::unexpected(asked.error());
  return HttpResponse{.status = 204};
}

ApiResult check_of(const ApiCall& call) {
  const std::string component = name_in_path(call);
  const auto id = call.state->names.find(component);
  if (!id || !call.state->components.all.contains(*id)) {
    return fail(ErrorCode::not_found, "nothing is known of a component of this name",
                "GET /v1/components lists those there are");
  }
  call.api.engine().check_components(component);
  return HttpResponse{.status = 204};
}

// One at a time, as each writes a checkpoint.
ApiResult trim_log_of(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto options = trim_options_of(*json, system_time());
  if (!options) return std::unexpected(options.error());
  const auto waits = call.api.wait_for_repair();
  if (!waits.owns_lock()) {
    return fail(ErrorCode::busy, "another request waits for upkeep", "try again when it has ended");
  }
  Engine& engine = call.api.engine();
  auto trimmed = engine.trim(*options);
  if (!trimmed) return std::unexpected(trimmed.error());
  return json_response(trim_json(trim_answer(*trimmed, *engine.state())));
}

// One at a time, as each waits for repairs; within the time of a long poll.
ApiResult heal_of(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto request = heal_request_of(*json);
  if (!request) return std::unexpected(request.error());
  const auto waits = call.api.wait_for_repair();
  if (!waits.owns_lock()) {
    return fail(ErrorCode::busy, "another request waits for upkeep", "try again when it has ended");
  }
  auto healed = heal(call.api.engine(), *request, limits::long_poll_max);
  if (!healed) return std::unexpected(healed.error());
  return json_response(heal_answer_json(*healed));
}

constexpr std::array upkeep_table = {
    HttpRoute{.method = "POST",
              .path = "/v1/components/{component}/repair",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = repair_of,
              .summary = "Repairs an `implementation`, also one that was given up; by a `strategy`",
              .body = upkeep_body,
              .success = 204},
    HttpRoute{
        .method = "POST",
        .path = "/v1/components/{component}/switch",
        .scope = AccessScope::operate,
        .runs = RouteRuns::on_asker,
        .handler = switch_of,
        .summary = "Uses an `implementation` while it is healthy; without one, the best again",
        .body = upkeep_body,
        .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/components/{component}/check",
              .scope = AccessScope::operate,
              .handler = check_of,
              .summary = "Looks at its implementations soon",
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/heal",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = heal_of,
              .summary = "Looks at components, and does an `act`: check, fix, clean_build, use or "
                         "wait; answers when it is done, or a minute later how far it is",
              .body = upkeep_body},
    HttpRoute{.method = "POST",
              .path = "/v1/log/trim",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = trim_log_of,
              .summary = "Removes the front of the log: `before`, `older_than`, `keep_bytes`",
              .body = upkeep_body},
};

}  // namespace

std::span<const HttpRoute> upkeep_routes() { return upkeep_table; }

}  // namespace almanac
