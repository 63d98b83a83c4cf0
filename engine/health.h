// How well something is, in three steps, with the reasons.
#pragma once

#include <almanac/log/events/health.h>

#include <cstdint>
#include <string>
#include <vector>

namespace almanac {

struct HealthReason {
  Health health = Health::degraded;  // as far as this alone goes
  std::string sentence;              // without a final full stop
  bool operator==(const HealthReason&) const = default;
};

// The worst of them; healthy where there is none.
[[nodiscard]] Health health_of(const std::vector<HealthReason>& reasons);

// What a share of failures means, in thousandths of what has ended. Above is worse.
struct FailureThresholds {
  std::uint64_t ended_min = 10;  // before a share says anything
  std::uint16_t degraded_permille = 50;
  std::uint16_t unhealthy_permille = 250;
};
[[nodiscard]] Health health_of(std::uint64_t failed, std::uint64_t ended,
                               const FailureThresholds& thresholds);
[[nodiscard]] bool is_above(std::uint64_t some, std::uint64_t all, std::uint16_t permille);
// "15.0%"
[[nodiscard]] std::string percent_text(std::uint64_t some, std::uint64_t all);

}  // namespace almanac
