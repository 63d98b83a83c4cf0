#include <almanac/engine/reserve.h>

#include <almanac/engine/limits.h>

#include <algorithm>

namespace almanac {

std::size_t reserve_for(std::size_t attempts, std::size_t output_bytes) {
  auto ending = output_bytes + limits::message_bytes_max + limits::ending_overhead_bytes;
  attempts = std::min(attempts, limits::reserve_bytes_max / ending);
  auto steps =
      (2 * attempts * ending + limits::reserve_step_bytes - 1) / limits::reserve_step_bytes;
  return std::min(steps * limits::reserve_step_bytes, limits::reserve_bytes_max);
}

}  // namespace almanac
