// Groups that stay open over many submissions, and the tasks that come after them.
#include <almanac/engine/retention.h>
#include <almanac/projections/group_ends.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

class GroupsTest : public testing::Test {
 protected:
  GroupsTest() { EXPECT_TRUE(desk.ask(OpenGroup{"import"})); }

  TaskId member(const std::string& group = "import") {
    return desk.submit({.kind = "part", .group = group});
  }
  TaskId callback(DependencyCondition condition, const std::string& group = "import") {
    return desk.submit({.kind = "then", .after_group = AfterGroup{group, condition}});
  }
  void run(TaskId id, AttemptStatus status = AttemptStatus::succeeded) {
    desk.start([](std::string_view kind) { return kind == "part"; });
    desk.finish(id, status);
    expect_whole();
  }
  void close(const std::string& group = "import") {
    ASSERT_TRUE(desk.ask(CloseGroup{group}));
    expect_whole();
  }
  [[nodiscard]] TaskState state_of(TaskId id) const { return desk.task(id).state; }
  [[nodiscard]] Error refused(TaskSpec spec) { return error_of(desk.ask(EnqueueTasks{{spec}})); }
  void expect_whole() const {
    const auto broken = broken_invariants(desk.state());
    EXPECT_TRUE(broken.empty()) << broken.front();
  }
  // Of all that is not needed, whenever it ended.
  State after_retention(const TaskRetention& kept = {Duration(0), Duration(0), Duration(0)}) {
    State state = desk.state();
    Arena memory;
    auto found = decide_forgetting(state, {desk.now, memory}, kept, state.tasks.last.next());
    for (const Event& event : found.events) {
      fold_into(state, {state.position.next(), event});
    }
    EXPECT_EQ(state.ignored, 0U);
    EXPECT_TRUE(broken_invariants(state).empty()) << broken_invariants(state).front();
    return state;
  }

  Desk desk;
};

constexpr auto success = DependencyCondition::success;
constexpr auto in_the_end = DependencyCondition::success_in_the_end;
constexpr auto any_end = DependencyCondition::end;

TEST_F(GroupsTest, LetCallbacksBeginOnceTheyAreClosedAndAllHaveEnded) {
  const TaskId then = callback(success);
  const TaskId first = member();
  run(first);
  EXPECT_EQ(state_of(then), TaskState::waiting) << "it is open";
  const TaskId second = member();
  close();
  EXPECT_EQ(state_of(then), TaskState::waiting) << "one goes on";
  run(second);
  EXPECT_EQ(state_of(then), TaskState::ready);
}

TEST_F(GroupsTest, KeepTheirMembersUntilWhoIsToBeCancelledBecauseOfOneIs) {
  const TaskId then = callback(success);
  const TaskId first = member();
  const TaskId second = member();
  close();
  ASSERT_TRUE(desk.ask(CancelTask{second}));
  run(first);
  EXPECT_TRUE(desk.state().tasks.doomed.contains(then));
  EXPECT_TRUE(after_retention().tasks.all.contains(first));
  desk.come_due();
  EXPECT_EQ(state_of(then), TaskState::cancelled);
  EXPECT_FALSE(after_retention().tasks.all.contains(first));
}

TEST_F(GroupsTest, KeepOneThatFailedUntilAllOthersThatDidCanGoWithIt) {
  const TaskId first = member();
  const TaskId second = member();
  close();
  run(first, AttemptStatus::error);
  desk.now += std::chrono::hours(2);
  run(second, AttemptStatus::error);
  constexpr Duration hour = std::chrono::hours(1);
  const TaskRetention kept{hour, hour, hour};
  EXPECT_TRUE(after_retention(kept).tasks.all.contains(first));
  ASSERT_TRUE(desk.ask(ChangeTasks{.ids = {second}, .change = TaskChange::retry}));
  const TaskId then = callback(success);
  run(second);
  EXPECT_NE(state_of(then), TaskState::ready) << "the first one has failed";
  desk.come_due();
  desk.now += std::chrono::hours(2);
  EXPECT_TRUE(after_retention(kept).tasks.all.empty());
}

