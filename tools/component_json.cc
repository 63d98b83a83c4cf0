#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

ordered_json component_json(const Names& names, const Component& component) {
  const auto named = [&](const std::optional<NameId>& name) {
    return name ? ordered_json(names.text(*name)) : ordered_json();
  };
  const ComponentSetting& setting = component.setting;
  return {{"folder", component.folder},
          {"kept", component.kept},
          {"active", named(component.active)},
          {"pinned", named(component.pinned)},
          {"switches", component.switches},
          {"attempts_max", setting.attempts_max},
          {"backoff_us", setting.backoff.count()},
          {"backoff_max_us", setting.backoff_max.count()},
          {"build_timeout_us", setting.build_timeout.count()},
          {"check_interval_us", setting.check_interval.count()}};
}

ordered_json component_json(const State& state, NameId id) {
  ordered_json json{{"component", state.names.text(id)}};
  json.update(component_json(state.names, *state.components.all.find(id)));
  json["implementations"] = ordered_json::array();
  const auto& all = state.components.implementations;
  for (auto entry = all.lower_bound({id, 0}); entry != all.end() && entry->key.component == id;
       ++entry) {
    ordered_json one{{"implementation", state.names.text(entry->value.name)}};
    one.update(health_json(entry->value));
    json["implementations"].push_back(std::move(one));
  }
  return json;
}

ordered_json health_json(const ImplementationHealth& health) {
  return {{"traits", to_text(health.traits)},
          {"state", name(health.state)},
          {"issue", name(health.issue)},
          {"trend", name(health.trend)},
          {"diagnosed", health.diagnosed.value},
          {"next_check", time_json(health.next_check)},
          {"repair_at", time_json(health.repair_at)},
          {"attempts", health.attempts},
          {"attempts_total", health.attempts_total},
          {"checks", health.checks},
          {"failures", health.failures},
          {"score_permille", health.score_permille()},
          {"average_us", health.took_average.count()}};
}

ordered_json health_json(const HealthRecord& record) {
  return {{"health", name(record.health)},
          {"since", time_json(record.since)},
          {"changed", record.changed.value},
          {"changes", record.changes}};
}

}  // namespace almanac
