// A moment for tests that need any.
#pragma once

#include <almanac/log/types.h>

namespace almanac::test {

inline constexpr Time noon(Duration(1'700'000'000'000'000));

}  // namespace almanac::test
