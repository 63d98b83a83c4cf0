#include <almanac/projections/gpu.h>

#include <almanac/projections/tasks.h>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

GpuPresence presence_after(GpuAbsence absence) {
  switch (absence) {
    case GpuAbsence::removed: return GpuPresence::removed;
    case GpuAbsence::lost: return GpuPresence::lost;
    case GpuAbsence::driver: return GpuPresence::driver;
  }
  return GpuPresence::removed;
}

GpuHeap described(const GpuDeviceAppeared& event, std::uint32_t heap) {
  const std::uint64_t size = event.sizes[heap];
  return {.memory = {.size = size,
                     .budget = event.is_estimate ? estimated_budget(size) : size,
                     .is_estimate = event.is_estimate},
          .is_local = (event.local >> heap & 1U) != 0};
}

// Whether its heaps are the same, whatever is in them.
bool is_as_before(const Gpu& gpu, NameId id, const GpuDeviceAppeared& event) {
  const GpuDevice* known = gpu.devices.find(id);
  if (known == nullptr || known->heaps != event.sizes.size()) return false;
  for (std::uint32_t i = 0; i < known->heaps; ++i) {
    const GpuHeap& heap = *gpu.heaps.find({id, i});
    const GpuHeap now = described(event, i);
    if (heap.memory.size != now.memory.size || heap.is_local != now.is_local ||
        heap.memory.is_estimate != now.memory.is_estimate) {
      return false;
    }
  }
  return true;
}

void forget_heaps(Gpu& gpu, NameId id, const GpuDevice& device) {
  const auto kept = static_cast<std::uint32_t>(std::min(device.samples, gpu_samples_kept));
  for (std::uint32_t heap = 0; heap < device.heaps; ++heap) {
    gpu.heaps.erase({id, heap});
    for (std::uint32_t i = 0; i < kept; ++i) gpu.samples.erase({{id, heap}, i});
  }
}

// The device of an event, where it is there.
std::optional<NameId> present(const Gpu& gpu, const Names& names, std::string_view device) {
  const auto id = names.find(device);
  const GpuDevice* known = id ? gpu.devices.find(*id) : nullptr;
  return known != nullptr && known->presence == GpuPresence::present ? id : std::nullopt;
}

}  // namespace

std::string_view name(GpuPresence presence) {
  switch (presence) {
    case GpuPresence::unknown: return "unknown";
    case GpuPresence::present: return "present";
    case GpuPresence::removed: return "removed";
    case GpuPresence::lost: return "lost";
    case GpuPresence::driver: return "driver";
  }
  return "unknown";
}

std::uint64_t GpuMemory::others() const { return is_estimate || budget > size ? 0 : size - budget; }

std::uint64_t GpuMemory::used() const {
  const std::uint64_t by_others = others();
  return by_others + std::min(own, size - by_others);
}

std::uint64_t GpuMemory::available() const {
  const std::uint64_t most = std::min(budget, size);
  return most - std::min(own, most);
}

bool GpuMemory::reaches(std::uint32_t percent) const {
  return size > 0 && static_cast<double>(used()) * 100 >= static_cast<double>(size) * percent;
}

double GpuMemory::utilisation() const {
  return size == 0 ? 0 : static_cast<double>(used()) / static_cast<double>(size);
}

std::vector<GpuSample> Gpu::samples_of(const GpuHeapKey& heap) const {
  const GpuDevice* device = devices.find(heap.device);
  std::vector<GpuSample> found;
  if (device == nullptr || heap.heap >= device->heaps) return found;
  const std::uint64_t count = std::min(device->samples, gpu_samples_kept);
  for (std::uint64_t i = device->samples - count; i < device->samples; ++i) {
    found.push_back(*samples.find({heap, static_cast<std::uint32_t>(i % gpu_samples_kept)}));
  }
  return found;
}

bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuDeviceAppeared& event) {
  const NameId id = names.intern(event.device);
  GpuDevice device;
  if (is_as_before(gpu, id, event)) {
    device = *gpu.devices.find(id);
  } else {
    if (const GpuDevice* known = gpu.devices.find(id)) forget_heaps(gpu, id, *known);
    device.heaps = static_cast<std::uint32_t>(event.sizes.size());
    for (std::uint32_t i = 0; i < device.heaps; ++i) gpu.heaps.set({id, i}, described(event, i));
  }
  device.name = names.intern(event.name);
  device.kind = event.kind;
  device.presence = GpuPresence::present;
  device.changed = place.position;
  device.changed_at = place.at;
  gpu.devices.set(id, device);
  return true;
}

bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuDeviceVanished& event) {
  const auto id = names.find(event.device);
  if (!id || !gpu.devices.contains(*id)) return false;
  GpuDevice& device = *gpu.devices.edit(*id);
  device.presence = presence_after(event.absence);
  device.changed = place.position;
  device.changed_at = place.at;
  return true;
}

bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuSampled& event) {
  const auto id = present(gpu, names, event.device);
  if (!id) return false;
  const std::size_t heaps = gpu.devices.find(*id)->heaps;
  if (event.own.size() != heaps || event.budget.size() != heaps) return false;
  GpuDevice& device = *gpu.devices.edit(*id);
  const auto turn = static_cast<std::uint32_t>(device.samples++ % gpu_samples_kept);
  device.sampled_at = place.at;
  for (std::uint32_t i = 0; i < device.heaps; ++i) {
    GpuMemory& memory = gpu.heaps.edit({*id, i})->memory;
    memory.own = event.own[i];
    memory.budget = event.budget[i];
    gpu.samples.set({{*id, i}, turn}, {place.at, event.own[i], event.budget[i]});
  }
  return true;
}

bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuAlertRaised& event) {
  const auto id = present(gpu, names, event.device);
  if (!id || !gpu.heaps.contains({*id, event.heap})) return false;
  if (event.level == GpuLevel::normal) return false;
  GpuHeap& heap = *gpu.heaps.edit({*id, event.heap});
  heap.level = event.level;
  heap.alert = place.position;
  heap.alert_at = place.at;
  return true;
}

// Also of a device of which nothing is known yet, and that turns out to be gone.
bool fold(Gpu& gpu, Names& names, const EventPlace&, const GpuAlertCleared& event) {
  const auto id = names.find(event.device);
  if (!id || !gpu.heaps.contains({*id, event.heap})) return false;
  GpuHeap& heap = *gpu.heaps.edit({*id, event.heap});
  heap.level = GpuLevel::normal;
  heap.alert = Position();
  heap.alert_at = Time();
  return true;
}

void forget_presence(Gpu& gpu) {
  std::vector<NameId> known;
  for (const auto& [id, device] : gpu.devices) known.push_back(id);
  for (const NameId id : known) gpu.devices.edit(id)->presence = GpuPresence::unknown;
}

void Gpu::hash_into(StateHasher& hasher) const {
  if (devices.empty()) return;
  constexpr std::uint64_t part = 0x677075;  // "gpu"
  hasher.numbers(std::array{part, std::uint64_t{devices.size()}});
  for (const auto& [id, device] : devices) {
    hasher.numbers(std::array{std::uint64_t{id.value}, std::uint64_t{device.name.value},
                              std::uint64_t(device.kind), std::uint64_t(device.presence),
                              std::uint64_t{device.heaps}, device.samples, device.changed.value,
                              number_of(device.changed_at), number_of(device.sampled_at)});
  }
  for (const auto& [key, heap] : heaps) {
    hasher.numbers(std::array{
        std::uint64_t{key.device.value}, std::uint64_t{key.heap}, heap.memory.size, heap.memory.own,
        heap.memory.budget, std::uint64_t{heap.memory.is_estimate}, std::uint64_t{heap.is_local},
        std::uint64_t(heap.level), heap.alert.value, number_of(heap.alert_at)});
  }
  for (const auto& [key, sample] : samples) {
    hasher.numbers(std::array{std::uint64_t{key.heap.device.value}, std::uint64_t{key.heap.heap},
                              std::uint64_t{key.place}, number_of(sample.at), sample.own,
                              sample.budget});
  }
}

std::vector<std::string> broken_invariants(const Gpu& gpu, const Names& names) {
  std::vector<std::string> broken;
  const auto expect = [&](bool holds, NameId device, const char* otherwise) {
    if (!holds) broken.push_back("name " + std::to_string(device.value) + otherwise);
  };
  std::uint64_t heaps = 0;
  std::uint64_t samples = 0;
  for (const auto& [id, device] : gpu.devices) {
    expect(names.contains(id) && names.contains(device.name), id, " is a GPU without a name");
    heaps += device.heaps;
    samples += device.heaps * std::min(device.samples, gpu_samples_kept);
  }
  for (const auto& [key, heap] : gpu.heaps) {
    const GpuDevice* device = gpu.devices.find(key.device);
    expect(device != nullptr && key.heap < device->heaps, key.device,
           " has a heap that is not the device's");
    if (device == nullptr) continue;
    const bool is_normal = heap.level == GpuLevel::normal;
    const bool can_tell =
        device->presence == GpuPresence::present || device->presence == GpuPresence::unknown;
    expect(is_normal == !heap.alert, key.device, " has an alert that nothing raised");
    expect(is_normal || can_tell, key.device, " has an alert and is not there");
  }
  for (const auto& [key, sample] : gpu.samples) {
    const GpuDevice* device = gpu.devices.find(key.heap.device);
    const bool is_kept = device != nullptr && key.heap.heap < device->heaps &&
                         key.place < std::min(device->samples, gpu_samples_kept);
    expect(is_kept, key.heap.device, " has a sample in no place");
  }
  expect(heaps == gpu.heaps.size(), {}, " and other GPUs miss a heap");
  expect(samples == gpu.samples.size(), {}, " and other GPUs miss a sample");
  return broken;
}

}  // namespace almanac
