// Where a log branched off from another one, as programs read it.
#pragma once

#include <almanac/log/store.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

// {"timeline": …, "position": …, "digest": …, "forked": …}
[[nodiscard]] nlohmann::ordered_json origin_json(const LogOrigin& origin);

}  // namespace almanac
