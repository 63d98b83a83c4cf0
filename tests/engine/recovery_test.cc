// What becomes of many tasks that ran when an engine died: they begin again at a pace, and what is
// new does not stand behind them.
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// So many that run, as a dead engine left them.
State crashed(std::size_t tasks, std::uint32_t slots) {
  Desk desk({.slots = slots});
  std::vector<TaskSpec> specs(tasks, TaskSpec{.kind = "work"});
  desk.submit_all(std::move(specs));
  ALMANAC_CHECK(desk.start().size() == tasks);
  return desk.state();
}

TEST(Recovery, BeginsAsManyAtOnceAsItMayAndTheRestAtItsPace) {
  Desk desk(crashed(2'500, 4'000), {.slots = 4'000});
  EXPECT_EQ(desk.start().size(), default_recovery.burst);
  EXPECT_EQ(desk.start(), std::vector<TaskId>());
  EXPECT_EQ(desk.next_start(), desk.now + milliseconds(1));
  desk.now += milliseconds(100);
  EXPECT_EQ(desk.start().size(), 100U);
  desk.now += seconds(10);
  EXPECT_EQ(desk.start().size(), 1'000U);
  desk.now += seconds(1);
  EXPECT_EQ(desk.start().size(), 400U);
  EXPECT_EQ(desk.state().tasks.count(TaskState::ready), 0U);
  EXPECT_TRUE(desk.state().tasks.demands.empty()) << "begun, they are tasks as any other";
  EXPECT_EQ(broken_invariants(desk.state()), std::vector<std::string>());
}

TEST(Recovery, HasNoPaceForAFew) {
  Desk desk(crashed(900, 1'000), {.slots = 1'000});
  EXPECT_EQ(desk.start().size(), 900U);
  EXPECT_TRUE(desk.state().limits.buckets.empty());
}

TEST(Recovery, TakesThePaceThatIsSet) {
  Desk before({.slots = 100});
  ASSERT_TRUE(before.ask(ConfigureLimit{"recovery:*", {.per_minute = 60, .burst = 5}}).has_value());
  before.submit_all(std::vector<TaskSpec>(20, TaskSpec{.kind = "work"}));
  ASSERT_EQ(before.start().size(), 20U);
  Desk desk(before.state(), {.slots = 100});
  EXPECT_EQ(desk.start().size(), 5U);
  desk.now += seconds(2);
  EXPECT_EQ(desk.start().size(), 2U);
}

TEST(Recovery, HoldsUpNothingThatIsNew) {
  Desk desk(crashed(2'500, 4'000), {.slots = 4'000});
  desk.start();
  const TaskId fresh = desk.submit({.kind = "work"});
  EXPECT_EQ(desk.start(), (std::vector<TaskId>{fresh})) << "slots are free, and it needs no pace";
}

}  // namespace
}  // namespace almanac::test
