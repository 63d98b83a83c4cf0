// Many small segments become few large ones, so that a manifest and the number of files stay small
// however often a log is archived.
#pragma once

#include <almanac/snapshots/repository.h>

#include <cstddef>
#include <span>

namespace almanac {

// How many segments at the end are to become one; 0 = none. From the last one forward, each that is
// not larger than all behind it together, once there are limits::segment_merge_count of them: what
// is written again ends in a segment at least twice as large, and of n snapshots there are some
// log2(n) segments.
[[nodiscard]] std::size_t count_to_merge(std::span<const SegmentRecord> segments);

// Writes one segment with the frames of these, which follow each other and stay as they are: other
// manifests may name them. Takes memory for two segments. Errors: as Repository::read() and
// Repository::write().
[[nodiscard]] Result<SegmentRecord> merge_segments(Repository& repository,
                                                   std::span<const SegmentRecord> segments,
                                                   std::size_t jobs);

}  // namespace almanac
