// BLAKE2b-256 of many messages side by side: where the processor has AVX-512, eight of them take as
// long as three by themselves. The digests are those of hash.h.
#pragma once

#include <almanac/log/types.h>

#include <optional>
#include <span>

namespace almanac {

// A sequence of messages, of which each may depend on the digest of the one before. Any thread that
// is the only one.
class DigestLane {
 public:
  virtual ~DigestLane() = default;
  // The next message, which stays as it is until its digest is told; none behind the last.
  [[nodiscard]] virtual std::optional<Bytes> next() = 0;
  virtual void tell(const Digest& digest) = 0;
};

// How many sequences are digested side by side; more of them wait for one that ends.
inline constexpr std::size_t digest_lanes = 8;

// Goes through all of them to their ends. Several lanes may draw their messages from one place, in
// whatever order they get there. Any thread; allocates nothing.
void blake2b(std::span<DigestLane* const> lanes);

}  // namespace almanac
