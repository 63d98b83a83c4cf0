#include <almanac/engine/gpu.h>
#include <almanac/engine/gpu_vulkan.h>
#include <almanac/tools/gpu_commands.h>
#include <almanac/tools/gpu_json.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace almanac {
namespace {

using nlohmann::ordered_json;

void print_json(const ordered_json& json) {
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

// Of an estimate nobody knows what is used.
std::string percent(const GpuMemory& memory) {
  if (memory.is_estimate) return "?";
  return fmt::format("{}%", static_cast<int>(memory.utilisation() * 100));
}

std::string used_by_us(const GpuMemory& memory) {
  return memory.is_estimate ? "?" : format_bytes(memory.own);
}

std::string used_by_others(const GpuMemory& memory) {
  return memory.is_estimate ? "?" : format_bytes(memory.others());
}

std::string available(const GpuMemory& memory) {
  return (memory.is_estimate ? "~" : "") + format_bytes(memory.available());
}

std::string short_time(Time time) {
  return time == Time() ? "-" : format_time(time).substr(0, 19) + "Z";
}

Table heaps_table(std::string_view last) {
  return Table({"DEVICE", "NAME", "STATE", "HEAP", "SIZE", "USED", "OURS", "OTHERS", "FREE",
                "TASKS", "LEVEL", std::string(last)});
}

struct GpuLine {
  std::string_view device;
  std::string_view name;
  std::string_view presence;
  std::uint32_t heap = 0;
  const GpuMemory& memory;
  bool is_local = false;
  GpuLevel level = GpuLevel::normal;
  std::string last;
  std::uint64_t held = 0;  // by tasks
};

void add(Table& table, const GpuLine& line) {
  table.add({printable(line.device.substr(0, 8)), printable(line.name), std::string(line.presence),
             fmt::format("{}{}", line.heap, line.is_local ? "" : " host"),
             format_bytes(line.memory.size), percent(line.memory), used_by_us(line.memory),
             used_by_others(line.memory), available(line.memory),
             line.held == 0 ? "-" : format_bytes(line.held), std::string(name(line.level)),
             line.last});
}

// That is of its own, and the largest: of that they have it.
std::uint32_t own_heap(const State& state, NameId gpu, const GpuDevice& device) {
  std::uint32_t own = 0;
  std::uint64_t size = 0;
  for (std::uint32_t i = 0; i < device.heaps; ++i) {
    const GpuHeap& heap = *state.gpu.heaps.find({gpu, i});
    if (!heap.is_local || heap.memory.size <= size) continue;
    own = i;
    size = heap.memory.size;
  }
  return own;
}

// Those whose identity is this, or begins so.
std::vector<NameId> find_devices(const State& state, std::string_view wanted) {
  std::vector<NameId> found;
  for (const auto& [id, device] : state.gpu.devices) {
    const std::string_view identity = state.names.text(id);
    if (identity == wanted) return {id};
    if (identity.starts_with(wanted)) found.push_back(id);
  }
  return found;
}

ordered_json samples_json(const State& state, NameId id, std::uint32_t heap) {
  GpuMemory memory = state.gpu.heaps.find({id, heap})->memory;
  ordered_json samples = ordered_json::array();
  for (const GpuSample& sample : state.gpu.samples_of({id, heap})) {
    memory.own = sample.own;
    memory.budget = sample.budget;
    samples.push_back({{"at", time_json(sample.at)},
                       {"used", memory.used()},
                       {"own", memory.own},
                       {"budget", memory.budget}});
  }
  return samples;
}

void print_heap(const State& state, NameId id, std::uint32_t number) {
  const GpuHeap& heap = *state.gpu.heaps.find({id, number});
  GpuMemory memory = heap.memory;
  fmt::print("\nheap {}  {}  {}\n", number, format_bytes(memory.size),
             heap.is_local ? "of the device" : "of the machine");
  if (memory.is_estimate) fmt::print("  the driver does not say what is used: an estimate\n");
  if (heap.level != GpuLevel::normal) {
    fmt::print("  {} since {}\n", name(heap.level), short_time(heap.alert_at));
  }
  Table table({"AT", "USED", "OURS", "OTHERS", "FREE"});
  for (const GpuSample& sample : state.gpu.samples_of({id, number})) {
    memory.own = sample.own;
    memory.budget = sample.budget;
    table.add({format_time(sample.at).substr(0, 23) + "Z", percent(memory), used_by_us(memory),
               used_by_others(memory), available(memory)});
  }
  fmt::print("{}", table.text(terminal_columns()));
}

}  // namespace

ExitCode gpu_list(const GpuListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  Table table = heaps_table("LAST");
  for (const auto& [id, device] : state.gpu.devices) {
    if (command.json) {
      print_json(gpu_json(state, id, device));
      continue;
    }
    const std::uint32_t own = own_heap(state, id, device);
    for (std::uint32_t i = 0; i < device.heaps; ++i) {
      const GpuHeap& heap = *state.gpu.heaps.find({id, i});
      add(table, {.device = state.names.text(id),
                  .name = state.names.text(device.name),
                  .presence = name(device.presence),
                  .heap = i,
                  .memory = heap.memory,
                  .is_local = heap.is_local,
                  .level = heap.level,
                  .last = short_time(device.sampled_at),
                  .held = i == own ? held_by_tasks(state, id) : 0});
    }
  }
  if (command.json) return ExitCode::ok;
  if (state.gpu.devices.empty()) {
    fmt::print("no GPUs; `almanac run --gpu-watch` watches them\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

ExitCode gpu_show(const GpuShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const auto found = find_devices(state, command.device);
  if (found.size() != 1) {
    return report({ErrorCode::not_found,
                   fmt::format("{} GPU is known by '{}'", found.empty() ? "no" : "more than one",
                               printable(command.device)),
                   "`almanac gpu list` shows those there are"});
  }
  const NameId id = found.front();
  const GpuDevice& device = *state.gpu.devices.find(id);
  if (command.json) {
    ordered_json json = gpu_json(state, id, device);
    for (std::uint32_t i = 0; i < device.heaps; ++i) {
      json["heaps"][i]["samples"] = samples_json(state, id, i);
    }
    print_json(json);
    return ExitCode::ok;
  }
  fmt::print("{}  {}\n", printable(state.names.text(id)), printable(state.names.text(device.name)));
  fmt::print("  {}, {} since {}\n", name(device.kind), name(device.presence),
             short_time(device.changed_at));
  for (std::uint32_t i = 0; i < device.heaps; ++i) print_heap(state, id, i);
  return ExitCode::ok;
}

ExitCode gpu_probe(const GpuProbeCommand& command) {
  const GpuReading reading = Vulkan(GpuWatchOptions{}).read();
  Table table = heaps_table("TROUBLE");
  for (const GpuDeviceReading& seen : reading.devices) {
    ordered_json json{{"device", seen.device},
                      {"name", seen.name},
                      {"kind", name(seen.kind)},
                      {"trouble", seen.trouble},
                      {"heaps", ordered_json::array()}};
    for (std::uint32_t i = 0; i < seen.heaps.size(); ++i) {
      const GpuHeapReading& heap = seen.heaps[i];
      json["heaps"].push_back(gpu_memory_json(heap.memory));
      json["heaps"].back()["is_local"] = heap.is_local;
      add(table, {.device = seen.device,
                  .name = seen.name,
                  .presence = seen.trouble.empty() ? "present" : "lost",
                  .heap = i,
                  .memory = heap.memory,
                  .is_local = heap.is_local,
                  .level = heap.is_local ? level_after(GpuLevel::normal, heap.memory, {})
                                         : GpuLevel::normal,
                  .last = seen.trouble.empty() ? "-" : printable(seen.trouble)});
    }
    if (command.json) print_json(json);
  }
  if (command.json) return ExitCode::ok;
  if (reading.devices.empty()) {
    fmt::print("no GPUs{}{}\n", reading.trouble.empty() ? "" : ": ", printable(reading.trouble));
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

}  // namespace almanac
