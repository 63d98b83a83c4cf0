#include <almanac/snapshots/gpu_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <cstddef>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t device_columns = 9;
constexpr std::size_t heap_columns = 10;
constexpr std::size_t sample_columns = 6;

Row<device_columns> row_of(NameId id, const GpuDevice& device) {
  return {id.value,
          device.name.value,
          std::uint64_t(device.kind),
          std::uint64_t(device.presence),
          device.heaps,
          device.samples,
          device.changed.value,
          number_of(device.changed_at),
          number_of(device.sampled_at)};
}

GpuDevice device_in(const Row<device_columns>& row) {
  return {.name = name_of(row[1]),
          .kind = static_cast<GpuKind>(row[2]),
          .presence = static_cast<GpuPresence>(row[3]),
          .heaps = small(row[4]),
          .samples = row[5],
          .changed = Position(row[6]),
          .changed_at = time_of(row[7]),
          .sampled_at = time_of(row[8])};
}

Row<heap_columns> row_of(const GpuHeapKey& key, const GpuHeap& heap) {
  return {key.device.value,
          key.heap,
          heap.memory.size,
          heap.memory.own,
          heap.memory.budget,
          std::uint64_t(heap.memory.is_estimate),
          std::uint64_t(heap.is_local),
          std::uint64_t(heap.level),
          heap.alert.value,
          number_of(heap.alert_at)};
}

GpuHeap heap_in(const Row<heap_columns>& row) {
  return {.memory = {.size = row[2], .own = row[3], .budget = row[4], .is_estimate = row[5] != 0},
          .is_local = row[6] != 0,
          .level = static_cast<GpuLevel>(row[7]),
          .alert = Position(row[8]),
          .alert_at = time_of(row[9])};
}

}  // namespace

void write_gpu(ColumnWriter& writer, const Gpu& gpu) {
  writer.table<device_columns>(gpu.devices, gpu.devices.size(),
                               [](const auto& entry) { return row_of(entry.key, entry.value); });
  writer.table<heap_columns>(gpu.heaps, gpu.heaps.size(),
                             [](const auto& entry) { return row_of(entry.key, entry.value); });
  writer.table<sample_columns>(gpu.samples, gpu.samples.size(), [](const auto& entry) {
    const auto& [key, sample] = entry;
    return Row<sample_columns>{key.heap.device.value, key.heap.heap, key.place,
                               number_of(sample.at),  sample.own,    sample.budget};
  });
}

void read_gpu(ColumnReader& reader, State& state) {
  Gpu& gpu = state.gpu;
  read_sorted<device_columns>(reader, gpu.devices, [&](const Row<device_columns>& row) {
    const bool makes_sense = row[2] < gpu_kind_count && row[3] < gpu_presence_count;
    if (!makes_sense) reader.fail();
    return std::pair(name_of(row[0]), device_in(row));
  });
  read_sorted<heap_columns>(reader, gpu.heaps, [&](const Row<heap_columns>& row) {
    if (row[7] >= gpu_level_count) reader.fail();
    return std::pair(GpuHeapKey{name_of(row[0]), small(row[1])}, heap_in(row));
  });
  read_sorted<sample_columns>(reader, gpu.samples, [&](const Row<sample_columns>& row) {
    return std::pair(GpuSampleKey{{name_of(row[0]), small(row[1])}, small(row[2])},
                     GpuSample{time_of(row[3]), row[4], row[5]});
  });
  if (reader.failed()) return;
  if (!broken_invariants(gpu, state.names).empty()) reader.fail();
}

}  // namespace almanac
