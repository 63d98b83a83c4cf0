#include <almanac/snapshots/groups_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <utility>

namespace almanac {

void write_groups(ColumnWriter& writer, const Groups& groups) {
  writer.number(groups.last.value);
  write_texts<5>(
      writer, groups.all, groups.all.size(),
      [](const auto& entry) {
        const Group& group = entry.value;
        const auto outcome = group.outcome ? std::uint64_t(*group.outcome) + 1 : 0;  // 0 = none
        return Row<5>{group.name.view().size(), entry.key.value, number_of(group.opened_at),
                      number_of(group.closed_at), outcome};
      },
      [](const auto& entry) { return entry.value.name.view(); });
  writer.table<2>(groups.group_of, groups.group_of.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value.value}; });
  writer.table<3>(groups.waits, groups.waits.size(), [](const auto& entry) {
    const auto& [group, condition] = entry.value;
    return Row<3>{entry.key.value, group.value, std::uint64_t(condition)};
  });
}

void read_groups(ColumnReader& reader, Tasks& tasks) {
  Groups& groups = tasks.groups;
  const GroupId last(reader.number());
  read_texts<5>(reader, [&](const Row<5>& row, std::string_view name) {
    if (row[4] > task_state_count) return reader.fail();
    Group group{
        .name = SharedText(name), .opened_at = time_of(row[2]), .closed_at = time_of(row[3])};
    if (row[4] > 0) group.outcome = static_cast<TaskState>(row[4] - 1);
    groups.enter(GroupId(row[1]), std::move(group));
  });
  groups.last = last;
  PersistentMap<TaskId, GroupId> members;
  read_sorted<2>(reader, members,
                 [](const Row<2>& row) { return std::pair(TaskId(row[0]), GroupId(row[1])); });
  PersistentMap<TaskId, GroupWait> waits;
  read_sorted<3>(reader, waits, [&](const Row<3>& row) {
    if (row[2] >= std::uint64_t(dependency_condition_count)) reader.fail();
    return std::pair(TaskId(row[0]),
                     GroupWait{GroupId(row[1]), static_cast<DependencyCondition>(row[2])});
  });
  if (reader.failed()) return;
  for (const auto& [id, group] : members) {
    const Task* task = tasks.all.find(id);
    if (task == nullptr || !groups.all.contains(group)) return reader.fail();
    groups.join(id, group);
    if (has_ended(task->state)) groups.live.erase(GroupTask{group, id});
  }
  for (const auto& [id, wait] : waits) groups.await(id, wait);
}

}  // namespace almanac
