// Groups: tasks that belong together, whichever submissions they come with, and those that wait for
// all of them. While it is open a group takes more tasks; it is over when it is closed and none of
// its tasks goes on.
#pragma once

#include <almanac/log/events/group.h>
#include <almanac/log/events/task.h>
#include <almanac/projections/lifecycle.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/persistent/shared_text.h>
#include <almanac/projections/state_hasher.h>

#include <compare>
#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

struct Group {
  SharedText name;
  Time opened_at;
  Time closed_at;  // not set = it is open
  // Once it is over: failed where one of its tasks has, else cancelled where one was.
  std::optional<TaskState> outcome;
  [[nodiscard]] bool is_open() const { return closed_at == Time(); }
  bool operator==(const Group&) const = default;
};

struct GroupTask {
  GroupId group;
  TaskId id;
  auto operator<=>(const GroupTask&) const = default;
};

// What a task waits for beside those it depends on.
struct GroupWait {
  GroupId group;
  DependencyCondition condition = DependencyCondition::success;
  bool operator==(const GroupWait&) const = default;
};

// Texts in the order of their bytes, looked up without a copy.
struct TextOrder {
  using is_transparent = void;
  static std::string_view view(std::string_view text) { return text; }
  static std::string_view view(const SharedText& text) { return text.view(); }
  bool operator()(const auto& one, const auto& other) const { return view(one) < view(other); }
};

// A value; O(1) copy. Changed by the fold of tasks alone. A group goes with the last of its tasks
// that is kept, and one that never had any when it is closed.
struct Groups {
  PersistentMap<GroupId, Group> all;
  PersistentMap<SharedText, GroupId, TextOrder> by_name;
  GroupId last;                             // the highest number given so far
  PersistentMap<TaskId, GroupId> group_of;  // of each member that is kept
  PersistentSet<GroupTask> members;         // the same, by group
  PersistentSet<GroupTask> live;            // members that have not ended
  PersistentMap<TaskId, GroupWait> waits;   // of tasks that wait for a group
  PersistentSet<GroupTask> waiting;         // the same, by group

  // Whether there has never been any.
  [[nodiscard]] bool empty() const { return !last; }
  [[nodiscard]] std::optional<GroupId> find(std::string_view name) const;
  [[nodiscard]] bool has_live(GroupId group) const { return !is_empty(live, group); }
  [[nodiscard]] bool is_awaited(GroupId group) const { return !is_empty(waiting, group); }
  [[nodiscard]] std::vector<TaskId> members_of(GroupId group) const { return of(members, group); }
  [[nodiscard]] std::vector<TaskId> live_of(GroupId group) const { return of(live, group); }
  [[nodiscard]] std::vector<TaskId> waiting_for(GroupId group) const { return of(waiting, group); }

  void enter(GroupId id, Group group);
  void join(TaskId id, GroupId group);
  // It is live again.
  void rejoin(TaskId id);
  void await(TaskId id, const GroupWait& wait);
  void stop_waiting(TaskId id);
  // A member is forgotten, and with the last one the group.
  void forget(TaskId id);
  void erase_if_unused(GroupId group);

  void hash_into(StateHasher& hasher) const;

 private:
  // Those of one group, by number.
  static std::vector<TaskId> of(const PersistentSet<GroupTask>& tasks, GroupId group);
  static bool is_empty(const PersistentSet<GroupTask>& tasks, GroupId group);
};

}  // namespace almanac
