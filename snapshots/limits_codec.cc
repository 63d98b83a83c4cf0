#include <almanac/snapshots/limits_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

void write_demands(ColumnWriter& writer, const Tasks& tasks) {
  std::vector<std::string_view> sets;
  for (std::uint32_t id = 0; id < tasks.demand_sets.size(); ++id) {
    sets.push_back(tasks.demand_sets.text({id}));
  }
  write_texts<1>(
      writer, sets, sets.size(), [](std::string_view set) { return Row<1>{set.size()}; },
      [](std::string_view set) { return set; });
  writer.table<2>(tasks.demands, tasks.demands.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value.value}; });
  std::vector<ReadyKey> ready;
  std::ranges::copy_if(tasks.ready, std::back_inserter(ready),
                       [](const ReadyKey& key) { return bool(key.lane.demands); });
  writer.table<5>(ready, ready.size(), [](const ReadyKey& key) {
    return Row<5>{key.lane.queue.value, key.lane.kind.value, key.lane.demands.value,
                  folded(key.place.rank), key.place.id.value};
  });
  writer.table<3>(tasks.in_use, tasks.in_use.size(), [](const auto& entry) {
    return Row<3>{entry.key.limit.value, entry.key.id.value, entry.value};
  });
}

void write_blocked(ColumnWriter& writer, const Tasks& tasks) {
  writer.table<7>(tasks.blocked, tasks.blocked.size(), [](const auto& entry) {
    const Lane lane = entry.key;
    const LaneWait& wait = entry.value;
    return Row<7>{lane.queue.value,
                  lane.kind.value,
                  lane.demands.value,
                  std::uint64_t(wait.reason),
                  wait.limit ? wait.limit->value + std::uint64_t{1} : 0,
                  number_of(wait.next),
                  number_of(wait.since)};
  });
}

void write_limits(ColumnWriter& writer, const ResourceLimits& limits) {
  writer.table<4>(limits.settings, limits.settings.size(), [](const auto& entry) {
    const LimitSetting& setting = entry.value;
    return Row<4>{entry.key.value, setting.units, setting.per_minute, setting.burst};
  });
  writer.table<3>(limits.buckets, limits.buckets.size(), [](const auto& entry) {
    return Row<3>{entry.key.value, entry.value.missing, number_of(entry.value.at)};
  });
}

void read_demands(ColumnReader& reader, Tasks& tasks) {
  read_texts<1>(reader, [&](const Row<1>&, std::string_view set) {
    if (!tasks.demand_sets.add_text(set)) reader.fail();
  });
  read_sorted<2>(reader, tasks.demands, [&](const Row<2>& row) {
    const DemandsId set{small(row[1])};
    if (!tasks.demand_sets.contains(set)) reader.fail();
    return std::pair(TaskId(row[0]), set);
  });
  const auto key_of = [&](const Row<5>& row) {
    const DemandsId set{small(row[2])};
    if (!tasks.demand_sets.contains(set)) reader.fail();
    return ReadyKey{{name_of(row[0]), name_of(row[1]), set}, {unfolded(row[3]), TaskId(row[4])}};
  };
  for (const ReadyKey& key : TableRows<5, decltype(key_of)>(reader, key_of)) {
    tasks.ready.insert(key);
  }
  read_sorted<3>(reader, tasks.in_use, [](const Row<3>& row) {
    return std::pair(LimitUse{name_of(row[0]), TaskId(row[1])}, small(row[2]));
  });
}

void read_blocked(ColumnReader& reader, Tasks& tasks) {
  read_sorted<7>(reader, tasks.blocked, [&](const Row<7>& row) {
    if (row[3] >= std::uint64_t(lane_block_count)) reader.fail();
    return std::pair(
        Lane{name_of(row[0]), name_of(row[1]), {small(row[2])}},
        LaneWait{.reason = static_cast<LaneBlock>(row[3]),
                 .limit = row[4] > 0 ? std::optional(name_of(row[4] - 1)) : std::nullopt,
                 .next = time_of(row[5]),
                 .since = time_of(row[6])});
  });
}

void read_limits(ColumnReader& reader, State& state) {
  PersistentMap<NameId, LimitSetting> settings;
  read_sorted<4>(reader, settings, [&](const Row<4>& row) {
    if (!state.names.contains(name_of(row[0]))) reader.fail();
    return std::pair(
        name_of(row[0]),
        LimitSetting{.units = row[1], .per_minute = small(row[2]), .burst = small(row[3])});
  });
  read_sorted<3>(reader, state.limits.buckets, [](const Row<3>& row) {
    return std::pair(name_of(row[0]), Bucket{.missing = row[1], .at = time_of(row[2])});
  });
  if (reader.failed()) return;
  for (const auto& [limit, setting] : settings) {
    set_limit(state.limits, state.names, limit, setting);
  }
}

}  // namespace almanac
