// The jobs of backups, folded from their events.
#include <almanac/projections/backups.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/query.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <string_view>

namespace almanac::test {
namespace {

constexpr Time at(int minute) {
  return Time(std::chrono::seconds(2'000'000)) + std::chrono::minutes(minute);
}

const BackupJob& job(const Story& story, std::string_view name) {
  return *story.state().backups.jobs.find(*story.state().names.find(name));
}

bool schedule(Story& story, std::string_view name, Time next, std::string_view where = "/backup") {
  return story.tell(BackupScheduled{name, BackupAction::snapshot, "every 15 minutes", where, next});
}

TEST(Backups, KeepHowEachJobWent) {
  Story story;
  ASSERT_TRUE(schedule(story, "often", at(15)));
  ASSERT_TRUE(story.tell(BackupStarted{"often", at(45), at(60), 2, at(15)}));
  EXPECT_TRUE(job(story, "often").running);
  EXPECT_EQ(job(story, "often").missed, 2U);
  EXPECT_EQ(job(story, "often").next, at(60));
  ASSERT_TRUE(story.tell(BackupFailed{{"often", at(45)}, "io", "it is gone"}));
  EXPECT_EQ(job(story, "often").failures_in_row, 1U);
  ASSERT_TRUE(story.tell(BackupStarted{"often", at(60), at(75)}));
  ASSERT_TRUE(story.tell(BackupFailed{{"often", at(60)}, "io", "it is gone"}));
  EXPECT_EQ(job(story, "often").failures_in_row, 2U);
  EXPECT_FALSE(job(story, "often").succeeded);
  ASSERT_TRUE(story.tell(BackupStarted{"often", at(75), at(90)}));
  ASSERT_TRUE(story.tell(SnapshotMade{{"often", at(75)}, 1, Position(7), 10, 5}));
  const BackupJob& after = job(story, "often");
  EXPECT_EQ(after.runs, 3U);
  EXPECT_EQ(after.failures, 2U);
  EXPECT_EQ(after.failures_in_row, 0U);
  EXPECT_EQ(after.succeeded, story.state().position);
  EXPECT_EQ(after.ended, story.state().position);
  EXPECT_EQ(after.succeeded_at, story.state().time);
  EXPECT_FALSE(after.running);
  EXPECT_EQ(story.state().ignored, 0U);
  EXPECT_TRUE(broken_invariants(story.state()).empty());
}

TEST(Backups, IgnoreWhatContradictsThem) {
  Story story;
  EXPECT_FALSE(story.tell(BackupStarted{"often", at(15), at(30)})) << "not scheduled";
  EXPECT_FALSE(story.tell(BackupUnscheduled{"often"}));
  EXPECT_FALSE(story.tell(BackupScheduled{"often", BackupAction::drill, "", "/backup", at(15)}))
      << "no schedule";
  ASSERT_TRUE(schedule(story, "often", at(15)));
  ASSERT_TRUE(schedule(story, "other", at(20)));
  EXPECT_FALSE(story.tell(SnapshotSkipped{{"often", at(15)}, 1})) << "it does not run";
  EXPECT_FALSE(story.tell(BackupStarted{"often", at(14), at(30)})) << "not due yet";
  EXPECT_FALSE(story.tell(BackupStarted{"often", at(15), at(15)})) << "due twice";
  ASSERT_TRUE(story.tell(BackupStarted{"often", at(15), at(30)}));
  EXPECT_FALSE(story.tell(BackupStarted{"other", at(20), at(40)})) << "one at a time";
  EXPECT_FALSE(schedule(story, "often", at(45))) << "it runs";
  EXPECT_FALSE(story.tell(BackupUnscheduled{"often"})) << "it runs";
  EXPECT_FALSE(story.tell(DrillPassed{{"often", at(16)}})) << "another run";
  ASSERT_TRUE(story.tell(SnapshotsPruned{{"often", at(15)}}));
  EXPECT_FALSE(story.tell(SnapshotsPruned{{"often", at(15)}})) << "twice";
  EXPECT_FALSE(story.tell(BackupStarted{"often", at(15), at(30)})) << "a run of the past";
  ASSERT_TRUE(story.tell(BackupUnscheduled{"often"}));
  EXPECT_FALSE(story.tell(BackupStarted{"often", at(30), at(45)})) << "not scheduled any more";
  EXPECT_EQ(story.state().ignored, 13U);
  EXPECT_TRUE(broken_invariants(story.state()).empty());
}

TEST(Backups, OfAnotherRepositoryBeginAnew) {
  Story story;
  ASSERT_TRUE(schedule(story, "often", at(15)));
  ASSERT_TRUE(story.tell(BackupStarted{"often", at(15), at(30)}));
  ASSERT_TRUE(story.tell(SnapshotMade{{"often", at(15)}, 1, Position(2), 1, 1}));
  ASSERT_TRUE(schedule(story, "often", at(45)));
  EXPECT_TRUE(job(story, "often").succeeded);
  ASSERT_TRUE(schedule(story, "often", at(45), "/other"));
  EXPECT_FALSE(job(story, "often").succeeded);
  EXPECT_EQ(job(story, "often").runs, 1U);
}

TEST(Backups, SayWhichOneIsDueFirst) {
  Story story;
  EXPECT_FALSE(story.state().backups.next());
  ASSERT_TRUE(schedule(story, "late", at(30)));
  ASSERT_TRUE(schedule(story, "soon", at(10)));
  ASSERT_TRUE(schedule(story, "as soon", at(10)));
  const auto next = [&] { return story.state().names.text(*story.state().backups.next()); };
  EXPECT_EQ(next(), "soon") << "of two the one that was named first";
  ASSERT_TRUE(story.tell(BackupUnscheduled{"soon"}));
  EXPECT_EQ(next(), "as soon");
}

TEST(Backups, AreAskedAboutInExpressions) {
  Story story;
  tell_backups(story);
  for (const std::string_view expression :
       {"backups.failing == 1", "backups.missed == 2",
        "backups.last_snapshot > timestamp(\"1970-01-02T00:00:00Z\")"}) {
    auto query = Query::parse(expression, QuerySubject::state);
    ASSERT_TRUE(query.has_value()) << query.error().message;
    EXPECT_TRUE(query->holds(story.state())) << expression;
    EXPECT_FALSE(query->holds(State())) << expression;
  }
}

}  // namespace
}  // namespace almanac::test
