// What is known of models, as JSON.
#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

ordered_json model_json(const Names& names, const Model& model) {
  const auto named = [&](const std::optional<NameId>& id) {
    return id ? ordered_json(names.text(*id)) : ordered_json();
  };
  const ModelSetting& setting = model.setting;
  return {{"state", name(model.state)},
          {"gpu", named(model.gpu)},
          {"bytes", setting.bytes},
          {"learned", model.learned},
          {"reserved", model.reserved},
          {"only_gpu", named(setting.gpu)},
          {"alternative", named(setting.alternative)},
          {"priority", setting.priority},
          {"pinned", setting.is_pinned},
          {"residency_us", setting.residency.count()},
          {"timeout_us", setting.timeout.count()},
          {"commands", setting.commands.view()},
          {"load_time_us", model.load_time.count()},
          {"uses", model.uses},
          {"used_at", time_json(model.used_at)},
          {"loads", model.loads},
          {"loaded_at", time_json(model.loaded_at)},
          {"failures", model.failures},
          {"failures_in_row", model.failures_in_row},
          {"retry_at", time_json(model.retry_at)},
          {"evictions", model.evictions},
          {"slow_releases", model.slow_releases},
          {"degraded", model.degraded},
          {"changed", model.changed.value},
          {"changed_at", time_json(model.changed_at)}};
}

ordered_json model_json(const State& state, std::string_view model_name, const Model& model) {
  ordered_json json{{"model", model_name}};
  json.update(model_json(state.names, model));
  return json;
}

}  // namespace almanac
