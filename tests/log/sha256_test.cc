// SHA-256 as FIPS 180-4 has it.
#include <almanac/log/sha256.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(to_hex(sha256(as_bytes(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace almanac::test
