// A task under review as programs read it: what `almanac review list --json` prints.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace almanac {

[[nodiscard]] nlohmann::ordered_json review_json(TaskId id, const Hold& hold,
                                                 std::string_view label);

}  // namespace almanac
