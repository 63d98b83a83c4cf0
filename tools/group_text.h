// A group as people and programs read it.
#pragma once

#include <almanac/projections/tasks.h>

#include <nlohmann/json_fwd.hpp>

#include <string_view>

namespace almanac {

// "open", "closed", or once it is over how: "succeeded", "failed", "cancelled".
[[nodiscard]] std::string_view group_state(const Group& group);
// Its name, its state and its times; without what follows from its tasks.
[[nodiscard]] nlohmann::ordered_json group_json(const Group& group);
// With what does: what `almanac group list --json` prints of it. O(its tasks).
[[nodiscard]] nlohmann::ordered_json group_json(const Tasks& tasks, GroupId id);

}  // namespace almanac
