#include <almanac/engine/health.h>

#include <algorithm>

namespace almanac {

Health health_of(const std::vector<HealthReason>& reasons) {
  Health worst = Health::healthy;
  for (const HealthReason& reason : reasons) worst = std::max(worst, reason.health);
  return worst;
}

bool is_above(std::uint64_t some, std::uint64_t all, std::uint16_t permille) {
  return some * 1'000 > all * permille;
}

Health health_of(std::uint64_t failed, std::uint64_t ended, const FailureThresholds& thresholds) {
  if (ended < thresholds.ended_min) return Health::healthy;
  if (is_above(failed, ended, thresholds.unhealthy_permille)) return Health::unhealthy;
  if (is_above(failed, ended, thresholds.degraded_permille)) return Health::degraded;
  return Health::healthy;
}

std::string percent_text(std::uint64_t some, std::uint64_t all) {
  const std::uint64_t permille = all == 0 ? 0 : (some * 1'000 + all / 2) / all;
  return std::to_string(permille / 10) + "." + std::to_string(permille % 10) + "%";
}

}  // namespace almanac
