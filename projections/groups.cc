#include <almanac/projections/groups.h>

#include <array>
#include <utility>

namespace almanac {

std::optional<GroupId> Groups::find(std::string_view name) const {
  const GroupId* found = by_name.find(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

void Groups::enter(GroupId id, Group group) {
  by_name.set(group.name, id);
  all.set(id, std::move(group));
  last = std::max(last, id);
}

void Groups::join(TaskId id, GroupId group) {
  group_of.set(id, group);
  members.insert({group, id});
  live.insert({group, id});
}

void Groups::rejoin(TaskId id) {
  const GroupId* group = group_of.find(id);
  if (group == nullptr) return;
  live.insert({*group, id});
  all.edit(*group)->outcome.reset();
}

void Groups::await(TaskId id, const GroupWait& wait) {
  waits.set(id, wait);
  waiting.insert({wait.group, id});
}

void Groups::stop_waiting(TaskId id) {
  const GroupWait* wait = waits.find(id);
  if (wait == nullptr) return;
  const GroupId group = wait->group;
  waiting.erase(GroupTask{group, id});
  waits.erase(id);
  erase_if_unused(group);
}

void Groups::forget(TaskId id) {
  const GroupId* found = group_of.find(id);
  if (found == nullptr) return;
  const GroupId group = *found;
  members.erase(GroupTask{group, id});
  group_of.erase(id);
  erase_if_unused(group);
}

void Groups::erase_if_unused(GroupId group) {
  const Group* found = all.find(group);
  if (found == nullptr || found->is_open()) return;
  if (!is_empty(members, group) || is_awaited(group)) return;
  by_name.erase(found->name.view());
  all.erase(group);
}

std::vector<TaskId> Groups::of(const PersistentSet<GroupTask>& tasks, GroupId group) {
  std::vector<TaskId> ids;
  for (auto entry = tasks.lower_bound({group, TaskId()});
       entry != tasks.end() && entry->group == group; ++entry) {
    ids.push_back(entry->id);
  }
  return ids;
}

bool Groups::is_empty(const PersistentSet<GroupTask>& tasks, GroupId group) {
  const auto entry = tasks.lower_bound({group, TaskId()});
  return entry == tasks.end() || entry->group != group;
}

// Where there never was a group nothing is hashed, as before there was such a thing.
void Groups::hash_into(StateHasher& hasher) const {
  if (empty()) return;
  constexpr std::uint64_t part = 0x67726f757073;  // "groups"
  hasher.numbers(std::array{part, last.value, std::uint64_t{all.size()}});
  for (const auto& [id, group] : all) {
    const auto outcome = group.outcome ? std::uint64_t(*group.outcome) : ~std::uint64_t{0};
    hasher.numbers(std::array{id.value, std::uint64_t(group.opened_at.time_since_epoch().count()),
                              std::uint64_t(group.closed_at.time_since_epoch().count()), outcome});
    hasher.text(group.name.view());
  }
  hasher.number(members.size());
  for (const auto& [group, id] : members) hasher.numbers(std::array{group.value, id.value});
  hasher.number(waits.size());
  for (const auto& [id, wait] : waits) {
    hasher.numbers(std::array{id.value, wait.group.value, std::uint64_t(wait.condition)});
  }
}

}  // namespace almanac
