// How much room the log keeps so that what runs can end when there is no space.
#pragma once

#include <cstddef>

namespace almanac {

// What the ends of so many attempts may take, of each of which `output_bytes` are kept at most: a
// multiple of the step, up to the ceiling (limits.h). None for no attempts.
[[nodiscard]] std::size_t reserve_for(std::size_t attempts, std::size_t output_bytes);

}  // namespace almanac
