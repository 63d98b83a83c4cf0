// Which tasks are the same work, so that a submission finds those that are in its way.
#pragma once

#include <almanac/log/events/task.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>
#include <almanac/projections/state_hasher.h>

#include <compare>
#include <cstdint>
#include <limits>
#include <vector>

namespace almanac {

// Of one identity the newest comes first.
struct IdentityKey {
  TaskIdentity identity;
  TaskId id{std::numeric_limits<std::uint64_t>::max()};
  bool operator==(const IdentityKey&) const = default;
  std::strong_ordering operator<=>(const IdentityKey& other) const {
    const auto order = identity <=> other.identity;
    return order != 0 ? order : other.id <=> id;
  }
};

// A value; O(1) copy. Changed by the fold of tasks alone, each time in O(log n + tasks of the
// identity that are known). Tasks that are not unique never enter.
struct UniqueTasks {
  PersistentMap<TaskId, Uniqueness> all;
  // By identity: those that have not ended, and the last one whatever has become of it.
  PersistentSet<IdentityKey> known;

  [[nodiscard]] bool empty() const { return all.empty(); }
  // Those that are known, the newest first.
  [[nodiscard]] std::vector<TaskId> of(const TaskIdentity& identity) const;

  // It is known by its identity, or no longer. Of a task that is not unique these change nothing.
  void enter(TaskId id);
  void leave(TaskId id);
  // It has ended: no longer known, but for the last one.
  void end(TaskId id);

  void hash_into(StateHasher& hasher) const;
};

}  // namespace almanac
