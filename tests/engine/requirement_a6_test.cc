// Requirement A6: tasks are put in order without the reasoner, by urgency: the weight of the
// priority, the closeness of the deadline, a penalty once overdue, a bonus for short work.
#include <almanac/engine/recommend.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace almanac::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Factors = std::map<std::string, std::int64_t>;

struct UrgentDesk : Desk {
  UrgentDesk() : Desk({.slots = 100}) {
    EXPECT_TRUE(ask(ConfigureQueue{.queue = "default", .policy = QueuePolicy::urgency}));
  }
};

Factors factors_of(const Desk& desk, TaskId id) {
  for (const Recommendation& next : recommend(desk.state(), {.now = desk.now, .limit = 100})) {
    if (next.id != id) continue;
    Factors factors;
    for (const auto& [name, points] : next.factors) factors[std::string(name)] = points;
    return factors;
  }
  return {};
}

TEST(RequirementA6, AScoreIsTheSumOfItsNamedParts) {
  UrgentDesk desk;
  const TaskId low = desk.submit({.kind = "work", .priority = -2});
  const TaskId medium = desk.submit({.kind = "work"});
  const TaskId high = desk.submit({.kind = "work", .priority = 5});
  const TaskId close = desk.submit({.kind = "work", .deadline = desk.now + hours(5)});
  const TaskId late = desk.submit({.kind = "work", .deadline = desk.now - minutes(1)});
  const TaskId quick = desk.submit({.kind = "work", .estimate = minutes(5)});
  const TaskId slow = desk.submit({.kind = "work", .estimate = minutes(6)});
  EXPECT_EQ(factors_of(desk, low), (Factors{{"low", 10}, {"priority", -2}}));
  EXPECT_EQ(factors_of(desk, medium), (Factors{{"medium", 20}}));
  EXPECT_EQ(factors_of(desk, high), (Factors{{"high", 30}, {"priority", 5}}));
  EXPECT_EQ(factors_of(desk, close), (Factors{{"medium", 20}, {"deadline", 20}}));
  EXPECT_EQ(factors_of(desk, late), (Factors{{"medium", 20}, {"deadline", 40}, {"overdue", 50}}));
  EXPECT_EQ(factors_of(desk, quick), (Factors{{"medium", 20}, {"short", 10}}));
  EXPECT_EQ(factors_of(desk, slow), (Factors{{"medium", 20}}));
  desk.come_due();
  EXPECT_EQ(desk.start(), (std::vector{late, close, high, quick, medium, slow, low}))
      << "110, 40, 35, 30, 20, 20 and 8 points";
}

TEST(RequirementA6, ADeadlineWeighsMoreTheCloserItIs) {
  UrgentDesk desk;
  const Time deadline = desk.now + hours(48);
  const TaskId id = desk.submit({.kind = "work", .deadline = deadline});
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "default", .ageing = Duration(0)}));
  for (const auto& [before, points] : std::vector<std::pair<Duration, std::int64_t>>{
           {hours(25), 0}, {hours(24), 10}, {hours(6), 20}, {minutes(90), 30}, {minutes(20), 40}}) {
    desk.now = deadline - before;
    desk.come_due();
    EXPECT_EQ(factors_of(desk, id)["deadline"], points) << before.count();
    EXPECT_EQ(factors_of(desk, id)["overdue"], 0);
  }
  desk.now = deadline;
  EXPECT_EQ(factors_of(desk, id)["overdue"], 50);
}

TEST(RequirementA6, WeightsAreSettings) {
  UrgentDesk desk;
  ASSERT_TRUE(
      desk.ask(ConfigureQueue{.queue = "default", .weights = {{"overdue", -90}, {"short", 60}}}));
  const TaskId late = desk.submit({.kind = "work", .deadline = desk.now - hours(1)});
  const TaskId plain = desk.submit({.kind = "work"});
  const TaskId quick = desk.submit({.kind = "work", .estimate = minutes(1)});
  desk.come_due();
  EXPECT_EQ(desk.start(), (std::vector{quick, plain, late}));
}

}  // namespace
}  // namespace almanac::test
