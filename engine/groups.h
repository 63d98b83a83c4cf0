// Deciding about groups: opening and closing them, and where a new task stands.
#pragma once

#include <almanac/engine/decision.h>

#include <span>

namespace almanac {

// No event where it is open already. Errors: invalid (its name), conflict (a group of this name is
// closed and still kept).
[[nodiscard]] Result<Decision> decide_one(const State& state, const OpenGroup& command,
                                          const DecideContext& context);
// No event where it is closed already. Errors: not_found.
[[nodiscard]] Result<Decision> decide_one(const State& state, const CloseGroup& command,
                                          const DecideContext& context);

// What the spec of a task says of groups that does not depend on the state. Errors: invalid.
[[nodiscard]] Result<void> check_groups(const TaskSpec& spec);

// The group that a task joins and the one it waits for; none where its spec names none.
struct GroupPlace {
  GroupId group;
  GroupId after;
  DependencyCondition condition = DependencyCondition::success;  // of the latter
};
// `state` is with what was submitted before it, `dependencies` what it waits for beside groups.
// Errors: not_found, conflict (its group is closed, or the other one is over and not as it must
// be), invalid (it would wait for itself). O(what waits for its group).
[[nodiscard]] Result<GroupPlace> place_in_groups(const State& state, const TaskSpec& spec,
                                                 std::span<const TaskId> dependencies);

}  // namespace almanac
