#include <almanac/engine/limits.h>
#include <almanac/engine/reserve.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

TEST(Reserve, IsNothingWhereNothingRuns) {
  EXPECT_EQ(reserve_for(0, limits::output_bytes_max), 0U);
}

TEST(Reserve, HoldsTwiceWhatTheEndsOfAllThatRunsMayTake) {
  EXPECT_GE(reserve_for(10, limits::output_bytes_default),
            2 * 10 * (limits::output_bytes_default + limits::message_bytes_max));
  EXPECT_GE(reserve_for(1, limits::output_bytes_max), 2 * limits::output_bytes_max);
}

TEST(Reserve, GrowsInStepsUpToItsCeiling) {
  std::size_t before = 0;
  for (std::size_t attempts = 1; attempts <= limits::slots_max; ++attempts) {
    auto bytes = reserve_for(attempts, limits::output_bytes_default);
    EXPECT_EQ(bytes % limits::reserve_step_bytes, 0U);
    EXPECT_GE(bytes, before);
    before = bytes;
  }
  EXPECT_EQ(before, limits::reserve_bytes_max);
  EXPECT_EQ(reserve_for(481, limits::output_bytes_default), limits::reserve_bytes_max);
  EXPECT_GE(reserve_for(SIZE_MAX, limits::output_bytes_max), limits::reserve_bytes_max / 2);
}

}  // namespace
}  // namespace almanac::test
