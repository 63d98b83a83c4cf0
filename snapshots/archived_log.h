// A log as it is archived, read in the manner of log/log.h.
#pragma once

#include <almanac/snapshots/repository.h>

#include <optional>
#include <utility>

namespace almanac {

// How far a log is archived.
struct NewestArchived {
  Manifest snapshot;                  // the newest that can be read
  std::optional<ArchiveTail> tail;    // that goes on behind it
  std::optional<Error> tail_damaged;  // why it is not known whether there is one

  [[nodiscard]] Manifest joined() const { return tail ? with_tail(snapshot, *tail) : snapshot; }
};
// Errors: not_found (there is no snapshot of it).
[[nodiscard]] Result<NewestArchived> find_newest(const Repository& repository,
                                                 const Timeline& timeline);

// The file of a segment that is the one its manifest means. Errors name it: those of
// Repository::read, corrupt, newer_format.
[[nodiscard]] Result<ArchiveSegment> open_segment(const Repository& repository,
                                                  const SegmentRecord& record);

// Writes one that was finished. Errors: those of Repository::write.
[[nodiscard]] Result<SegmentRecord> write_segment(Repository& repository,
                                                  const SegmentHeader& header, Bytes file);

// Any thread; must not outlive the repository. Errors name the file.
class ArchivedLog {
 public:
  ArchivedLog(const Repository& repository, Manifest manifest)
      : repository_(repository), manifest_(std::move(manifest)) {}

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  // What lies in front of its first event; its time is not known, and not behind that.
  [[nodiscard]] LogTail base() const;

  // Frame by frame, from the one that holds `from`, to the manifest's end. Each has proven that it
  // goes on from the one before. Files of a tail that somebody replaces meanwhile are found where
  // their frames are now. Unpacks on a thread of its own, ahead of `visit`, which is called on the
  // calling one. Takes memory for one segment. Errors: not_found, corrupt, newer_format, refused,
  // io, what `visit` returns.
  [[nodiscard]] Result<void> read_frames(Position from, const FrameVisit& visit) const {
    return read_frames(from, FrameProof::chain, visit);
  }
  // Event by event from `from` on; the views die with the call. What proves them is the digest of
  // the files: it leaves the chain out, which takes as long as all else. Errors: those of
  // read_frames.
  [[nodiscard]] Result<void> read(Position from, const EventVisit& visit) const;
  // The first event that is not older than `time`; behind the end when all are. Reads one segment,
  // at most two.
  [[nodiscard]] Result<Position> position_at(Time time) const;

 private:
  class Reading;
  [[nodiscard]] Result<void> read_frames(Position from, FrameProof proof,
                                         const FrameVisit& visit) const;

  const Repository& repository_;
  Manifest manifest_;
};

}  // namespace almanac
