// Why tasks wait: one reason each, with its numbers, and what of it the log keeps.
#include <almanac/engine/limits.h>
#include <almanac/engine/reasons.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

using std::chrono::seconds;

class ReasonsTest : public ::testing::Test {
 protected:
  void set(std::string name, LimitSetting setting) {
    ASSERT_TRUE(desk.ask(ConfigureLimit{std::move(name), setting}).has_value());
  }
  TaskId submit(std::vector<TaskDemand> demands = {}) {
    return desk.submit({.kind = "work", .demands = std::move(demands)});
  }
  WaitReason reason(TaskId id) {
    return wait_reason(desk.state(), id, desk.now).value_or(WaitReason{.wait = Wait::next});
  }
  std::string limit_of(const WaitReason& reason) {
    return reason.limit ? std::string(desk.state().names.text(*reason.limit)) : "";
  }
  // The reasons that are put on record now, as "reason" or "reason limit".
  std::vector<std::string> record(const CanRun& can_run = can_run_all) {
    std::vector<std::string> said;
    for (const Event& event : desk.record_reasons(can_run)) {
      const auto& blocked = std::get<LaneBlocked>(event.body);
      said.push_back(std::string(name(blocked.reason)) +
                     (blocked.limit.empty() ? "" : " " + std::string(blocked.limit)));
    }
    return said;
  }
  using Said = std::vector<std::string>;

  Desk desk{{.slots = 3}};
};

TEST_F(ReasonsTest, NameTheLimitWithItsNumbers) {
  set("memory", {.units = 10});
  submit({{"memory", 7}});
  desk.start();
  const TaskId waits = submit({{"memory", 4}});
  const WaitReason why = reason(waits);
  EXPECT_EQ(why.wait, Wait::limit);
  EXPECT_EQ(limit_of(why), "memory");
  EXPECT_EQ(why.asked, 4U);
  EXPECT_EQ(why.used, 7U);
  EXPECT_EQ(why.most, 10U);
  EXPECT_EQ(why.next, Time()) << "when something ends";
}

TEST_F(ReasonsTest, NameTheMomentAtWhichTokensAreThere) {
  set("api", {.per_minute = 30, .burst = 1});
  submit({{"api", 1}});
  const TaskId waits = submit({{"api", 1}});
  desk.start();
  const WaitReason why = reason(waits);
  EXPECT_EQ(why.wait, Wait::tokens);
  EXPECT_EQ(why.used, 0U);
  EXPECT_EQ(why.next, desk.now + seconds(2));
  desk.now = why.next;
  EXPECT_EQ(reason(waits).wait, Wait::next);
}

TEST_F(ReasonsTest, NameWhatHasToChangeFirst) {
  set("memory", {.units = 4});
  ASSERT_TRUE(desk.ask(ConfigureQueue{"default", 1}).has_value());
  submit({{"memory", 4}});
  desk.start();
  const TaskId waits = submit({{"memory", 4}});
  EXPECT_EQ(reason(waits).wait, Wait::queue_limit);
  ASSERT_TRUE(desk.ask(ConfigureQueue{"default", 2}).has_value());
  EXPECT_EQ(reason(waits).wait, Wait::limit);
  set("memory", {.units = 3});
  EXPECT_EQ(reason(waits).wait, Wait::too_large);
  set("memory", {.units = 8});
  EXPECT_EQ(reason(waits).wait, Wait::next);
  for (int i = 0; i < 2; ++i) desk.submit({.kind = "work", .queue = "other", .priority = 9});
  desk.start();
  EXPECT_EQ(reason(waits).wait, Wait::slots);
  ASSERT_TRUE(desk.ask(StopEngine{}).has_value());
  EXPECT_EQ(reason(waits).wait, Wait::engine);
}

TEST_F(ReasonsTest, NameAPauseAndPutNoneOnRecord) {
  const TaskId first = submit();
  const TaskId second = submit();
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::kind, "work", true}).has_value());
  ASSERT_TRUE(desk.ask(ChangeTasks{.ids = {second}, .change = TaskChange::pause}).has_value());
  EXPECT_TRUE(desk.start().empty());
  EXPECT_EQ(reason(first).wait, Wait::paused);
  EXPECT_EQ(reason(second).wait, Wait::paused);
  desk.now += 2 * limits::reasons_interval;
  EXPECT_EQ(record(), Said());
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::kind, "work", false}).has_value());
  EXPECT_EQ(reason(first).wait, Wait::next);
  EXPECT_EQ(desk.start(), std::vector{first});
}

