// What an engine's trim came to. Part of engine.h.
#pragma once

#include <almanac/log/trim.h>

#include <cstddef>

namespace almanac {

struct EngineTrimReport {
  TrimReport log;
  std::size_t carried = 0;  // events written again because tasks still need them
};

}  // namespace almanac
