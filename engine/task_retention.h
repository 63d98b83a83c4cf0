// How long tasks are kept that have ended.
#pragma once

#include <almanac/log/types.h>

#include <chrono>
#include <optional>

namespace almanac {

// From their end on, by how they ended; none = for ever. What their queue says comes first
// (ConfigureQueue).
struct TaskRetention {
  std::optional<Duration> succeeded = std::chrono::days(3);
  std::optional<Duration> failed = std::chrono::days(365);
  std::optional<Duration> cancelled = std::chrono::days(365);

  [[nodiscard]] static TaskRetention keep_all() { return {{}, {}, {}}; }
  [[nodiscard]] bool forgets() const { return succeeded || failed || cancelled; }
};

}  // namespace almanac