TEST_F(ReasonsTest, NameTheTaskThatIsToBeRetried) {
  const TaskId failed = submit();
  const TaskId waits = desk.submit({.kind = "work",
                                    .dependencies = {failed},
                                    .conditions = {DependencyCondition::success_in_the_end}});
  EXPECT_EQ(reason(waits).wait, Wait::dependency);
  desk.start();
  desk.finish(failed, AttemptStatus::error);
  EXPECT_EQ(reason(waits).wait, Wait::retry);
  EXPECT_EQ(reason(waits).other, failed);
}

TEST_F(ReasonsTest, AreOnRecordOncePerLaneAndOnlyWhenTheyChange) {
  set("memory", {.units = 2});
  for (int i = 0; i < 50; ++i) submit({{"memory", 2}});
  desk.start();
  EXPECT_EQ(record(), Said()) << "nobody has waited for a second";
  desk.now += limits::reasons_interval;
  EXPECT_EQ(record(), (Said{"units memory"})) << "49 tasks, one lane, one event";
  EXPECT_EQ(record(), Said());
  desk.finish(TaskId(1), AttemptStatus::succeeded);
  desk.start();
  EXPECT_EQ(record(), Said()) << "another task, the same reason";
  set("memory", {.units = 1});
  EXPECT_EQ(record(), (Said{"too_large memory"}));
}

TEST_F(ReasonsTest, TellWhatOnlyTheEngineKnows) {
  const TaskId strange = desk.submit({.kind = "strange"});
  set("memory", {.units = 4});
  submit({{"memory", 2}});
  desk.start();
  submit({{"memory", 4}});
  const TaskId small = submit({{"memory", 1}});
  desk.now += limits::reasons_interval;
  desk.start([](std::string_view kind) { return kind == "work"; });
  EXPECT_EQ(reason(small).wait, Wait::next) << "as far as the state alone tells";
  record([](std::string_view kind) { return kind == "work"; });
  EXPECT_EQ(reason(small).wait, Wait::turn);
  EXPECT_EQ(limit_of(reason(small)), "memory");
  EXPECT_EQ(reason(strange).wait, Wait::next) << "it was started before";
  const TaskId stranger = desk.submit({.kind = "stranger"});
  desk.now += limits::reasons_interval;
  record([](std::string_view kind) { return kind == "work"; });
  EXPECT_EQ(reason(stranger).wait, Wait::handler);
}

TEST_F(ReasonsTest, AreForgottenWithTheLastTaskOfALane) {
  set("memory", {.units = 2});
  for (int i = 0; i < 2; ++i) submit({{"memory", 2}});
  desk.start();
  desk.now += limits::reasons_interval;
  record();
  EXPECT_EQ(desk.state().tasks.blocked.size(), 1U);
  desk.finish(TaskId(1), AttemptStatus::succeeded);
  desk.start();
  EXPECT_TRUE(desk.state().tasks.blocked.empty());
}

TEST_F(ReasonsTest, OfAnotherEngineSayNothingOfThisOne) {
  const TaskId id = desk.submit({.kind = "strange"});
  desk.now += limits::reasons_interval;
  record([](std::string_view) { return false; });
  EXPECT_EQ(reason(id).wait, Wait::handler);
  const Desk next(desk.state());
  EXPECT_EQ(wait_reason(next.state(), id, next.now)->wait, Wait::next);
}

TEST_F(ReasonsTest, OfManyLanesComeInPieces) {
  set("key:*", {.units = 1});
  for (std::size_t i = 0; i < limits::reasons_per_turn + 10; ++i) {
    const std::string key = "key:" + std::to_string(i);
    submit({{key, 1}});
  }
  desk.start();
  desk.now += limits::reasons_interval;
  EXPECT_EQ(record().size(), limits::reasons_per_turn);
  EXPECT_EQ(record().size(), 7U) << "three run";
}

}  // namespace
}  // namespace almanac::test
