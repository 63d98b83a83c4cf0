#include <almanac/tools/group_text.h>

#include <almanac/tools/units.h>

#include <almanac/projections/group_ends.h>

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

nlohmann::ordered_json group_json(const Tasks& tasks, GroupId id) {
  const GroupCounts counts = counts_of(tasks, id);
  nlohmann::ordered_json json = group_json(*tasks.groups.all.find(id));
  json["tasks"] = counts.members;
  json["live"] = counts.live;
  json["succeeded"] = counts.succeeded;
  json["failed"] = counts.failed;
  json["cancelled"] = counts.cancelled;
  json["awaited_by"] = nlohmann::ordered_json::array();
  for (TaskId waiting : tasks.groups.waiting_for(id)) json["awaited_by"].push_back(waiting.value);
  return json;
}

}  // namespace almanac
