// The events of the engine itself as C++ sees them: who ran, when, with which settings.
#pragma once

#include <cstdint>
#include <string_view>

namespace almanac {

struct EngineStarted {
  std::string_view version;
  std::uint64_t process_id = 0;
  std::uint32_t slots = 0;  // attempts that may run at once, over all queues
  std::uint64_t seed = 0;   // of everything drawn by chance until the next start
};

struct EngineStopped {};

}  // namespace almanac
