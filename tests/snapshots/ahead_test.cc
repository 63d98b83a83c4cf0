// Values that a thread makes ahead of who takes them.
#include <almanac/snapshots/ahead.h>
#include <almanac/tests/support/code_of.h>

#include <gtest/gtest.h>

#include <atomic>
#include <optional>

namespace almanac::test {
namespace {

using Value = Result<std::optional<int>>;

TEST(Ahead, GivesAllInOrder) {
  int made = 0;
  Ahead<int> values([&]() -> Value { return made < 1'000 ? std::optional(made++) : std::nullopt; },
                    3);
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(values.next().value(), i);
  EXPECT_EQ(values.next().value(), std::nullopt);
}

TEST(Ahead, GivesAnErrorBehindWhatWasMadeBefore) {
  int made = 0;
  Ahead<int> values(
      [&]() -> Value {
        if (made == 2) return fail(ErrorCode::corrupt, "the third");
        return made++;
      },
      8);
  EXPECT_EQ(values.next().value(), 0);
  EXPECT_EQ(values.next().value(), 1);
  EXPECT_EQ(code_of(values.next()), "corrupt");
}

TEST(Ahead, MakesNoMoreThanMayWait) {
  std::atomic<int> made = 0;
  {
    Ahead<int> values([&]() -> Value { return ++made; }, 4);
    for (int taken = 1; taken <= 10'000; ++taken) {
      ASSERT_EQ(values.next().value(), taken);
      ASSERT_LE(made, taken + 5) << "four that wait, and one that has no place yet";
    }
  }
  EXPECT_LE(made, 10'005);
}

}  // namespace
}  // namespace almanac::test
