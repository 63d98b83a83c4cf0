// Components, pools and GPUs: what work runs on.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/gpu_json.h>
#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

ApiResult get_components(const ApiCall& call) {
  ordered_json items = ordered_json::array();
  for (const auto& [id, component] : call.state->components.all) {
    items.push_back(component_json(*call.state, id));
  }
  return items_response(std::move(items));
}

ApiResult get_component(const ApiCall& call) {
  const auto id = call.state->names.find(name_in_path(call));
  if (id && call.state->components.all.contains(*id)) {
    return json_response(component_json(*call.state, *id));
  }
  return fail(ErrorCode::not_found, "nothing is known of a component of this name",
              "GET /v1/components lists those there are");
}

ApiResult get_pools(const ApiCall& call) {
  std::map<std::string_view, const PoolRecord*> pools;
  const State& state = *call.state;
  for (const auto& [id, record] : state.pools.all) pools.emplace(state.names.text(id), &record);
  ordered_json items = ordered_json::array();
  for (const auto& [name, record] : pools) {
    ordered_json json{{"pool", name}};
    json.update(pool_json(*record));
    items.push_back(std::move(json));
  }
  return items_response(std::move(items));
}

ordered_json gpu_samples(const State& state, NameId id, std::uint32_t heap) {
  ordered_json samples = ordered_json::array();
  for (const GpuSample& sample : state.gpu.samples_of({id, heap})) {
    samples.push_back(
        {{"at", time_json(sample.at)}, {"own", sample.own}, {"budget", sample.budget}});
  }
  return samples;
}

ApiResult get_gpus(const ApiCall& call) {
  const State& state = *call.state;
  auto with_samples = truth_parameter(call, "samples");
  if (!with_samples) return std::unexpected(with_samples.error());
  ordered_json items = ordered_json::array();
  for (const auto& [id, device] : state.gpu.devices) {
    ordered_json json = gpu_json(state, id, device);
    for (std::uint32_t i = 0; *with_samples && i < device.heaps; ++i) {
      json["heaps"][i]["samples"] = gpu_samples(state, id, i);
    }
    items.push_back(std::move(json));
  }
  return items_response(std::move(items));
}

constexpr std::array component_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/components",
              .handler = get_components,
              .summary = "Parts that are kept in working order",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/components/{component}",
              .handler = get_component,
              .summary = "One of them",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/pools",
              .handler = get_pools,
              .summary = "What became of the instances of pools",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/gpu",
              .handler = get_gpus,
              .summary = "GPUs, their memory, and what tasks have of it",
              .parameters = "samples at"},
};

}  // namespace

std::span<const HttpRoute> component_routes() { return component_table; }

}  // namespace almanac
