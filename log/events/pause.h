// The events of the pause domain as C++ sees them.
#pragma once

#include <cstdint>
#include <string_view>

namespace almanac {

// What a pause is of.
enum class PauseScope : std::uint8_t { queue, kind };
inline constexpr int pause_scope_count = 2;
[[nodiscard]] std::string_view name(PauseScope scope);

// No attempt begins there any more. What runs goes on.
struct WorkPaused {
  PauseScope scope = PauseScope::queue;
  std::string_view name;  // of the queue or the kind
};

struct WorkResumed {
  PauseScope scope = PauseScope::queue;
  std::string_view name;
};

}  // namespace almanac
