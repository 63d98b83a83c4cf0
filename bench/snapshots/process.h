// Work in a process of its own: with nothing in memory yet, as a command begins.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace almanac::bench {

// What `work` answers. Stops the program when it does not come to its end. The caller has no other
// threads.
[[nodiscard]] std::vector<std::uint64_t> in_process(
    const std::function<std::vector<std::uint64_t>()>& work);

}  // namespace almanac::bench
