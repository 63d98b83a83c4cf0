// What of a log is archived behind its newest snapshot, while somebody follows the log: frames
// without a state. It is replaced again and again, and goes when a snapshot has taken it over.
#pragma once

#include <almanac/snapshots/manifest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct ArchiveTail {
  Timeline timeline{};
  std::uint64_t snapshot = 0;           // that it goes on behind
  Time archived_at;                     // the last of it: what had happened then is in it
  LogTail end;                          // of the log, as far as this goes
  std::vector<SegmentRecord> segments;  // from the snapshot's end to there
  std::optional<PublicKey> signer;      // of the file that it was read from; not in its text

  [[nodiscard]] Position first() const { return segments.front().header.first; }
  // Of all its files.
  [[nodiscard]] std::uint64_t bytes() const;
};

// Whether it goes on where that snapshot ends.
[[nodiscard]] bool goes_on_behind(const ArchiveTail& tail, const Manifest& manifest);
// The snapshot as if it had ended where the tail does, which goes on behind it. Its state stays
// that of its checkpoint.
[[nodiscard]] Manifest with_tail(Manifest manifest, const ArchiveTail& tail);

// One line of JSON, as of a manifest.
[[nodiscard]] std::string encode(const ArchiveTail& tail);
// Whatever the text says, the tail that comes back has segments without gaps, joined by their
// digests, that lead to its end, and sizes below their limits. Errors: corrupt, newer_format.
[[nodiscard]] Result<ArchiveTail> decode_tail(std::string_view text);

}  // namespace almanac
