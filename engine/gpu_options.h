// What an engine is told about watching GPUs, what it sees, and what it tells.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/gpu.h>
#include <almanac/log/types.h>
#include <almanac/projections/gpu.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace almanac {

// When there is something to say. Percentages are of a heap's size, used by all.
struct GpuSetting {
  std::uint32_t warning_percent = 80;
  std::uint32_t critical_percent = 90;
  std::uint32_t hysteresis_percent = 5;  // a level is left so far below where it is entered
  // A sample is an event when what is used of a heap, or its budget, has changed by so much, or
  // when the one before is as old as that.
  std::uint32_t step_percent = 2;
  Duration sample_interval = std::chrono::minutes(1);
};

struct GpuWatchOptions {
  GpuSetting setting;
  // Between two looks: the first while what is used changes or is near a threshold, from there
  // twice as long each time, up to the second.
  Duration interval_min = std::chrono::milliseconds(250);
  Duration interval_max = std::chrono::seconds(10);
  // Keeps a logical device on each GPU that is no processor, which is how its loss is seen. Takes a
  // little of its memory.
  bool holds_devices = true;
  std::string loader = "libvulkan.so.1";  // opened at run time
};

// Errors: invalid.
[[nodiscard]] Result<void> check(const GpuWatchOptions& options);

struct GpuHeapReading {
  GpuMemory memory;
  bool is_local = false;
};

struct GpuDeviceReading {
  std::string device;  // its identity, the same after a restart of the driver or the machine
  std::string name;
  GpuKind kind = GpuKind::other;
  std::string trouble;  // it is lost, and this is what the driver says; empty = it works
  std::vector<GpuHeapReading> heaps;
};

// One look at all devices.
struct GpuReading {
  std::vector<GpuDeviceReading> devices;
  std::string trouble;  // why there is no driver to ask, or it does not answer; empty = it does
};

// A device that came or went, or an alert about one of its heaps.
struct GpuChange {
  enum class Kind : std::uint8_t { appeared, vanished, alert_raised, alert_cleared };
  Kind kind = Kind::appeared;
  std::string device;
  std::string name;
  Time at;
  GpuPresence presence = GpuPresence::present;
  // Of an alert:
  std::uint32_t heap = 0;
  GpuLevel level = GpuLevel::normal;
  GpuLevel before = GpuLevel::normal;
  GpuMemory memory;
};

}  // namespace almanac