TEST_F(GroupsTest, LetCallbacksBeginWithTheCloseWhereAllHaveEnded) {
  const TaskId then = callback(success);
  run(member());
  close();
  EXPECT_EQ(state_of(then), TaskState::ready);
}

TEST_F(GroupsTest, WithoutTasksAreOverWhenTheyAreClosed) {
  const TaskId then = callback(success);
  const TaskId after = callback(any_end);
  close();
  EXPECT_EQ(state_of(then), TaskState::ready);
  EXPECT_EQ(state_of(after), TaskState::ready);
  EXPECT_TRUE(desk.state().tasks.groups.all.empty());
  EXPECT_TRUE(desk.ask(OpenGroup{"import"})) << "its name is free";
  EXPECT_EQ(desk.state().tasks.groups.last, GroupId(2));
}

TEST_F(GroupsTest, TellHowTheyWentByTheConditionOfEachCallback) {
  const TaskId all_well = callback(success);
  const TaskId in_time = callback(in_the_end);
  const TaskId anyway = callback(any_end);
  const TaskId bad = member();
  const TaskId good = member();
  close();
  run(bad, AttemptStatus::error);
  EXPECT_EQ(state_of(all_well), TaskState::waiting) << "the other one goes on";
  run(good);
  EXPECT_EQ(state_of(anyway), TaskState::ready);
  EXPECT_EQ(*desk.state().tasks.doomed.find(all_well), bad);
  desk.come_due();
  EXPECT_EQ(state_of(all_well), TaskState::cancelled);
  EXPECT_EQ(state_of(in_time), TaskState::waiting);
  ASSERT_TRUE(desk.ask(ChangeTasks{.ids = {bad}, .change = TaskChange::retry}));
  expect_whole();
  run(bad);
  EXPECT_EQ(state_of(in_time), TaskState::ready);
}

TEST_F(GroupsTest, DoNotRunACallbackTwice) {
  const TaskId then = callback(any_end);
  const TaskId bad = member();
  close();
  run(bad, AttemptStatus::error);
  desk.start();
  desk.finish(then, AttemptStatus::succeeded);
  ASSERT_TRUE(desk.ask(ChangeTasks{.ids = {bad}, .change = TaskChange::retry}));
  run(bad);
  EXPECT_EQ(state_of(then), TaskState::succeeded);
  EXPECT_EQ(desk.task(then).attempts, 1U);
}

TEST_F(GroupsTest, TakeNothingOnceTheyAreClosed) {
  const TaskId part = member();
  close();
  EXPECT_EQ(refused({.kind = "part", .group = "import"}).code, ErrorCode::conflict);
  EXPECT_EQ(error_of(desk.ask(OpenGroup{"import"})).code, ErrorCode::conflict);
  EXPECT_TRUE(desk.ask(CloseGroup{"import"}));
  EXPECT_TRUE(desk.last().empty()) << "it is closed";
  run(part, AttemptStatus::error);
  EXPECT_EQ(refused({.kind = "then", .after_group = AfterGroup{"import"}}).code,
            ErrorCode::conflict)
      << "what can never run";
  EXPECT_EQ(state_of(callback(any_end)), TaskState::ready) << "it is over";
}

TEST_F(GroupsTest, AreOpenedOnceAndKnownByTheirNames) {
  EXPECT_TRUE(desk.ask(OpenGroup{"import"}));
  EXPECT_TRUE(desk.last().empty());
  EXPECT_EQ(refused({.kind = "part", .group = "imports"}).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(desk.ask(CloseGroup{"imports"})).code, ErrorCode::not_found);
  EXPECT_EQ(error_of(desk.ask(OpenGroup{""})).code, ErrorCode::invalid);
  EXPECT_EQ(
      refused({.kind = "then", .after_group = AfterGroup{"import", DependencyCondition::failure}})
          .code,
      ErrorCode::invalid);
}

