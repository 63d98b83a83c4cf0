#include <almanac/tools/coverage.h>

#include <algorithm>
#include <ranges>

namespace almanac {
namespace {

void add(std::vector<Coverage::Range>& ranges, std::span<const SegmentRecord> segments,
         const LogTail& end) {
  for (const SegmentRecord& segment : segments) {
    const SegmentHeader& header = segment.header;
    ranges.push_back({header.first, header.last, header.first_time, header.last_time});
  }
  // The last frame's events may be younger than itself.
  ranges.back().last_time = end.time;
}

// What touches or overlaps becomes one.
std::vector<Coverage::Range> joined(std::vector<Coverage::Range> ranges) {
  std::ranges::sort(ranges, {}, &Coverage::Range::first);
  std::vector<Coverage::Range> joined;
  for (const Coverage::Range& range : ranges) {
    if (joined.empty() || range.first > joined.back().last.next()) {
      joined.push_back(range);
      continue;
    }
    Coverage::Range& last = joined.back();
    last.last = std::max(last.last, range.last);
    last.last_time = std::max(last.last_time, range.last_time);
  }
  return joined;
}

}  // namespace

std::vector<Coverage> coverage_of(std::span<const CheckedSnapshot> snapshots,
                                  std::span<const CheckedTail> tails) {
  std::vector<Coverage> all;
  for (const CheckedSnapshot& snapshot : snapshots | std::views::reverse) {
    if (!snapshot.whole()) continue;
    const Manifest& manifest = *snapshot.manifest;
    auto own = std::ranges::find(all, manifest.timeline, &Coverage::timeline);
    if (own == all.end()) {
      all.push_back({.timeline = manifest.timeline, .ranges = {}, .marks = {}});
      own = all.end() - 1;
    }
    add(own->ranges, manifest.segments, manifest.tail);
    own->marks.push_back({snapshot.number, manifest.tail.time});
  }
  for (const CheckedTail& tail : tails) {
    auto own = std::ranges::find(all, tail.timeline, &Coverage::timeline);
    if (own != all.end() && tail.whole()) add(own->ranges, tail.tail->segments, tail.tail->end);
  }
  for (Coverage& coverage : all) coverage.ranges = joined(std::move(coverage.ranges));
  return all;
}

std::vector<std::string> picture_of(const Coverage& coverage, std::size_t columns, Glyphs glyphs) {
  const Time begin = coverage.ranges.front().first_time;
  const Duration span = coverage.ranges.back().last_time - begin;
  auto column_of = [&](Time time) {
    if (span <= Duration{0}) return std::size_t{0};
    const double share =
        static_cast<double>((time - begin).count()) / static_cast<double>(span.count());
    const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns - 1);
    return static_cast<std::size_t>(at);
  };
  std::vector<bool> covered(columns, span <= Duration{0});
  for (const Coverage::Range& range : coverage.ranges) {
    const auto end = column_of(range.last_time) + 1;
    std::fill(covered.begin() + static_cast<std::ptrdiff_t>(column_of(range.first_time)),
              covered.begin() + static_cast<std::ptrdiff_t>(end), true);
  }
  const std::string full = glyphs == Glyphs::blocks ? "█" : "#";
  const std::string none = glyphs == Glyphs::blocks ? "·" : ".";
  std::string line;
  for (const bool each : covered) line += each ? full : none;
  std::string marks(columns, ' ');
  for (const Coverage::Mark& mark : coverage.marks) marks[column_of(mark.time)] = '^';
  marks.erase(marks.find_last_not_of(' ') + 1);
  return {line, marks};
}

}  // namespace almanac
