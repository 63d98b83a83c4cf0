// The events of the GPU domain as C++ sees them: devices and their memory. Devices are named by
// their identity, heaps by their place in the device's list; sizes are in bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace almanac {

enum class GpuKind : std::uint8_t { other, integrated, discrete, virtual_gpu, cpu };
inline constexpr int gpu_kind_count = 5;
[[nodiscard]] std::string_view name(GpuKind kind);

// Why a device cannot be used.
enum class GpuAbsence : std::uint8_t {
  removed,  // the driver no longer names it
  lost,     // it is there and does not work
  driver,   // no driver answers, or has any device
};
inline constexpr int gpu_absence_count = 3;
[[nodiscard]] std::string_view name(GpuAbsence absence);

// How full a heap is.
enum class GpuLevel : std::uint8_t { normal, warning, critical };
inline constexpr int gpu_level_count = 3;
[[nodiscard]] std::string_view name(GpuLevel level);

// Of a heap whose driver tells no budget: four fifths of its bytes.
[[nodiscard]] constexpr std::uint64_t estimated_budget(std::uint64_t size) { return size / 5 * 4; }

// There is a device, or it is back, or no longer as it was.
struct GpuDeviceAppeared {
  std::string_view device;
  std::string_view name;
  GpuKind kind = GpuKind::other;
  std::span<const std::uint64_t> sizes;  // of its heaps
  std::uint32_t local = 0;               // a bit for each heap that is memory of the device itself
  bool is_estimate = false;              // the driver does not say what is used
};

struct GpuDeviceVanished {
  std::string_view device;
  GpuAbsence absence = GpuAbsence::removed;
  std::string_view message;
};

// Both are as long as the device has heaps.
struct GpuSampled {
  std::string_view device;
  std::span<const std::uint64_t> own;     // used by the process that looks
  std::span<const std::uint64_t> budget;  // what it may use, with what it uses
};

// Also from critical back to warning.
struct GpuAlertRaised {
  std::string_view device;
  std::uint32_t heap = 0;
  GpuLevel level = GpuLevel::normal;
  GpuLevel before = GpuLevel::normal;
};

struct GpuAlertCleared {
  std::string_view device;
  std::uint32_t heap = 0;
};

}  // namespace almanac
