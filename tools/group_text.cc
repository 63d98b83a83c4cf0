#include <almanac/tools/group_text.h>

#include <almanac/tools/units.h>

#include <nlohmann/json.hpp>

namespace almanac {

std::string_view group_state(const Group& group) {
  if (group.outcome) return name(*group.outcome);
  return group.is_open() ? "open" : "closed";
}

nlohmann::ordered_json group_json(const Group& group) {
  nlohmann::ordered_json json{{"group", group.name.view()}, {"state", group_state(group)}};
  json["opened_at"] = format_time(group.opened_at);
  if (!group.is_open()) json["closed_at"] = format_time(group.closed_at);
  return json;
}

}  // namespace almanac
