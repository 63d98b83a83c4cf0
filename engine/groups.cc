#include <almanac/engine/groups.h>

#include <almanac/engine/submission.h>
#include <almanac/projections/dependencies.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace almanac {
namespace {

std::string named_group(std::string_view name) { return "group '" + std::string(name) + "'"; }

Result<GroupId> find_group(const State& state, std::string_view name) {
  const auto found = state.tasks.groups.find(name);
  if (found) return *found;
  return fail(ErrorCode::not_found, "there is no " + named_group(name),
              "`almanac group create` opens one; a group goes with the last of its tasks");
}

// What waits for the group and is waited for by a task that is to join it: one of `dependencies`,
// or a member of the group `after`. None of them would ever begin.
std::optional<TaskId> in_a_circle(const Tasks& tasks, const GroupPlace& place,
                                  std::span<const TaskId> dependencies) {
  const Groups& groups = tasks.groups;
  if (dependencies.empty() && !place.after) return std::nullopt;
  std::set<TaskId> seen;
  std::vector<TaskId> next = groups.waiting_for(place.group);
  while (!next.empty()) {
    const TaskId id = next.back();
    next.pop_back();
    if (!seen.insert(id).second) continue;
    const GroupId* group = groups.group_of.find(id);
    const bool is_awaited = group != nullptr && *group == place.after;
    if (is_awaited || std::ranges::find(dependencies, id) != dependencies.end()) return id;
    for (auto edge = tasks.dependents.lower_bound({id, TaskId()});
         edge != tasks.dependents.end() && edge->dependency == id; ++edge) {
      next.push_back(edge->dependent);
    }
    if (group == nullptr) continue;
    const auto waiting = groups.waiting_for(*group);
    next.insert(next.end(), waiting.begin(), waiting.end());
  }
  return std::nullopt;
}

Result<GroupId> find_to_join(const State& state, const std::string& name) {
  auto group = find_group(state, name);
  if (!group || state.tasks.groups.all.find(*group)->is_open()) return group;
  return fail(ErrorCode::conflict, named_group(name) + " is closed", "open another one");
}

Result<GroupId> find_to_await(const State& state, const AfterGroup& after) {
  auto group = find_group(state, after.group);
  if (!group) return group;
  const auto outcome = state.tasks.groups.all.find(*group)->outcome;
  if (!outcome || judge(after.condition, *outcome) != Verdict::never) return group;
  return fail(ErrorCode::conflict,
              named_group(after.group) + " is over, and not all of its tasks succeeded",
              "leave it out, or wait for its end, however it is");
}

}  // namespace

Result<Decision> decide_one(const State& state, const OpenGroup& command,
                            const DecideContext& context) {
  if (auto checked = check_name("group", command.name); !checked) {
    return std::unexpected(checked.error());
  }
  const Groups& groups = state.tasks.groups;
  Decision decision;
  const auto known = groups.find(command.name);
  if (known && groups.all.find(*known)->is_open()) return decision;
  if (known) {
    return fail(ErrorCode::conflict, named_group(command.name) + " is closed and still kept",
                "give the new one another name");
  }
  decision.events.push_back(
      {.at = context.now, .body = GroupOpened{groups.last.next(), command.name}});
  return decision;
}

Result<Decision> decide_one(const State& state, const CloseGroup& command,
                            const DecideContext& context) {
  const auto group = find_group(state, command.name);
  if (!group) return std::unexpected(group.error());
  Decision decision;
  if (!state.tasks.groups.all.find(*group)->is_open()) return decision;
  decision.events.push_back({.at = context.now, .body = GroupClosed{*group}});
  return decision;
}

Result<void> check_groups(const TaskSpec& spec) {
  if (!spec.after_group) return {};
  if (spec.after_group->condition == DependencyCondition::failure) {
    return fail(ErrorCode::invalid, "it waits for the failure of a group",
                "write success, success_in_the_end or end");
  }
  if (spec.after_group->group != spec.group) return {};
  return fail(ErrorCode::invalid, "it waits for the group it belongs to",
              "leave out one of the two");
}

Result<GroupPlace> place_in_groups(const State& state, const TaskSpec& spec,
                                   std::span<const TaskId> dependencies) {
  GroupPlace place;
  if (spec.after_group) {
    const auto after = find_to_await(state, *spec.after_group);
    if (!after) return std::unexpected(after.error());
    place.after = *after;
    place.condition = spec.after_group->condition;
  }
  if (spec.group.empty()) return place;
  const auto group = find_to_join(state, spec.group);
  if (!group) return std::unexpected(group.error());
  place.group = *group;
  if (const auto other = in_a_circle(state.tasks, place, dependencies)) {
    return fail(ErrorCode::invalid,
                "it would wait for task " + std::to_string(other->value) +
                    ", which waits for its own " + named_group(spec.group),
                "take it out of the group, or let it not come after that");
  }
  return place;
}

}  // namespace almanac
