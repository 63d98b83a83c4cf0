// Other embedded stores, each told to make every append durable before it returns.
#pragma once

#include <almanac/bench/log/subject.h>

namespace almanac::bench {

[[nodiscard]] System lmdb();
[[nodiscard]] System sqlite();
[[nodiscard]] System rocksdb();

}  // namespace almanac::bench
