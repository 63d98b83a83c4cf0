#include <almanac/snapshots/models_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// 25 numbers, and the length of the commands, which follow behind the rows.
constexpr std::size_t model_columns = 27;

Row<model_columns> row_of(NameId id, const Model& model) {
  const ModelSetting& setting = model.setting;
  return {setting.commands.view().size(),
          id.value,
          setting.bytes,
          owner_number(setting.gpu),
          owner_number(setting.alternative),
          folded(setting.priority),
          std::uint64_t(setting.is_pinned),
          number_of(setting.residency),
          number_of(setting.timeout),
          std::uint64_t(model.state),
          owner_number(model.gpu),
          model.learned,
          model.reserved,
          number_of(model.load_time),
          model.uses,
          model.loads,
          model.failures,
          model.failures_in_row,
          model.evictions,
          model.slow_releases,
          model.degraded,
          model.registered.value,
          model.changed.value,
          number_of(model.changed_at),
          number_of(model.loaded_at),
          number_of(model.used_at),
          number_of(model.retry_at)};
}

Model model_in(const Row<model_columns>& row, std::string_view commands) {
  return {.setting = {.bytes = row[2],
                      .gpu = owner_of(row[3]),
                      .alternative = owner_of(row[4]),
                      .priority = static_cast<std::int32_t>(unfolded(row[5])),
                      .is_pinned = row[6] != 0,
                      .residency = duration_of(row[7]),
                      .timeout = duration_of(row[8]),
                      .commands = SharedText(commands)},
          .state = static_cast<ModelState>(row[9]),
          .gpu = owner_of(row[10]),
          .learned = row[11],
          .reserved = row[12],
          .load_time = duration_of(row[13]),
          .uses = row[14],
          .loads = row[15],
          .failures = row[16],
          .failures_in_row = small(row[17]),
          .evictions = row[18],
          .slow_releases = row[19],
          .degraded = row[20],
          .registered = Position(row[21]),
          .changed = Position(row[22]),
          .changed_at = time_of(row[23]),
          .loaded_at = time_of(row[24]),
          .used_at = time_of(row[25]),
          .retry_at = time_of(row[26])};
}

}  // namespace

void write_models(ColumnWriter& writer, const Models& models) {
  write_texts<model_columns>(
      writer, models.all, models.all.size(),
      [](const auto& entry) { return row_of(entry.key, entry.value); },
      [](const auto& entry) { return entry.value.setting.commands.view(); });
}

void read_models(ColumnReader& reader, State& state) {
  read_texts<model_columns>(reader, [&](const Row<model_columns>& row, std::string_view commands) {
    if (row[9] >= model_state_count || state.models.all.contains(name_of(row[1]))) {
      return reader.fail();
    }
    state.models.all.set(name_of(row[1]), model_in(row, commands));
  });
  if (reader.failed()) return;
  if (!broken_invariants(state.models, state.names).empty()) reader.fail();
}

bool has_gpu_use(const State& state) {
  return !state.tasks.on_gpu.empty() ||
         std::ranges::any_of(state.models.all,
                             [](const auto& entry) { return entry.value.heat > 0; });
}

void write_gpu_use(ColumnWriter& writer, const State& state) {
  const auto& places = state.tasks.on_gpu;
  writer.table<3>(places, places.size(), [](const auto& entry) {
    return Row<3>{entry.key.value, entry.value.gpu.value, entry.value.mebibytes};
  });
  const auto& models = state.models.all;
  writer.table<2>(models, models.size(),
                  [](const auto& entry) { return Row<2>{entry.key.value, entry.value.heat}; });
}

void read_gpu_use(ColumnReader& reader, State& state) {
  read_sorted<3>(reader, state.tasks.on_gpu, [](const Row<3>& row) {
    return std::pair(TaskId(row[0]), GpuPlace{name_of(row[1]), small(row[2])});
  });
  const auto same = [](const Row<2>& row) { return row; };
  for (const Row<2>& row : TableRows<2, decltype(same)>(reader, same)) {
    if (!state.models.all.contains(name_of(row[0]))) return reader.fail();
    state.models.all.edit(name_of(row[0]))->heat = row[1];
  }
}

}  // namespace almanac
