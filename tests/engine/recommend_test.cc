// What recommend() gives is what dispatch would start, at any time.
#include <almanac/engine/recommend.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

std::vector<TaskId> ids_of(const std::vector<Recommendation>& all) {
  std::vector<TaskId> ids;
  for (const Recommendation& each : all) ids.push_back(each.id);
  return ids;
}

RC_GTEST_PROP(Recommend, GivesWhatDispatchWouldStartByThen, ()) {
  Desk desk({.slots = 100});
  const std::vector<std::string> queues = {"a", "b", "c"};
  for (const std::string& queue : queues) {
    const auto policy = static_cast<QueuePolicy>(*rc::gen::inRange(0, queue_policy_count));
    RC_ASSERT(desk.ask(ConfigureQueue{.queue = queue, .policy = policy}).has_value());
  }
  for (int left = *rc::gen::inRange(0, 30); left > 0; --left) {
    TaskSpec spec{.kind = *rc::gen::element<std::string>("x", "y"),
                  .queue = *rc::gen::elementOf(queues),
                  .priority = *rc::gen::inRange(-2, 3)};
    spec.owner = *rc::gen::element<std::string>("", "ann", "bob");
    spec.deadline = desk.now + std::chrono::hours(*rc::gen::inRange(1, 50));
    desk.submit(spec);
  }
  if (*rc::gen::arbitrary<bool>()) desk.ask(PauseWork{PauseScope::queue, "a", true});
  if (*rc::gen::arbitrary<bool>()) desk.ask(PauseWork{PauseScope::kind, "x", true});
  desk.now += std::chrono::hours(*rc::gen::inRange(0, 60));
  const auto expected = ids_of(recommend(desk.state(), {.now = desk.now, .limit = 100}));
  desk.come_due();
  RC_ASSERT(desk.start() == expected);
}

TEST(Recommend, ChoosesByOwnerAndQueueUpToItsLimit) {
  Desk desk;
  for (int i = 0; i < 9; ++i) {
    desk.submit(
        {.kind = "work", .queue = i % 2 == 0 ? "a" : "b", .owner = i % 3 == 0 ? "ann" : ""});
  }
  const Names& names = desk.state().names;
  const auto of = [&](RecommendOptions options) {
    options.now = desk.now;
    return ids_of(recommend(desk.state(), options));
  };
  using Ids = std::vector<TaskId>;
  EXPECT_EQ(of({.owner = names.find("ann")}), (Ids{TaskId(1), TaskId(4), TaskId(7)}));
  EXPECT_EQ(of({.queue = names.find("b"), .limit = 2}), (Ids{TaskId(2), TaskId(4)}));
  EXPECT_EQ(of({.queue = names.find("b"), .owner = names.find("ann")}), Ids{TaskId(4)});
}

TEST(Recommend, SaysHowFarAnOwnerIsAheadAndADeadlineOff) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "default", .policy = QueuePolicy::fair}));
  const Time deadline = desk.now + std::chrono::minutes(3);
  for (int i = 0; i < 2; ++i) {
    desk.submit({.kind = "work",
                 .owner = "ann",
                 .deadline = deadline,
                 .estimate = std::chrono::minutes(5)});
  }
  const auto all = recommend(desk.state(), {.now = deadline + Duration(7)});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].ahead, Duration(0));
  EXPECT_EQ(all[1].ahead, std::chrono::minutes(5));
  EXPECT_EQ(all[0].until_deadline, -Duration(7));
}

}  // namespace
}  // namespace almanac::test
