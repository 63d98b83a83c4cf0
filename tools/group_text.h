// A group as people and programs read it.
#pragma once

#include <almanac/projections/groups.h>

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace almanac {

// "open", "closed", or once it is over how: "succeeded", "failed", "cancelled".
[[nodiscard]] std::string_view group_state(const Group& group);
// Its name, its state and its times; without what follows from its tasks.
[[nodiscard]] nlohmann::ordered_json group_json(const Group& group);

}  // namespace almanac
