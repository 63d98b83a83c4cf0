#include <almanac/snapshots/ranking_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <algorithm>

namespace almanac {
namespace {

// Queue, kind, three durations and the weights; the owners follow in a table of their own.
constexpr std::size_t policy_columns = 5 + urgency_part_count;

Row<policy_columns> row_of(NameId queue, const Policy& policy) {
  Row<policy_columns> row{queue.value, std::uint64_t(policy.kind), number_of(policy.ageing),
                          number_of(policy.window), number_of(policy.short_work)};
  std::ranges::transform(policy.weights, row.begin() + 5,
                         [](std::int32_t weight) { return folded(weight); });
  return row;
}

Policy policy_of(const Row<policy_columns>& row) {
  Policy policy{.kind = static_cast<QueuePolicy>(row[1]),
                .ageing = duration_of(row[2]),
                .window = duration_of(row[3]),
                .short_work = duration_of(row[4])};
  std::transform(row.begin() + 5, row.end(), policy.weights.begin(),
                 [](std::uint64_t number) { return static_cast<std::int32_t>(unfolded(number)); });
  return policy;
}

void read_policies(ColumnReader& reader, Ranking& ranking) {
  std::vector<Row<policy_columns>> rows;
  const auto same = [](const Row<policy_columns>& row) { return row; };
  for (const auto& row : TableRows<policy_columns, decltype(same)>(reader, same)) {
    if (row[1] >= std::uint64_t(queue_policy_count)) reader.fail();
    rows.push_back(row);
  }
  const auto owner = [](const Row<2>& row) {
    return OwnerWeight{name_of(row[0]), static_cast<std::int32_t>(unfolded(row[1]))};
  };
  for (const auto& row : rows) {
    Policy policy = policy_of(row);
    for (const OwnerWeight& each : TableRows<2, decltype(owner)>(reader, owner)) {
      policy.owners.push_back(each);
    }
    if (reader.failed()) return;
    ranking.policies.set(name_of(row[0]), policy);
  }
}

}  // namespace

void write_ranking(ColumnWriter& writer, const Ranking& ranking) {
  writer.table<policy_columns>(ranking.policies, ranking.policies.size(),
                               [](const auto& entry) { return row_of(entry.key, entry.value); });
  for (const auto& [queue, policy] : ranking.policies) {
    writer.table<2>(policy.owners, policy.owners.size(), [](const OwnerWeight& each) {
      return Row<2>{each.owner.value, folded(each.weight)};
    });
  }
  writer.number(number_of(ranking.done.at));
  writer.number(ranking.done.id.value);
  writer.table<2>(ranking.changes, ranking.changes.size(), [](const RankChange& change) {
    return Row<2>{number_of(change.at), change.id.value};
  });
  writer.table<2>(ranking.tags, ranking.tags.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, folded(entry.value)}; });
  writer.table<5>(ranking.flows, ranking.flows.size(), [](const auto& entry) {
    const auto& [key, flow] = entry;
    return Row<5>{key.queue.value, owner_number(key.owner), folded(flow.finish),
                  folded(flow.started), flow.ready};
  });
  writer.table<2>(ranking.virtual_times, ranking.virtual_times.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, folded(entry.value)}; });
}

void read_ranking(ColumnReader& reader, Ranking& ranking) {
  read_policies(reader, ranking);
  ranking.done.at = time_of(reader.number());
  ranking.done.id = TaskId(reader.number());
  read_sorted<2>(reader, ranking.changes,
                 [](const Row<2>& row) { return RankChange{time_of(row[0]), TaskId(row[1])}; });
  read_sorted<2>(reader, ranking.tags,
                 [](const Row<2>& row) { return std::pair(TaskId(row[0]), unfolded(row[1])); });
  read_sorted<5>(reader, ranking.flows, [](const Row<5>& row) {
    return std::pair(
        FlowKey{name_of(row[0]), owner_of(row[1])},
        Flow{.finish = unfolded(row[2]), .started = unfolded(row[3]), .ready = row[4]});
  });
  read_sorted<2>(reader, ranking.virtual_times,
                 [](const Row<2>& row) { return std::pair(name_of(row[0]), unfolded(row[1])); });
}

bool knows_tags(const Tasks& tasks) {
  for (const auto& [queue, policy] : tasks.ranking.policies) {
    if (policy.kind != QueuePolicy::fair) continue;
    for (TaskId id : ready_in(tasks, queue)) {
      const Task* task = tasks.all.find(id);
      if (task == nullptr || !tasks.ranking.tags.contains(id)) return false;
      if (!tasks.ranking.flows.contains(FlowKey{queue, terms_of(tasks, id).owner})) return false;
    }
  }
  return true;
}

}  // namespace almanac
