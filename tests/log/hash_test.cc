#include <almanac/log/hash.h>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

std::string blake2b_of(std::string_view text) { return to_hex(blake2b(as_bytes(text))); }

// The values of other implementations (Python's hashlib.blake2b(digest_size=32)).
TEST(Hash, IsBlake2bWith256Bits) {
  EXPECT_EQ(blake2b_of(""), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(blake2b_of("abc"), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

// The values of the reference implementation (xxhsum -H3).
TEST(Hash, IsXxh3With64Bits) {
  EXPECT_EQ(xxh3({}), 0x2d06800538d394c2U);
  EXPECT_EQ(xxh3(as_bytes("abc")), 0x78af5f94892f3950U);
}

TEST(Hash, IsTheSameBeforeAndAfterRandomBytesWereDrawn) {
  const std::string large(100'000, 'x');
  const std::string before = blake2b_of(large);
  std::vector<std::byte> random(16);
  fill_random(random);
  EXPECT_EQ(blake2b_of(large), before);
}

TEST(Hasher, GivesTheDigestOfItsPieces) {
  Hasher pieces;
  pieces.bytes(as_bytes("a"));
  pieces.bytes({});
  pieces.bytes(as_bytes("bc"));
  EXPECT_EQ(to_hex(pieces.finish()), blake2b_of("abc"));
  EXPECT_EQ(to_hex(Hasher().finish()), blake2b_of(""));
}

TEST(Hasher, TakesNumbersAsEightLittleEndianBytes) {
  Hasher hasher;
  hasher.number(0x0102030405060708);
  EXPECT_EQ(to_hex(hasher.finish()), blake2b_of("\x08\x07\x06\x05\x04\x03\x02\x01"));
}

TEST(Hasher, TellsTextsOfTheSameLettersApart) {
  auto of = [](const std::vector<std::string>& texts) {
    Hasher hasher;
    for (const auto& text : texts) hasher.text(text);
    return hasher.finish();
  };
  const std::set<Digest> digests = {of({"ab", "c"}), of({"a", "bc"}), of({"abc"}), of({"abc", ""}),
                                    of({"", "abc"})};
  EXPECT_EQ(digests.size(), 5U);
}

TEST(Random, DrawsOtherBytesEachTime) {
  std::set<std::vector<std::byte>> drawn;
  for (int i = 0; i < 100; ++i) {
    std::vector<std::byte> bytes(16);
    fill_random(bytes);
    drawn.insert(bytes);
  }
  EXPECT_EQ(drawn.size(), 100U);
}

TEST(Hex, WritesEveryByteWithTwoDigits) {
  EXPECT_EQ(to_hex({}), "");
  EXPECT_EQ(to_hex(as_bytes(std::string_view("\x00\x0f\xf0\xff", 4))), "000ff0ff");
}

}  // namespace
}  // namespace almanac::test
