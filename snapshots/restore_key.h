// The moment to restore to when an event is meant: where it is.
#pragma once

#include <almanac/snapshots/restore.h>

#include <string_view>

namespace almanac {

// The position of the event with this idempotency key in what `point` names, without a moment; the
// first one, where a log that was written without an index has several. Reads what is archived up
// to it: O(events). Of the options `progress` and `stop` matter. Errors: not_found (it has none),
// those of plan_restore() and of reading, stopped.
[[nodiscard]] Result<Position> find_key(const Repository& repository, const RestorePoint& point,
                                        std::string_view key, const RestoreOptions& options);

}  // namespace almanac
