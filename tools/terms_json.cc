#include <almanac/tools/terms_json.h>

#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

namespace almanac {

void add_terms(nlohmann::ordered_json& json, const State& state, TaskId id) {
  const TaskTerms& terms = terms_of(state.tasks, id);
  if (terms.owner) json["owner"] = state.names.text(*terms.owner);
  if (terms.deadline != Time()) json["deadline"] = format_time(terms.deadline);
  if (terms.estimate > Duration(0)) json["estimate"] = format_duration(terms.estimate);
  if (terms.expires_at != Time()) json["expires_at"] = format_time(terms.expires_at);
  if (terms.version != 0) json["version"] = terms.version;
  const Groups& groups = state.tasks.groups;
  const auto name_of = [&](GroupId group) { return groups.all.find(group)->name.view(); };
  if (const GroupId* group = groups.group_of.find(id)) json["group"] = name_of(*group);
  if (const GroupWait* wait = groups.waits.find(id)) {
    json["after_group"] = name_of(wait->group);
    json["after_group_condition"] = name(wait->condition);
  }
  if (const Uniqueness* unique = state.tasks.unique.all.find(id)) {
    json["identity"] = to_text(unique->identity);
    json["unique_until"] = name(unique->until);
    if (unique->within > Duration(0)) json["unique_within"] = format_duration(unique->within);
  }
}

nlohmann::ordered_json ids_json(std::span<const TaskId> ids) {
  auto list = nlohmann::ordered_json::array();
  for (TaskId id : ids) list.push_back(id.value);
  return list;
}

}  // namespace almanac
