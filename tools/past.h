// The moment a reading command is asked about.
#pragma once

#include <almanac/log/log.h>

#include <optional>
#include <string_view>

namespace almanac {

// `text` is a position ("1200"; 0 = before the first event) or a time as parse_moment() takes it,
// which stands for the last event that is not younger. Empty text is no position: the end of the
// log. O(log n). Errors: invalid, not_found (behind the end, or older than the first event there
// is), and those of Log::position_at.
[[nodiscard]] Result<std::optional<Position>> find_position(const Log& log, std::string_view text,
                                                            Time now);

}  // namespace almanac
