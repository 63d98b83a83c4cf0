// The events of the queue domain as C++ sees them.
#pragma once

#include <cstdint>
#include <string_view>

namespace almanac {

struct QueueConfigured {
  std::string_view queue;
  std::uint32_t slots = 0;  // attempts that may run at once; 0 = as many as the engine has
};

}  // namespace almanac
