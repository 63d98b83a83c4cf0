// What `almanac snapshot restore --dry-run` says beside its plan: what the restored log would not
// have, or have otherwise, than the newest that is archived.
#pragma once

#include <almanac/snapshots/restore.h>

#include <nlohmann/json_fwd.hpp>

namespace almanac {

// Lines for people: how long it may take, how many tasks would vanish, come back and be held, with
// the first of each, and how many entries differ by projection.
void print(const RestorePlan& plan, const RestorePreview& preview);
// {"seconds": …, "vanish": […], "come_back": […], "held": […], "changes": {…}}, the changes those
// that state_changes() gives from the newest state to the restored one.
[[nodiscard]] nlohmann::ordered_json json_of(const RestorePlan& plan,
                                             const RestorePreview& preview);

}  // namespace almanac
