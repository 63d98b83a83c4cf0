// The log of one snapshot, read out of its archive in the manner of log/log.h.
#pragma once

#include <almanac/snapshots/repository.h>

#include <utility>

namespace almanac {

// The file of a segment that is the one its manifest means. Errors name it: those of
// Repository::read, corrupt, newer_format.
[[nodiscard]] Result<ArchiveSegment> open_segment(const Repository& repository,
                                                  const SegmentRecord& record);

// Any thread; must not outlive the repository. Errors name the file.
class ArchivedLog {
 public:
  ArchivedLog(const Repository& repository, Manifest manifest)
      : repository_(repository), manifest_(std::move(manifest)) {}

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  // What lies in front of its first event; its time is not known, and not behind that.
  [[nodiscard]] LogTail base() const;

  // Frame by frame, from the one that holds `from`, to the snapshot's end. Each has proven that it
  // goes on from the one before. Takes memory for one segment. Errors: not_found, corrupt,
  // newer_format, refused, io, what `visit` returns.
  [[nodiscard]] Result<void> read_frames(Position from, const FrameVisit& visit) const;
  // The first event that is not older than `time`; behind the end when all are. Reads one segment,
  // at most two.
  [[nodiscard]] Result<Position> position_at(Time time) const;

 private:
  const Repository& repository_;
  Manifest manifest_;
};

}  // namespace almanac
