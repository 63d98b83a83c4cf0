// Which versions of a kind are run: the others wait, with their reason, and are in nobody's way.
#include <almanac/engine/command_spec.h>
#include <almanac/engine/limits.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <atomic>

namespace almanac::test {
namespace {

void run_versions(Desk& desk, VersionRange versions) {
  ASSERT_TRUE(desk.ask(SetImplementations{.kind = "ask", .versions = versions}).has_value());
}

TaskId ask(Desk& desk, std::uint32_t version, std::int32_t priority = 0) {
  return desk.submit({.kind = "ask", .priority = priority, .version = version});
}

TEST(VersionRange, TakesWhatIsWithinItsBounds) {
  EXPECT_TRUE(VersionRange().takes(7));
  const VersionRange some{.min = 2, .max = 3};
  EXPECT_FALSE(some.takes(1));
  EXPECT_TRUE(some.takes(2));
  EXPECT_TRUE(some.takes(3));
  EXPECT_FALSE(some.takes(4));
  EXPECT_TRUE(some.takes(0)) << "a task without a version";
  EXPECT_TRUE((VersionRange{.min = 2}).takes(UINT32_MAX));
  EXPECT_FALSE((VersionRange{.max = 2}).takes(3));
}

TEST(Versions, LetATaskOfAnotherWaitInNobodysWay) {
  Desk desk;
  run_versions(desk, {.min = 1, .max = 2});
  const TaskId other = ask(desk, 3, 9);
  const TaskId second = ask(desk, 2);
  const TaskId any = ask(desk, 0);
  EXPECT_EQ(desk.start(), (std::vector{second, any}));
  EXPECT_EQ(desk.task(other).state, TaskState::ready);
  EXPECT_EQ(desk.task(other).attempts, 0U);
  const auto reason = wait_reason(desk.state(), other, desk.now);
  ASSERT_TRUE(reason.has_value());
  EXPECT_EQ(reason->wait, Wait::version);
  EXPECT_EQ(reason->asked, 3U);
  run_versions(desk, {.min = 2, .max = 3});
  EXPECT_EQ(desk.start(), (std::vector{other}));
}

TEST(Versions, AreOnRecordWhenATaskWaitsForThem) {
  Desk desk;
  run_versions(desk, {.max = 2});
  ask(desk, 3);
  desk.now += limits::reasons_interval;
  ASSERT_EQ(desk.record_reasons().size(), 1U);
  const auto& blocked = std::get<LaneBlocked>(desk.last().front().body);
  EXPECT_EQ(blocked.reason, LaneBlock::version);
  EXPECT_EQ(blocked.version, 3U);
  EXPECT_TRUE(desk.record_reasons().empty()) << "once";
}

TEST(Versions, AreSetAgainOnlyWhereTheyChange) {
  Desk desk;
  run_versions(desk, {});
  EXPECT_TRUE(desk.last().empty()) << "as it is for every kind";
  run_versions(desk, {.min = 1, .max = 2});
  EXPECT_EQ(desk.last().size(), 1U);
  run_versions(desk, {.min = 1, .max = 2});
  EXPECT_TRUE(desk.last().empty());
  run_versions(desk, {});
  EXPECT_EQ(desk.last().size(), 1U);
  EXPECT_TRUE(desk.state().implementations.versions.empty());
}

TEST(Versions, AreForgottenWithTheEngineThatRanThem) {
  Desk desk;
  run_versions(desk, {.min = 2});
  const TaskId task = ask(desk, 1);
  EXPECT_EQ(wait_reason(desk.state(), task, desk.now)->wait, Wait::version);
  StartEngine next{.version = "next", .process_id = 2, .slots = 4, .seed = 1};
  ASSERT_TRUE(desk.ask(next));
  EXPECT_NE(wait_reason(desk.state(), task, desk.now)->wait, Wait::version);
  next.command_versions = {.min = 3};
  ASSERT_TRUE(desk.ask(next));
  const TaskId older = desk.submit({.kind = std::string(command_kind), .version = 2});
  EXPECT_EQ(desk.start(), (std::vector{task}));
  EXPECT_EQ(wait_reason(desk.state(), older, desk.now)->wait, Wait::version);
  next.command_versions = {.min = 3, .max = 2};
  EXPECT_EQ(desk.ask(next).error().message, "there are no versions from 3 to 2 of commands to run");
}

TEST(Versions, AreOfAllImplementationsOfAKind) {
  Desk desk;
  const auto set = [&](VersionRange versions) {
    ASSERT_TRUE(
        desk.ask(SetImplementations{"ask", {{"remote", 1, true}, {"local", 1, false}}, versions}));
  };
  set({});
  const TaskId task = ask(desk, 1);
  ASSERT_EQ(desk.start(), (std::vector{task}));
  set({.min = 2});
  desk.finish(task, AttemptStatus::error);
  EXPECT_EQ(desk.task(task).state, TaskState::failed) << "and does not go on by local";
}

TEST(Versions, ArePartOfWhatAKeyStandsFor) {
  Desk desk;
  TaskSpec spec{.kind = "ask", .idempotency_key = "one", .version = 1};
  const TaskId first = desk.submit(spec);
  EXPECT_EQ(desk.submit(spec), first);
  spec.version = 2;
  const auto other = desk.ask(EnqueueTasks{{spec}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::conflict);
}

TEST(Versions, AreOfScheduledTasksToo) {
  const auto define = [](Desk& desk, std::uint32_t version) {
    ASSERT_TRUE(desk.ask(DefineSchedule{{.name = "hourly",
                                         .recurrence = *Recurrence::parse("every hour"),
                                         .task = {.kind = "ask", .version = version}}}));
  };
  Desk desk;
  Desk other;
  define(desk, 1);
  define(other, 2);
  EXPECT_NE(digest(desk.state()), digest(other.state()));
  define(desk, 2);
  EXPECT_EQ(desk.last().size(), 1U) << "it is another task";
  desk.now += std::chrono::hours(1);
  desk.fire();
  EXPECT_EQ(terms_of(desk.state().tasks, TaskId(1)).version, 2U);
}

class EngineVersions : public EngineTest {};

TEST_F(EngineVersions, StartATaskAsSoonAsWhatRunsItIsThere) {
  open();
  std::atomic<std::uint32_t> version = 0;
  const auto handler = [&](const Attempt& attempt) {
    version = attempt.version;
    return almanac::Outcome::success();
  };
  engine->handle("ask", handler, {.max = 2});
  const TaskId newer = submit({.kind = "ask", .version = 3});
  const TaskId older = submit({.kind = "ask", .version = 2});
  wait_until_ended(older);
  EXPECT_EQ(version, 2U);
  EXPECT_EQ(task(newer).state, TaskState::ready);
  engine->handle("ask", handler, {.min = 3});
  wait_until_ended(newer);
  EXPECT_EQ(version, 3U);
  EXPECT_EQ(task(newer).attempts, 1U);
  close();
}

}  // namespace
}  // namespace almanac::test
