#include <almanac/snapshots/circuits_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <cstddef>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t slice_columns = 2 * std::tuple_size_v<decltype(CircuitWindow::slices)>;
constexpr std::size_t circuit_columns = 16 + slice_columns;

Row<circuit_columns> row_of(NameId service, const Circuit& circuit) {
  Row<circuit_columns> row{service.value,
                           std::uint64_t(circuit.state),
                           circuit.changed.value,
                           number_of(circuit.since),
                           number_of(circuit.until),
                           number_of(circuit.cooldown),
                           circuit.consecutive_failures,
                           circuit.probes,
                           circuit.probes_succeeded,
                           circuit.probes_failed,
                           circuit.paced,
                           circuit.successes,
                           circuit.failures,
                           circuit.trips,
                           number_of(circuit.took),
                           static_cast<std::uint64_t>(circuit.window.last)};
  std::size_t column = circuit_columns - slice_columns;
  for (const auto& [successes, failures] : circuit.window.slices) {
    row[column++] = successes;
    row[column++] = failures;
  }
  return row;
}

Circuit circuit_in(const Row<circuit_columns>& row) {
  Circuit circuit{.state = static_cast<CircuitState>(row[1]),
                  .changed = Position(row[2]),
                  .since = time_of(row[3]),
                  .until = time_of(row[4]),
                  .cooldown = duration_of(row[5]),
                  .consecutive_failures = row[6],
                  .probes = small(row[7]),
                  .probes_succeeded = small(row[8]),
                  .probes_failed = small(row[9]),
                  .paced = row[10],
                  .successes = row[11],
                  .failures = row[12],
                  .trips = row[13],
                  .took = duration_of(row[14])};
  circuit.window.last = static_cast<std::int64_t>(row[15]);
  std::size_t column = circuit_columns - slice_columns;
  for (auto& [successes, failures] : circuit.window.slices) {
    successes = row[column++];
    failures = row[column++];
  }
  return circuit;
}

}  // namespace

void write_circuits(ColumnWriter& writer, const Circuits& circuits) {
  writer.table<8>(circuits.settings, circuits.settings.size(), [](const auto& entry) {
    const CircuitSetting& setting = entry.value;
    return Row<8>{entry.key.value,
                  setting.requests_min,
                  setting.failure_permille,
                  setting.consecutive_failures,
                  number_of(setting.window),
                  number_of(setting.cooldown),
                  number_of(setting.cooldown_max),
                  setting.probes};
  });
  writer.table<circuit_columns>(circuits.all, circuits.all.size(),
                                [](const auto& entry) { return row_of(entry.key, entry.value); });
  writer.table<4>(circuits.probes, circuits.probes.size(), [](const auto& entry) {
    return Row<4>{entry.key.service.value, entry.key.task.value, entry.key.admitted.value,
                  number_of(entry.value)};
  });
}

void read_circuits(ColumnReader& reader, State& state) {
  Circuits& circuits = state.circuits;
  PersistentMap<NameId, CircuitSetting> settings;
  read_sorted<8>(reader, settings, [&](const Row<8>& row) {
    if (!state.names.contains(name_of(row[0])) || row[7] == 0) reader.fail();
    return std::pair(name_of(row[0]),
                     CircuitSetting{.requests_min = small(row[1]),
                                    .failure_permille = static_cast<std::uint16_t>(row[2]),
                                    .consecutive_failures = small(row[3]),
                                    .window = duration_of(row[4]),
                                    .cooldown = duration_of(row[5]),
                                    .cooldown_max = duration_of(row[6]),
                                    .probes = static_cast<std::uint16_t>(row[7])});
  });
  read_sorted<circuit_columns>(reader, circuits.all, [&](const Row<circuit_columns>& row) {
    if (!state.names.contains(name_of(row[0])) || row[1] >= circuit_state_count) reader.fail();
    return std::pair(name_of(row[0]), circuit_in(row));
  });
  read_sorted<4>(reader, circuits.probes, [](const Row<4>& row) {
    return std::pair(CircuitProbe{name_of(row[0]), TaskId(row[1]), Position(row[2])},
                     time_of(row[3]));
  });
  if (reader.failed()) return;
  for (const auto& [service, setting] : settings) {
    set_circuit(circuits, state.names, service, setting);
  }
  enter_due(circuits, state.names);
}

}  // namespace almanac
