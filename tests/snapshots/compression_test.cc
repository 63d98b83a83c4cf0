#include <almanac/log/hash.h>
#include <almanac/snapshots/compression.h>
#include <almanac/tests/support/code_of.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace almanac::test {
namespace {

using Buffer = std::vector<std::byte>;

Buffer random_bytes(std::size_t count) {
  Buffer bytes(count);
  fill_random(bytes);
  return bytes;
}

// Beyond the next call of who compressed it.
Buffer kept(Bytes compressed) { return {compressed.begin(), compressed.end()}; }

Result<Buffer> decompressed(Bytes compressed, std::size_t size, Bytes base = {}) {
  Buffer raw(size);
  auto done = Decompressor().decompress(compressed, raw, base);
  if (!done) return std::unexpected(done.error());
  return raw;
}

TEST(Compression, GivesBackWhatItWasGiven) {
  Compressor compressor;
  for (const Buffer& raw : {Buffer(1), Buffer(100'000), random_bytes(100'000)}) {
    EXPECT_EQ(decompressed(compressor.compress(raw), raw.size()), raw);
  }
}

TEST(Compression, FindsWhatIsLikeTheBaseHoweverFarAway) {
  const Buffer base = random_bytes(20'000'000);
  Buffer raw = base;
  for (std::size_t i = 0; i < raw.size(); i += 200'000) raw[i] ^= std::byte{1};
  raw.insert(raw.begin() + 7'000'000, 1000, std::byte{7});
  Compressor compressor;
  const Buffer delta = kept(compressor.compress(raw, base));
  EXPECT_LT(delta.size(), raw.size() / 100);
  EXPECT_EQ(decompressed(delta, raw.size(), base), raw);
  // What is compressed next does not stand on it.
  EXPECT_EQ(decompressed(compressor.compress(raw), raw.size()), raw);
  EXPECT_NE(decompressed(delta, raw.size(), random_bytes(base.size())), raw);
  EXPECT_NE(decompressed(delta, raw.size()), raw);
}

TEST(Compression, RefusesAnotherSizeThanIsExpected) {
  const Buffer raw(100'000'000);  // of which some thousand bytes are left
  const Buffer small = kept(Compressor().compress(raw));
  ASSERT_LT(small.size(), 20'000U);
  EXPECT_EQ(code_of(decompressed(small, raw.size())), "ok");
  for (std::size_t size : {std::size_t{0}, std::size_t{1000}, raw.size() - 1, raw.size() + 1}) {
    EXPECT_EQ(code_of(decompressed(small, size)), "corrupt") << size;
  }
  Buffer two = small;
  two.insert(two.end(), small.begin(), small.end());
  EXPECT_EQ(code_of(decompressed(two, raw.size())), "corrupt");
  // A frame that zstd itself passes over.
  Buffer more = small;
  for (const int byte : {0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0}) more.push_back(std::byte(byte));
  EXPECT_EQ(code_of(decompressed(more, raw.size())), "corrupt");
  EXPECT_EQ(code_of(decompressed(Bytes(small).first(small.size() - 1), raw.size())), "corrupt");
  EXPECT_EQ(code_of(decompressed({}, raw.size())), "corrupt");
  EXPECT_EQ(code_of(decompressed(random_bytes(1000), 1000)), "corrupt");
}

}  // namespace
}  // namespace almanac::test
