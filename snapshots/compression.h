// Bytes made smaller and back: the only door to zstd. What is compressed carries no checksum of its
// own: who keeps it knows a digest of it.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <cstddef>
#include <memory>
#include <span>

namespace almanac {

// Owns the memory that compressing takes, some MiB, and uses it again. One thread at a time.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // In memory of its own, which stays as it is until the next call.
  [[nodiscard]] Bytes compress(Bytes raw);
  // The same as a delta against bytes that are much like them, such as an earlier state. Those and
  // the raw ones together have less than 2 GiB.
  [[nodiscard]] Bytes compress(Bytes raw, Bytes base);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// The same for the way back.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Fills `raw`, whose size the caller knows: what claims to be larger or smaller is refused, and
  // no other memory grows with it. `base` is what it was compressed against, if it was. Errors:
  // corrupt.
  [[nodiscard]] Result<void> decompress(Bytes compressed, std::span<std::byte> raw,
                                        Bytes base = {});

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace almanac
