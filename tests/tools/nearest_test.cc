#include <almanac/tools/nearest.h>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::array<std::string_view, 4> words = {"timeout", "tags", "attempts", "env"};

TEST(Nearest, ForgivesASlipOfTheFinger) {
  EXPECT_EQ(nearest("timout", words), "timeout");    // a letter missing
  EXPECT_EQ(nearest("tiimeout", words), "timeout");  // one too many
  EXPECT_EQ(nearest("timeour", words), "timeout");   // another one
  EXPECT_EQ(nearest("timoeut", words), "timeout");   // two swapped
  EXPECT_EQ(nearest("attempt", words), "attempts");
  EXPECT_EQ(nearest("evn", words), "env");
}

TEST(Nearest, DoesNotGuessWildly) {
  EXPECT_EQ(nearest("memory", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
  EXPECT_EQ(nearest("x", words), std::nullopt);
  EXPECT_EQ(nearest("tags", {}), std::nullopt);
}

TEST(Nearest, TakesTheFirstOfThoseThatAreEquallyNear) {
  EXPECT_EQ(nearest("tack", std::vector<std::string_view>{"tick", "tock", "back"}), "tick");
}

TEST(Nearest, LeavesVeryLongWordsAlone) {
  const std::string longest(64, 'a');
  const std::string longer(65, 'a');
  const std::vector<std::string_view> both = {longer, longest};
  EXPECT_EQ(nearest(longest.substr(1), both), longest);
  EXPECT_EQ(nearest(longer, both), std::nullopt);
}

}  // namespace
}  // namespace almanac::test
