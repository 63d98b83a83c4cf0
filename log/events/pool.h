// The events of the pool domain as C++ sees them: instances that are used by one at a time.
#pragma once

#include <cstdint>
#include <string_view>

namespace almanac {

// Why an instance is used no more.
enum class PoolRetirement : std::uint8_t {
  age,        // PoolOptions::age_max
  uses,       // uses_max
  slow,       // in use for longer than slow_after, whether it has come back or not
  error,      // what was reported of it matches one of the error rules
  probe,      // its probe said no
  discarded,  // its user said so
  surplus,    // a temporary one, and nobody waits
  closed,     // with its pool
};
inline constexpr int pool_retirement_count = 8;
[[nodiscard]] std::string_view name(PoolRetirement reason);

// Instances are numbered in the order in which their pool made them, from 1 each time that a
// program opens it.
struct InstanceCreated {
  std::string_view pool;
  std::uint64_t instance = 0;
  bool is_temporary = false;  // beyond the pool's size
};

struct InstanceRetired {
  std::string_view pool;
  std::uint64_t instance = 0;
  PoolRetirement reason = PoolRetirement::age;
  std::string_view message;
};

// One could not be made, or said no when it was first probed.
struct InstanceFailed {
  std::string_view pool;
  std::string_view message;
};

// Somebody waits for long; once until nobody does.
struct PoolExhausted {
  std::string_view pool;
};

}  // namespace almanac
