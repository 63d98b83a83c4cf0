// The moments a reading command is asked about.
#pragma once

#include <almanac/log/log.h>

#include <filesystem>
#include <optional>
#include <string_view>

namespace almanac {

// `text` is a position ("1200"; 0 = before the first event) or a time as parse_moment() takes it,
// which stands for the last event that is not younger. Empty text is no position: the end of the
// log. O(log n). Errors: invalid, not_found (behind the end, or older than the first event there
// is), refused (it was trimmed), and those of Log::position_at.
[[nodiscard]] Result<std::optional<Position>> find_position(const Log& log, std::string_view text,
                                                            Time now);

// The same error; where a moment in front of the first that can be shown was refused, because the
// log was trimmed, with that as its next step. `asked` none = one in front of the log. `folder` is
// the one the log was opened in.
[[nodiscard]] Error with_first_state(Error error, const Log& log,
                                     const std::filesystem::path& folder,
                                     std::optional<Position> asked = {});

// From one position to another, of both of which there is a state.
struct PastRange {
  Position from;
  Position to;
};
struct PastRangeText {
  std::string_view from;  // as find_position() takes it; empty = the first there is a state of
  std::string_view to;    // empty = the end
};
// `folder` is the one the log was opened in. Errors: those of find_position(); invalid (`to` lies
// before `from`), refused (of a trimmed log without a checkpoint there is no state).
[[nodiscard]] Result<PastRange> find_range(const Log& log, const std::filesystem::path& folder,
                                           const PastRangeText& text);

}  // namespace almanac
