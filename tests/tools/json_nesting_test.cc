// How deep JSON may go.
#include <almanac/tools/json_nesting.h>

#include <almanac/tools/limits.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

std::string nested_lists(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonNesting, TakesWhatIsAsDeepAsItMayBe) {
  EXPECT_TRUE(check_json_nesting(nested_lists(limits::json_nesting_max)));
  const auto deeper = check_json_nesting(nested_lists(limits::json_nesting_max + 1));
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().code, ErrorCode::invalid);
}

TEST(JsonNesting, CountsWhatIsInsideOfEachOtherAlone) {
  std::string beside = "[";
  for (int i = 0; i < 1'000; ++i) beside += R"({"a": []}, )";
  EXPECT_TRUE(check_json_nesting(beside + "1]"));
}

TEST(JsonNesting, DoesNotCountWhatIsInTexts) {
  const std::string brackets(1'000, '[');
  EXPECT_TRUE(check_json_nesting(R"({"a": ")" + brackets + R"("})"));
  EXPECT_TRUE(check_json_nesting(R"({"a": "\")" + brackets + R"(\\"})"));
  EXPECT_FALSE(check_json_nesting(R"({"a": "\\", "b": )" + brackets));
}

TEST(JsonNesting, ReadsWhatIsNoJson) {
  EXPECT_TRUE(check_json_nesting("]]]]\"\\"));
  EXPECT_TRUE(check_json_nesting(""));
}

}  // namespace
}  // namespace almanac::test
