#include <almanac/engine/duration_histogram.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace almanac {

std::uint64_t DurationHistogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

DurationHistogram::Nanoseconds DurationHistogram::quantile(double share) const {
  const std::uint64_t all = count();
  if (all == 0) return Nanoseconds(0);
  const double rank = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(all));
  const std::uint64_t wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, all);
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += counts_[bucket]) < wanted) ++bucket;
  return longest_in(bucket);
}

}  // namespace almanac
