// Recorded requests in a CSV file whose first line names the columns: a line for each, with when it
// arrived and how long it took.
#pragma once

#include <almanac/engine/recorded_work.h>

#include <string>
#include <vector>

namespace almanac {

// `columns` says where something stands under another name than the usual ones: "queue=model".
//   arrival   a moment as parse_moment() takes it, or seconds since any beginning
//   duration  seconds, or "1m30s"; nothing where it is not known
//   kind, queue, priority (a number), outcome (one that begins with "fail" or "err" is a failure)
//   owner, deadline (a moment as the arrival), estimate (as the duration), model (what it names)
// Only the arrival must be there; rows may come in any order. Errors: invalid (with the line), and
// those of opening the file.
[[nodiscard]] Result<RecordedWork> read_trace(const std::string& path,
                                              const std::vector<std::string>& columns);

}  // namespace almanac
