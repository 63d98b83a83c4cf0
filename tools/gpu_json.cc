#include <almanac/tools/gpu_json.h>

#include <almanac/projections/gpu_memory.h>
#include <almanac/tools/state_json.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

ordered_json gpu_json(const Names& names, const GpuDevice& device) {
  return {{"name", names.text(device.name)},
          {"kind", name(device.kind)},
          {"presence", name(device.presence)},
          {"changed", device.changed.value},
          {"changed_at", time_json(device.changed_at)},
          {"samples", device.samples},
          {"sampled_at", time_json(device.sampled_at)}};
}

std::uint64_t held_by_tasks(const State& state, NameId gpu) {
  std::uint64_t bytes = 0;
  for (const auto& [id, place] : state.tasks.on_gpu) {
    if (place.gpu == gpu) bytes += place.mebibytes * bytes_of_mebibyte;
  }
  return bytes;
}

ordered_json gpu_json(const State& state, NameId gpu, const GpuDevice& device) {
  ordered_json json{{"device", state.names.text(gpu)}};
  json.update(gpu_json(state.names, device));
  json["held_by_tasks"] = held_by_tasks(state, gpu);
  json["heaps"] = ordered_json::array();
  for (std::uint32_t i = 0; i < device.heaps; ++i) {
    json["heaps"].push_back(gpu_heap_json(*state.gpu.heaps.find({gpu, i})));
  }
  return json;
}

ordered_json gpu_memory_json(const GpuMemory& memory) {
  // Of an estimate nobody knows what is used.
  const auto known = [&](auto value) {
    return memory.is_estimate ? ordered_json() : ordered_json(value);
  };
  return {{"size", memory.size},
          {"used", known(memory.used())},
          {"own", known(memory.own)},
          {"others", known(memory.others())},
          {"budget", memory.budget},
          {"available", memory.available()},
          {"utilisation", known(memory.utilisation())},
          {"is_estimate", memory.is_estimate}};
}

ordered_json gpu_heap_json(const GpuHeap& heap) {
  ordered_json json = gpu_memory_json(heap.memory);
  json["is_local"] = heap.is_local;
  json["level"] = name(heap.level);
  json["alert"] = heap.alert.value;
  json["alert_at"] = time_json(heap.alert_at);
  return json;
}

}  // namespace almanac
