#include <almanac/snapshots/limits_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// Lanes of a version came later: they have a table of their own, with a column more.
constexpr std::size_t plain_columns = 7;
constexpr std::size_t version_columns = 8;

template <std::size_t columns>
void write_waits(ColumnWriter& writer, const Tasks& tasks) {
  std::vector<Row<columns>> rows;
  for (const auto& [lane, wait] : tasks.blocked) {
    if ((lane.version != 0) != (columns == version_columns)) continue;
    Row<columns>& row = rows.emplace_back();
    row = {lane.queue.value,
           lane.kind.value,
           lane.demands.value,
           std::uint64_t(wait.reason),
           wait.limit ? wait.limit->value + std::uint64_t{1} : 0,
           number_of(wait.next),
           number_of(wait.since)};
    if (columns == version_columns) row.back() = lane.version;
  }
  writer.table<columns>(rows, rows.size(), [](const Row<columns>& row) { return row; });
}

template <std::size_t columns>
std::pair<Lane, LaneWait> wait_of(ColumnReader& reader, const Row<columns>& row) {
  if (row[3] >= std::uint64_t(lane_block_count)) reader.fail();
  return {{name_of(row[0]),
           name_of(row[1]),
           {small(row[2])},
           columns == version_columns ? small(row.back()) : 0},
          {.reason = static_cast<LaneBlock>(row[3]),
           .limit = row[4] > 0 ? std::optional(name_of(row[4] - 1)) : std::nullopt,
           .next = time_of(row[5]),
           .since = time_of(row[6])}};
}

}  // namespace

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
  std::ranges::copy_if(tasks.ready, std::back_inserter(ready), [](const ReadyKey& key) {
    return key.lane.demands && key.lane.version == 0;
  });
  writer.table<5>(ready, ready.size(), [](const ReadyKey& key) {
    return Row<5>{key.lane.queue.value, key.lane.kind.value, key.lane.demands.value,
                  folded(key.place.rank), key.place.id.value};
  });
  writer.table<3>(tasks.in_use, tasks.in_use.size(), [](const auto& entry) {
    return Row<3>{entry.key.limit.value, entry.key.id.value, entry.value};
  });
}

void write_blocked(ColumnWriter& writer, const Tasks& tasks) {
  write_waits<plain_columns>(writer, tasks);
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

// Of kinds, of tasks, and of what is ready or blocked in lanes of a version.
void write_versions(ColumnWriter& writer, const State& state) {
  const auto& kinds = state.implementations.versions;
  writer.table<3>(kinds, kinds.size(), [](const auto& entry) {
    return Row<3>{entry.key.value, entry.value.min, entry.value.max};
  });
  std::vector<Row<2>> versions;
  for (const auto& [id, terms] : state.tasks.terms) {
    if (terms.version != 0) versions.push_back({id.value, terms.version});
  }
  writer.table<2>(versions, versions.size(), [](const Row<2>& row) { return row; });
  std::vector<Row<6>> ready;
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    if (lane.version == 0) continue;
    for (const LanePlace& place : places) {
      ready.push_back({lane.queue.value, lane.kind.value, lane.demands.value, lane.version,
                       folded(place.rank), place.id.value});
    }
  }
  writer.table<6>(ready, ready.size(), [](const Row<6>& row) { return row; });
  write_waits<version_columns>(writer, state.tasks);
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
  read_sorted<plain_columns>(reader, tasks.blocked,
                             [&](const Row<plain_columns>& row) { return wait_of(reader, row); });
}

void read_versions(ColumnReader& reader, State& state) {
  Tasks& tasks = state.tasks;
  read_sorted<3>(reader, state.implementations.versions, [](const Row<3>& row) {
    return std::pair(name_of(row[0]), VersionRange{small(row[1]), small(row[2])});
  });
  const auto version_of = [](const Row<2>& row) { return row; };
  for (const auto& [id, version] : TableRows<2, decltype(version_of)>(reader, version_of)) {
    TaskTerms* terms = tasks.terms.edit(TaskId(id));
    if (terms == nullptr) return reader.fail();
    terms->version = small(version);
  }
  const auto key_of = [&](const Row<6>& row) {
    const DemandsId set{small(row[2])};
    if (set && !tasks.demand_sets.contains(set)) reader.fail();
    return ReadyKey{{name_of(row[0]), name_of(row[1]), set, small(row[3])},
                    {unfolded(row[4]), TaskId(row[5])}};
  };
  for (const ReadyKey& key : TableRows<6, decltype(key_of)>(reader, key_of)) {
    tasks.ready.insert(key);
  }
  const auto blocked_of = [&](const Row<version_columns>& row) { return wait_of(reader, row); };
  for (const auto& [lane, wait] :
       TableRows<version_columns, decltype(blocked_of)>(reader, blocked_of)) {
    tasks.blocked.set(lane, wait);
  }
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
