// SHA-256, for protocols that ask for it; what Almanac itself names content by is in hash.h. Any
// thread; allocates nothing.
#pragma once

#include <almanac/log/types.h>

#include <array>
#include <cstddef>

namespace almanac {

[[nodiscard]] std::array<std::byte, 32> sha256(Bytes bytes);

}  // namespace almanac
