// Circuits of services that fail.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ApiResult get_circuits(const ApiCall& call) {
  const State& state = *call.state;
  std::map<std::string_view, NameId> services;
  for (const auto& [id, circuit] : state.circuits.all) services.emplace(state.names.text(id), id);
  for (const auto& [id, set] : state.circuits.settings) services.emplace(state.names.text(id), id);
  ordered_json items = ordered_json::array();
  for (const auto& [name, id] : services) items.push_back(circuit_json(state, id));
  return items_response(std::move(items));
}

ApiResult get_circuit(const ApiCall& call) {
  const State& state = *call.state;
  const auto id = state.names.find(name_in_path(call));
  const bool is_known =
      id && (state.circuits.all.contains(*id) || state.circuits.settings.contains(*id));
  if (is_known) return json_response(circuit_json(state, *id));
  return fail(ErrorCode::not_found, "nothing is known of a service of this name",
              "GET /v1/circuits lists those there are");
}

Result<CircuitState> forced_state(const std::string& word) {
  for (const CircuitState to :
       {CircuitState::closed, CircuitState::forced_open, CircuitState::forced_closed}) {
    if (word == name(to)) return to;
  }
  return fail(ErrorCode::invalid, "no circuit can be forced to '" + word + "'",
              "send closed, forced_open or forced_closed");
}

ApiResult force_circuit(const ApiCall& call) {
  auto object = object_of(call.request, "to reason");
  if (!object) return std::unexpected(object.error());
  auto word = text_member(*object, "to");
  if (!word) return std::unexpected(word.error());
  auto to = forced_state(*word);
  if (!to) return std::unexpected(to.error());
  auto reason = text_member_or(*object, "reason", {});
  if (!reason) return std::unexpected(reason.error());
  auto done = call.api.engine().force_circuit(name_in_path(call), *to, std::move(*reason));
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

constexpr std::array circuit_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/circuits",
              .handler = get_circuits,
              .summary = "Circuits of services",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/circuits/{service}",
              .handler = get_circuit,
              .summary = "One of them",
              .parameters = "at"},
    HttpRoute{.method = "POST",
              .path = "/v1/circuits/{service}/force",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = force_circuit,
              .summary = "Opens or closes it by hand: `to` forced_open, forced_closed or closed",
              .body = "application/json",
              .success = 204},
};

}  // namespace

std::span<const HttpRoute> circuit_routes() { return circuit_table; }

}  // namespace almanac
