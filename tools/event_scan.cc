#include <almanac/tools/event_scan.h>

#include <algorithm>

namespace almanac {
namespace {

// Where the filter's positions and times begin and end in this log; last < first when nowhere.
struct Range {
  Position first;
  Position last;
};

Result<Range> range_of(const Log& log, const EventFilter& filter) {
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  Range range{std::max(filter.from, Position(1)), tail->last};
  if (filter.to) range.last = std::min(range.last, filter.to);
  if (filter.since) {
    auto first = log.position_at(*filter.since);
    if (!first) return std::unexpected(first.error());
    range.first = std::max(range.first, *first);
  }
  if (filter.until) {
    auto end = log.position_at(*filter.until + Duration(1));
    if (!end) return std::unexpected(end.error());
    range.last = std::min(range.last, Position(end->value - 1));
  }
  return range;
}

// Counts what matches against the limit.
class Matching {
 public:
  Matching(const EventFilter& filter, std::uint64_t limit, const Log::Visit& visit)
      : filter_(filter), limit_(limit), visit_(visit) {}

  Result<bool> see(const RecordedEvent& event) {
    if (!filter_.matches(event)) return true;
    auto more = visit_(event);
    if (!more || !*more) return more;
    return ++count_ != limit_;
  }

 private:
  const EventFilter& filter_;
  std::uint64_t limit_;
  const Log::Visit& visit_;
  std::uint64_t count_ = 0;
};

Result<void> scan_forward(const Log& log, Range range, Matching matching) {
  return log.read(range.first, [&](const RecordedEvent& event) -> Result<bool> {
    if (event.position > range.last) return false;
    return matching.see(event);
  });
}

Result<void> scan_backward(const Log& log, Range range, Matching matching) {
  return log.read_backward(range.last, [&](const RecordedEvent& event) -> Result<bool> {
    if (event.position < range.first) return false;
    return matching.see(event);
  });
}

}  // namespace

Result<void> scan_events(const Log& log, const EventFilter& filter, const ScanOptions& options,
                         const Log::Visit& visit) {
  auto range = range_of(log, filter);
  if (!range) return std::unexpected(range.error());
  if (range->last < range->first) return {};
  Matching matching(filter, options.limit, visit);
  return options.reverse ? scan_backward(log, *range, matching)
                         : scan_forward(log, *range, matching);
}

}  // namespace almanac
