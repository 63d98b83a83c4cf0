// What must happen outside for an event: a start begins an attempt, a backup or a repair, a request
// to cancel stops an attempt, circuits are shown, components looked at and switched; nothing else
// does anything.
#include <almanac/engine/effects.h>
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

std::vector<Effect> effects_of(const Story& story) {
  std::vector<Effect> effects;
  add_effects(story.state(), story.events().back(), effects);
  return effects;
}

TEST(Effects, BeginTheAttemptThatWasStarted) {
  Story story;
  story.enqueue({.id = 7});
  story.tell(TaskStarted{TaskId(7), 3, Time(Duration(99))});
  auto effects = effects_of(story);
  ASSERT_EQ(effects.size(), 1U);
  const auto& begin = std::get<BeginAttempt>(effects.front());
  EXPECT_EQ(begin.id, TaskId(7));
  EXPECT_EQ(begin.lease, Lease(2));
  EXPECT_EQ(begin.attempt, 3U);
  EXPECT_EQ(begin.deadline, Time(Duration(99)));
  EXPECT_EQ(begin.enqueued, Position(1));
}

TEST(Effects, BeginNothingHereForAWorkerElsewhere) {
  Story story;
  story.enqueue({.id = 7});
  story.tell(TaskStarted{
      .id = TaskId(7), .attempt = 1, .worker = "w", .lease_time = std::chrono::seconds(1)});
  EXPECT_TRUE(effects_of(story).empty());
}

TEST(Effects, LetTheNextImplementationGoOn) {
  Story story;
  story.enqueue({.id = 7});
  story.tell(TaskStarted{TaskId(7), 3, Time(), "remote"});
  EXPECT_EQ(std::get<BeginAttempt>(effects_of(story).front()).implementation, "remote");
  story.tell(TaskFailedOver{.id = TaskId(7),
                            .lease = story.lease(7),
                            .deadline = Time(Duration(99)),
                            .from = "remote",
                            .to = "local"});
  auto effects = effects_of(story);
  ASSERT_EQ(effects.size(), 1U);
  const auto& begin = std::get<BeginAttempt>(effects.front());
  EXPECT_EQ(begin.lease, Lease(3));
  EXPECT_EQ(begin.attempt, 3U);
  EXPECT_EQ(begin.deadline, Time(Duration(99)));
  EXPECT_EQ(begin.enqueued, Position(1));
  EXPECT_EQ(begin.implementation, "local");
}

TEST(Effects, StopTheAttemptThatIsToBeCancelled) {
  Story story;
  story.enqueue({.id = 7});
  story.start(7);
  story.request_cancel(7);
  auto effects = effects_of(story);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(std::get<CancelAttempt>(effects.front()).lease, Lease(2));
}

TEST(Effects, BeginTheBackupThatWasStarted) {
  Story story;
  const Time due = story.now();
  story.tell(BackupScheduled{"often", BackupAction::snapshot, "every hour", "/backup", due});
  story.tell(BackupStarted{"often", due, due + std::chrono::hours(1)});
  const auto first = std::get<BeginBackup>(effects_of(story).front());
  EXPECT_EQ(first.job, "often");
  EXPECT_EQ(first.action, BackupAction::snapshot);
  EXPECT_EQ(first.due, due);
  EXPECT_TRUE(first.is_first);
  story.tell(SnapshotMade{{"often", due}, 1});
  story.tell(BackupStarted{"often", due + std::chrono::hours(1), due + std::chrono::hours(2)});
  EXPECT_FALSE(std::get<BeginBackup>(effects_of(story).front()).is_first);
}

TEST(Effects, ShowGatesWhatIsNewOfACircuitAndTellItsMoves) {
  Story story;
  story.tell(CircuitObserved{.service = "search", .failures = 5});
  const auto seen = std::get<ShowCircuit>(effects_of(story).front());
  EXPECT_EQ(seen.service, "search");
  EXPECT_FALSE(seen.move);
  const Time until = story.now() + std::chrono::seconds(5);
  story.tell(CircuitOpened{.service = "search", .until = until});
  const auto opened = std::get<ShowCircuit>(effects_of(story).front());
  ASSERT_TRUE(opened.move);
  EXPECT_EQ(opened.move->to, CircuitState::open);
  EXPECT_EQ(opened.move->cause, CircuitCause::failure_rate);
  EXPECT_EQ(opened.move->until, until);
  story.tell(CircuitConfigured{.service = "search:*", .requests_min = 1, .probes = 1});
  EXPECT_EQ(std::get<ShowCircuit>(effects_of(story).front()).service, "") << "of all";
}

TEST(Effects, RepairComponentsLookAtThemAndSwitchThem) {
  Story story;
  tell_components(story);
  const auto begun = effects_of(story);
  ASSERT_EQ(begun.size(), 1U);
  const auto& repair = std::get<BeginRepair>(begun.front());
  EXPECT_EQ(repair.implementation, "native");
  EXPECT_EQ(repair.repair, story.state().position);
  EXPECT_EQ(repair.strategy, RepairStrategy::build);
  story.tell(RepairEnded{
      .component = "parser", .implementation = "native", .repair = story.state().position});
  const auto check = std::get<CheckComponent>(effects_of(story).front());
  EXPECT_EQ(check.implementation, "native");
  EXPECT_EQ(check.at, story.events().back().event.at + std::chrono::minutes(5));
  story.tell(ComponentSwitched{.component = "parser", .from = "plain", .to = "native"});
  EXPECT_EQ(std::get<ComponentSwitch>(effects_of(story).front()).to, "native");
}

TEST(Effects, FollowFromNothingElse) {
  Story story;
  story.enqueue({.id = 42});
  story.start(42);
  for (const Event& event : one_of_each(story.now())) {
    if (std::holds_alternative<TaskStarted>(event.body)) continue;
    if (std::holds_alternative<TaskFailedOver>(event.body)) continue;
    if (std::holds_alternative<TaskCancelRequested>(event.body)) continue;
    if (std::holds_alternative<BackupStarted>(event.body)) continue;
    if (type_name(event.body).starts_with("Circuit") &&
        !std::holds_alternative<CircuitProbed>(event.body)) {
      continue;
    }
    if (type_name(event.body).starts_with("Component")) continue;
    if (std::holds_alternative<RepairStarted>(event.body)) continue;
    if (std::holds_alternative<RepairEnded>(event.body)) continue;
    std::vector<Effect> effects;
    add_effects(story.state(), {story.state().position, event}, effects);
    EXPECT_TRUE(effects.empty()) << type_name(event.body);
  }
}

}  // namespace
}  // namespace almanac::test
