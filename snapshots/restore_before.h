// The moment to restore to when something is to be undone: the last one in front of it.
#pragma once

#include <almanac/projections/query.h>
#include <almanac/snapshots/restore.h>

namespace almanac {

// The last position of what `point` names, without a moment, behind which `query` does not hold and
// behind whose next one it does for the first time. Asks the query behind every event: O(events),
// and what asking costs. Of the options `progress` and `stop` matter. Errors: refused (it holds
// from the beginning of what is archived), not_found (it never does), those of plan_restore() and
// of reading, stopped.
[[nodiscard]] Result<Position> find_before(const Repository& repository, const RestorePoint& point,
                                           const Query& query, const RestoreOptions& options);

}  // namespace almanac
