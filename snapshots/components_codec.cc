#include <almanac/snapshots/components_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <cstddef>
#include <string>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t component_columns = 12;
constexpr std::size_t implementation_columns = 20;
constexpr std::size_t repair_columns = 12;

Row<component_columns> row_of(NameId id, const Component& component) {
  const ComponentSetting& setting = component.setting;
  return {component.folder.size(),
          id.value,
          setting.attempts_max,
          number_of(setting.backoff),
          number_of(setting.backoff_max),
          number_of(setting.build_timeout),
          number_of(setting.check_interval),
          std::uint64_t(component.kept),
          owner_number(component.active),
          owner_number(component.pinned),
          component.switched.value,
          component.switches};
}

Component component_in(const Row<component_columns>& row, std::string_view folder) {
  return {.folder = std::string(folder),
          .setting = {.attempts_max = static_cast<std::uint16_t>(row[2]),
                      .backoff = duration_of(row[3]),
                      .backoff_max = duration_of(row[4]),
                      .build_timeout = duration_of(row[5]),
                      .check_interval = duration_of(row[6])},
          .kept = row[7] != 0,
          .active = owner_of(row[8]),
          .pinned = owner_of(row[9]),
          .switched = Position(row[10]),
          .switches = row[11]};
}

Row<implementation_columns> row_of(const ComponentPlace& place,
                                   const ImplementationHealth& health) {
  return {place.component.value,
          place.place,
          health.name.value,
          health.traits.number(),
          std::uint64_t(health.state),
          std::uint64_t(health.issue),
          std::uint64_t(health.trend),
          health.diagnosed.value,
          number_of(health.next_check),
          number_of(health.took_average),
          number_of(health.repair_at),
          health.attempts,
          health.attempts_total,
          health.tried,
          health.requested,
          health.checks,
          health.failures,
          number_of(health.failed_at[0]),
          number_of(health.failed_at[1]),
          number_of(health.failed_at[2])};
}

ImplementationHealth health_in(const Row<implementation_columns>& row) {
  return {.name = name_of(row[2]),
          .traits = ImplementationTraits(small(row[3])),
          .state = static_cast<ImplementationState>(row[4]),
          .issue = static_cast<ComponentIssue>(row[5]),
          .trend = static_cast<HealthTrend>(row[6]),
          .diagnosed = Position(row[7]),
          .next_check = time_of(row[8]),
          .took_average = duration_of(row[9]),
          .repair_at = time_of(row[10]),
          .attempts = small(row[11]),
          .attempts_total = small(row[12]),
          .tried = small(row[13]),
          .requested = small(row[14]),
          .checks = row[15],
          .failures = row[16],
          .failed_at = {time_of(row[17]), time_of(row[18]), time_of(row[19])}};
}

Row<repair_columns> row_of(Position started, const Repair& repair) {
  return {started.value,
          repair.component.value,
          repair.implementation.value,
          std::uint64_t(repair.issue),
          std::uint64_t(repair.left),
          std::uint64_t(repair.strategy),
          std::uint64_t(repair.outcome),
          repair.attempt,
          number_of(repair.started_at),
          number_of(repair.deadline),
          repair.ended.value,
          number_of(repair.took)};
}

Repair repair_in(const Row<repair_columns>& row) {
  return {.component = name_of(row[1]),
          .implementation = name_of(row[2]),
          .issue = static_cast<ComponentIssue>(row[3]),
          .left = static_cast<ComponentIssue>(row[4]),
          .strategy = static_cast<RepairStrategy>(row[5]),
          .outcome = static_cast<RepairOutcome>(row[6]),
          .attempt = static_cast<std::uint16_t>(row[7]),
          .started_at = time_of(row[8]),
          .deadline = time_of(row[9]),
          .ended = Position(row[10]),
          .took = duration_of(row[11])};
}

bool is_issue(std::uint64_t number) { return number < component_issue_count; }
bool is_strategy(std::uint64_t number) { return number < repair_strategy_count; }

void read_repairs(ColumnReader& reader, const Names& names, Components& components) {
  read_sorted<repair_columns>(reader, components.repairs, [&](const Row<repair_columns>& row) {
    if (!names.contains(name_of(row[1])) || !names.contains(name_of(row[2])) || !is_issue(row[3]) ||
        !is_issue(row[4]) || !is_strategy(row[5]) || row[6] >= repair_outcome_count) {
      reader.fail();
    }
    return std::pair(Position(row[0]), repair_in(row));
  });
  read_sorted<4>(reader, components.strategies, [&](const Row<4>& row) {
    if (!is_issue(row[0]) || !is_strategy(row[1])) reader.fail();
    return std::pair(
        StrategyKey{static_cast<ComponentIssue>(row[0]), static_cast<RepairStrategy>(row[1])},
        StrategyRecord{row[2], row[3]});
  });
}

}  // namespace

void write_components(ColumnWriter& writer, const Components& components) {
  write_texts<component_columns>(
      writer, components.all, components.all.size(),
      [](const auto& entry) { return row_of(entry.key, entry.value); },
      [](const auto& entry) { return std::string_view(entry.value.folder); });
  writer.table<implementation_columns>(
      components.implementations, components.implementations.size(),
      [](const auto& entry) { return row_of(entry.key, entry.value); });
  writer.table<repair_columns>(components.repairs, components.repairs.size(),
                               [](const auto& entry) { return row_of(entry.key, entry.value); });
  writer.table<4>(components.strategies, components.strategies.size(), [](const auto& entry) {
    return Row<4>{std::uint64_t(entry.key.issue), std::uint64_t(entry.key.strategy),
                  entry.value.helped, entry.value.failed};
  });
}

void read_components(ColumnReader& reader, State& state) {
  const auto is_name = [&](std::uint64_t number) { return state.names.contains(name_of(number)); };
  Components& components = state.components;
  read_texts<component_columns>(reader,
                                [&](const Row<component_columns>& row, std::string_view folder) {
                                  if (!is_name(row[1])) return reader.fail();
                                  components.all.set(name_of(row[1]), component_in(row, folder));
                                });
  read_sorted<implementation_columns>(
      reader, components.implementations, [&](const Row<implementation_columns>& row) {
        const bool makes_sense = is_name(row[0]) && is_name(row[2]) &&
                                 row[4] < implementation_state_count && is_issue(row[5]) &&
                                 row[6] < health_trend_count && row[14] <= repair_strategy_count;
        if (!makes_sense) reader.fail();
        return std::pair(ComponentPlace{name_of(row[0]), small(row[1])}, health_in(row));
      });
  read_repairs(reader, state.names, components);
  if (reader.failed()) return;
  enter_due(components);
}

}  // namespace almanac
