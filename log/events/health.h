// The events of the health domain as C++ sees them.
#pragma once

#include <cstdint>
#include <string_view>

namespace almanac {

enum class Health : std::uint8_t {
  healthy,
  degraded,   // it works, and somebody should look
  unhealthy,  // much of it does not
};
inline constexpr int health_count = 3;
[[nodiscard]] std::string_view name(Health health);

// Of what an engine keeps an eye on, once it has lasted.
struct HealthChanged {
  Health from = Health::healthy;
  Health to = Health::healthy;
  std::string_view reasons;  // a line for each, the worst first; empty where it is healthy
};

}  // namespace almanac
