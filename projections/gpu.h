// The devices that compute beside the processor, and their memory: what there is, how full it is
// and was, and what is said about that. Devices are named by their identity.
#pragma once

#include <almanac/log/events/gpu.h>
#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/state_hasher.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

enum class GpuPresence : std::uint8_t {
  unknown,  // nobody has looked since an engine started
  present,
  removed,  // the driver no longer names it
  lost,     // it is there and does not work
  driver,   // no driver answers, or has any device
};
inline constexpr int gpu_presence_count = 5;
[[nodiscard]] std::string_view name(GpuPresence presence);

// The memory of one heap at one time, in bytes, as the driver says it. What it says need not fit
// together: the functions below answer what makes sense of it.
struct GpuMemory {
  std::uint64_t size = 0;
  std::uint64_t own = 0;     // used by the process that looked
  std::uint64_t budget = 0;  // what that process may use, with what it uses
  bool is_estimate = false;  // the driver does not say: own is 0, and budget is made of the size
  bool operator==(const GpuMemory&) const = default;

  // By other processes; 0 of an estimate.
  [[nodiscard]] std::uint64_t others() const;
  [[nodiscard]] std::uint64_t used() const;  // by all; never more than the size
  // What that process may still use.
  [[nodiscard]] std::uint64_t available() const;
  // used() of the size is at least so much.
  [[nodiscard]] bool reaches(std::uint32_t percent) const;
  [[nodiscard]] double utilisation() const;  // 0 to 1
};

struct GpuDevice {
  NameId name;
  GpuKind kind = GpuKind::other;
  GpuPresence presence = GpuPresence::unknown;
  std::uint32_t heaps = 0;
  std::uint64_t samples = 0;  // of each heap since it was described, more than are kept
  Position changed;           // when it appeared or vanished last
  Time changed_at;
  Time sampled_at;  // not set = never since it was described
  bool operator==(const GpuDevice&) const = default;
};

struct GpuHeapKey {
  NameId device;
  std::uint32_t heap = 0;
  auto operator<=>(const GpuHeapKey&) const = default;
};

struct GpuHeap {
  GpuMemory memory;
  bool is_local = false;  // of the device itself, not of the machine: the one that alerts are about
  GpuLevel level = GpuLevel::normal;
  Position alert;  // that raised the level; not set while it is normal
  Time alert_at;
  bool operator==(const GpuHeap&) const = default;
};

// The samples of a heap take turns in so many places.
inline constexpr std::uint64_t gpu_samples_kept = 100;

struct GpuSampleKey {
  GpuHeapKey heap;
  std::uint32_t place = 0;  // the number of the sample modulo gpu_samples_kept
  auto operator<=>(const GpuSampleKey&) const = default;
};

struct GpuSample {
  Time at;
  std::uint64_t own = 0;
  std::uint64_t budget = 0;
  bool operator==(const GpuSample&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Gpu {
  PersistentMap<NameId, GpuDevice> devices;
  PersistentMap<GpuHeapKey, GpuHeap> heaps;
  PersistentMap<GpuSampleKey, GpuSample> samples;

  // Oldest first.
  [[nodiscard]] std::vector<GpuSample> samples_of(const GpuHeapKey& heap) const;
  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuDeviceAppeared& event);
// What contradicts the state changes nothing, and the answer is false: of these, what is said of a
// device or a heap that is not there, or of another number of heaps.
bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuDeviceVanished& event);
bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuSampled& event);
bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuAlertRaised& event);
bool fold(Gpu& gpu, Names& names, const EventPlace& place, const GpuAlertCleared& event);
// Another program may run on another machine.
void forget_presence(Gpu& gpu);

// What is wrong with it; empty where nothing is (invariants.h).
[[nodiscard]] std::vector<std::string> broken_invariants(const Gpu& gpu, const Names& names);

}  // namespace almanac
