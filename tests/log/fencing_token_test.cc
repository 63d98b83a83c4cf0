// Fencing tokens as text, and back.
#include <almanac/log/fencing_token.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

FencingToken token_of(std::byte fill, std::uint64_t lease) {
  FencingToken token{.lease = Lease(lease)};
  token.timeline.fill(fill);
  return token;
}

TEST(FencingToken, IsTheSameAgainBehindItsText) {
  for (const std::uint64_t lease : {std::uint64_t{0}, std::uint64_t{42}, UINT64_MAX}) {
    const auto token = token_of(std::byte{0xa7}, lease);
    EXPECT_EQ(parse_fencing_token(to_text(token)), token);
  }
  EXPECT_EQ(to_text(token_of(std::byte{0x1f}, 42)), "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f:42");
}

TEST(FencingToken, IsNotReadFromAnythingElse) {
  const std::string timeline(32, 'a');
  for (const std::string& text :
       {std::string(), timeline, timeline + ":", timeline + ":x", timeline + ":-1",
        timeline + ":01", timeline + ":1 ", timeline + ":18446744073709551616", std::string(":7"),
        "a" + timeline + ":7", timeline.substr(1) + ":7", timeline.substr(1) + "g:7"}) {
    EXPECT_EQ(parse_fencing_token(text), std::nullopt) << text;
  }
}

TEST(FencingToken, OfAnotherTimelineIsAnother) {
  EXPECT_NE(token_of(std::byte{1}, 42), token_of(std::byte{2}, 42));
}

}  // namespace
}  // namespace almanac::test
