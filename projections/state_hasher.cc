#include <almanac/projections/state_hasher.h>

#include <algorithm>

namespace almanac {

void StateHasher::text(std::string_view text) {
  number(text.size());
  for (Bytes rest = as_bytes(text); !rest.empty();) {
    if (used_ == chunk_bytes) close_chunk();
    const std::size_t taken = std::min(rest.size(), chunk_bytes - used_);
    std::memcpy(chunk_.get() + used_, rest.data(), taken);
    used_ += taken;
    rest = rest.subspan(taken);
  }
}

void StateHasher::close_chunk() {
  chunks_.bytes(xxh3_128(Bytes(chunk_.get(), used_)));
  used_ = 0;
}

Digest StateHasher::finish() {
  close_chunk();
  return chunks_.finish();
}

}  // namespace almanac