TEST_F(GroupsTest, RefuseATaskThatWouldWaitForItself) {
  ASSERT_TRUE(desk.ask(OpenGroup{"report"}));
  const auto import = AfterGroup{"import"};
  EXPECT_EQ(refused({.kind = "part", .group = "import", .after_group = import}).code,
            ErrorCode::invalid);
  const TaskId then = callback(success);
  const TaskId behind = desk.submit({.kind = "then", .dependencies = {then}});
  EXPECT_EQ(refused({.kind = "part", .dependencies = {behind}, .group = "import"}).code,
            ErrorCode::invalid);
  // Through another group: what is after the import is of the report.
  const TaskId of_report = desk.submit({.kind = "part", .group = "report", .after_group = import});
  EXPECT_EQ(refused({.kind = "part", .group = "import", .after_group = AfterGroup{"report"}}).code,
            ErrorCode::invalid);
  const TaskId last = callback(any_end, "report");
  EXPECT_EQ(refused({.kind = "part", .dependencies = {last}, .group = "import"}).code,
            ErrorCode::invalid);
  // Among the tasks of one submission.
  EXPECT_EQ(error_of(desk.ask(EnqueueTasks{
                         {{.kind = "then", .after_group = import},
                          {.kind = "part", .dependencies = {InBatch{0}}, .group = "import"}}}))
                .code,
            ErrorCode::invalid);
  EXPECT_TRUE(desk.ask(EnqueueTasks{{{.kind = "part", .dependencies = {of_report}}}}));
}

TEST_F(GroupsTest, AnswerAKeyAlsoOnceTheyAreClosed) {
  const TaskSpec spec{.kind = "part", .idempotency_key = "a", .group = "import"};
  const TaskId part = desk.submit(spec);
  close();
  const auto again = desk.submit_all({spec});
  EXPECT_EQ(again.front().id, part);
  TaskSpec other = spec;
  other.group.clear();
  EXPECT_EQ(refused(other).code, ErrorCode::conflict) << "other content";
}

TEST_F(GroupsTest, SayWhyACallbackWaits) {
  const TaskId then = callback(success);
  const auto reason = [&] { return *wait_reason(desk.state(), then, desk.now); };
  run(member());
  EXPECT_EQ(reason().wait, Wait::group);
  const TaskId input = desk.submit({.kind = "none"});
  const TaskId both =
      desk.submit({.kind = "then", .dependencies = {input}, .after_group = AfterGroup{"import"}});
  EXPECT_EQ(*wait_reason(desk.state(), both, desk.now),
            (WaitReason{.wait = Wait::dependency, .used = 1}))
      << "one task, and the group beside it";
  close();
  EXPECT_NE(reason().wait, Wait::group);
}

TEST_F(GroupsTest, KeepTheirTasksUntilNobodyNeedsThem) {
  const TaskId part = member();
  run(part);
  EXPECT_TRUE(after_retention().tasks.all.contains(part)) << "the group is open";
  const TaskId then = callback(in_the_end);
  const TaskId bad = member();
  close();
  run(bad, AttemptStatus::error);
  EXPECT_TRUE(after_retention().tasks.all.contains(part)) << "somebody waits for all of them";
  desk.cancel(then);
  const State state = after_retention();
  EXPECT_FALSE(state.tasks.all.contains(part));
  EXPECT_TRUE(state.tasks.groups.all.empty() && state.tasks.groups.members.empty());
  EXPECT_FALSE(state.tasks.groups.find("import").has_value());
}

TEST_F(GroupsTest, ForgetACallbackThatWasCancelled) {
  const TaskId then = callback(success);
  const TaskId part = member();
  desk.cancel(then);
  expect_whole();
  EXPECT_TRUE(desk.state().tasks.groups.waits.empty());
  close();
  run(part);
  EXPECT_EQ(state_of(then), TaskState::cancelled);
}

TEST_F(GroupsTest, TellAPausedCallback) {
  const TaskId then = callback(any_end);
  const TaskId part = member();
  close();
  ASSERT_TRUE(desk.ask(ChangeTasks{.ids = {then}, .change = TaskChange::pause}));
  run(part);
  EXPECT_EQ(state_of(then), TaskState::held);
  ASSERT_TRUE(desk.ask(ChangeTasks{.ids = {then}, .change = TaskChange::resume}));
  EXPECT_EQ(state_of(then), TaskState::ready);
}

}  // namespace
}  // namespace almanac::test
