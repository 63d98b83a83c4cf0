// A frame completed in two steps (codec.h has it in one), for who digests frames of several chains
// side by side (digest_lanes.h). Any thread.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstddef>
#include <span>

namespace almanac {

// Makes of a stripped frame the one behind the frame of this digest, but for its own digest and its
// checksum; answers the bytes that its digest is of. The frame is aligned to 8. Errors: corrupt,
// newer_format.
[[nodiscard]] Result<Bytes> link_frame(std::span<std::byte> value, const Digest& previous);
// Puts in what is missing.
void seal_frame(std::span<std::byte> value, const Digest& digest);

}  // namespace almanac
