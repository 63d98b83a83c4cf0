// Deciding the settings of queues.
#include <almanac/engine/limits.h>
#include <almanac/engine/queues.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

TEST(ConfigureQueue, IsRecordedOnlyWhenItChangesSomething) {
  Desk desk;
  for (auto [slots, events] : {std::pair(0U, 0U), {2U, 1U}, {2U, 0U}, {3U, 1U}, {0U, 1U}}) {
    ASSERT_TRUE(desk.ask(ConfigureQueue{"mail", slots}).has_value());
    EXPECT_EQ(desk.last().size(), events) << slots;
  }
}

TEST(ConfigureQueue, TakesAQueueNoTaskHasNamedYet) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ConfigureQueue{"mail", 1}).has_value());
  EXPECT_EQ(*desk.state().queues.slots.find(*desk.state().names.find("mail")), 1U);
}

TEST(ConfigureQueue, RefusesABadNameAndTooManySlots) {
  Desk desk;
  EXPECT_EQ(error_of(desk.ask(ConfigureQueue{"", 1})).code, ErrorCode::invalid);
  EXPECT_EQ(error_of(desk.ask(ConfigureQueue{"a\nb", 1})).code, ErrorCode::invalid);
  EXPECT_EQ(error_of(desk.ask(ConfigureQueue{"a", limits::slots_max + 1})).code,
            ErrorCode::invalid);
  EXPECT_TRUE(desk.ask(ConfigureQueue{"a", limits::slots_max}).has_value());
}

}  // namespace
}  // namespace almanac::test
