#include <almanac/log/events/gpu.h>

namespace almanac {

std::string_view name(GpuKind kind) {
  switch (kind) {
    case GpuKind::other: return "other";
    case GpuKind::integrated: return "integrated";
    case GpuKind::discrete: return "discrete";
    case GpuKind::virtual_gpu: return "virtual";
    case GpuKind::cpu: return "cpu";
  }
  return "unknown";
}

std::string_view name(GpuAbsence absence) {
  switch (absence) {
    case GpuAbsence::removed: return "removed";
    case GpuAbsence::lost: return "lost";
    case GpuAbsence::driver: return "driver";
  }
  return "unknown";
}

std::string_view name(GpuLevel level) {
  switch (level) {
    case GpuLevel::normal: return "normal";
    case GpuLevel::warning: return "warning";
    case GpuLevel::critical: return "critical";
  }
  return "unknown";
}

}  // namespace almanac
