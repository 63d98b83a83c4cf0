#include <almanac/log/gathering.h>

#include <algorithm>

namespace almanac {
namespace {

// Fewer are not worth waiting for.
constexpr std::size_t appends_min = 8;
// After each wait in vain twice as many frames do not wait, up to this power of two: then less than
// two in a hundred do.
constexpr unsigned vain_max = 6;

}  // namespace

void Gathering::written(std::size_t appends, std::size_t waiting, Clock::time_point now,
                        Clock::duration took) {
  if (expected_ > 0) {
    vain_ = complete(appends) ? 0 : std::min(vain_ + 1, vain_max);
    skipped_ = vain_ > 0 ? 1U << vain_ : 0;
  }
  expected_ = 0;
  if (skipped_ > 0) {
    --skipped_;
    return;
  }
  const auto in_flight = appends + waiting;
  if (in_flight < appends_min) return;
  // Of many, some have something else to do.
  expected_ = in_flight - in_flight / 8;
  until_ = now + took;
}

}  // namespace almanac
