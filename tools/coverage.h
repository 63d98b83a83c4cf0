// What of a log's time its snapshots hold, as ranges and as a picture.
#pragma once

#include <almanac/tools/bar_plot.h>

#include <almanac/snapshots/archive_verify.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace almanac {

// Of one log, in the snapshots and the tail that are whole.
struct Coverage {
  struct Range {
    Position first;
    Position last;
    Time first_time;
    Time last_time;
  };
  struct Mark {
    std::uint64_t number = 0;
    Time time;  // where the snapshot ends
  };

  Timeline timeline{};
  std::vector<Range> ranges;  // in order, none touching the next
  std::vector<Mark> marks;    // in order
};

// In the order in which the logs were first archived. O(segments).
[[nodiscard]] std::vector<Coverage> coverage_of(std::span<const CheckedSnapshot> snapshots,
                                                std::span<const CheckedTail> tails);

// Two lines, `columns` wide: the time that is covered between the first and the last event, and
// below it a mark where each snapshot ends.
[[nodiscard]] std::vector<std::string> picture_of(const Coverage& coverage, std::size_t columns,
                                                  Glyphs glyphs);

}  // namespace almanac
