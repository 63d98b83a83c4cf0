// Deciding backups: which jobs there are, when each begins, and that no time it was due is lost or
// done twice.
#include <almanac/engine/backups.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::minutes;

BackupSpec spec(std::string_view schedule, BackupAction action = BackupAction::snapshot,
                std::string name = {}) {
  auto parsed = Recurrence::parse(schedule);
  ALMANAC_CHECK(parsed);
  return {.action = action, .recurrence = *parsed, .name = std::move(name)};
}

Command engine_started(std::vector<BackupSpec> backups, std::string repository = "/backup") {
  return StartEngine{.version = "test",
                     .process_id = 1,
                     .slots = 4,
                     .seed = 7,
                     .repository = std::move(repository),
                     .backups = std::move(backups)};
}

// The types of the events of the last decision, but for those of every start.
std::string said(const Desk& desk) {
  std::string types;
  for (const Event& event : desk.last()) {
    if (std::holds_alternative<EngineStarted>(event.body)) continue;
    types += (types.empty() ? "" : " ") + std::string(type_name(event.body));
  }
  return types;
}

const BackupJob& job(const Desk& desk, std::string_view name) {
  return *desk.state().backups.jobs.find(*desk.state().names.find(name));
}

Result<Answer> finish(Desk& desk, const std::string& name, FinishBackup::Outcome outcome) {
  return desk.ask(FinishBackup{name, job(desk, name).due, Duration(3), std::move(outcome)});
}

TEST(BackupSchedules, AreOnRecordWhenTheyChange) {
  Desk desk;
  ASSERT_TRUE(desk.ask(engine_started({spec("every 15 minutes")})));
  EXPECT_EQ(said(desk), "BackupScheduled");
  EXPECT_EQ(job(desk, "snapshot").next, spec("every 15 minutes").recurrence.next_after(desk.now));
  ASSERT_TRUE(desk.ask(engine_started({spec("every 900s")})));
  EXPECT_EQ(said(desk), "") << "the same in other words";
  ASSERT_TRUE(desk.ask(engine_started({spec("every 900s")}, "/other")));
  EXPECT_EQ(said(desk), "BackupScheduled");
  ASSERT_TRUE(desk.ask(
      engine_started({spec("every 900s"), spec("daily at 04:00", BackupAction::drill)}, "/other")));
  EXPECT_EQ(said(desk), "BackupScheduled");
  ASSERT_TRUE(desk.ask(engine_started({})));
  EXPECT_EQ(said(desk), "BackupUnscheduled BackupUnscheduled");
  EXPECT_FALSE(desk.state().backups.next());
}

TEST(BackupSchedules, AreRefusedWithoutARepositoryOrWithANameTwice) {
  const auto code = [](std::filesystem::path repository, std::vector<BackupSpec> jobs) {
    auto checked = check({.repository = std::move(repository), .jobs = std::move(jobs)});
    return checked ? "ok" : std::string(name(checked.error().code));
  };
  EXPECT_EQ(code("", {}), "ok");
  EXPECT_EQ(code("/backup", {spec("every day"), spec("every hour", BackupAction::prune)}), "ok");
  EXPECT_EQ(code("", {spec("every day")}), "invalid");
  EXPECT_EQ(code("/backup", {spec("every day"), spec("every hour")}), "invalid");
  EXPECT_EQ(code("/backup", {spec("every day"), spec("every hour", {}, "hourly")}), "ok");
  EXPECT_EQ(code("/backup", {spec("every day", {}, "a\nb")}), "invalid");
  std::vector<BackupSpec> many;
  for (std::size_t i = 0; i <= limits::backup_jobs_max; ++i) {
    many.push_back(spec("every day", {}, std::to_string(i)));
  }
  EXPECT_EQ(code("/backup", many), "invalid");
  many.pop_back();
  EXPECT_EQ(code("/backup", many), "ok");
}

TEST(BackupRuns, BeginWhenTheyAreDueAndOneAtATime) {
  Desk desk;
  ASSERT_TRUE(desk.ask(
      engine_started({spec("every 15 minutes"), spec("every 10 minutes", BackupAction::drill)})));
  EXPECT_TRUE(desk.begin_backup().empty());
  desk.now += minutes(60);
  ASSERT_EQ(desk.begin_backup().size(), 1U);
  EXPECT_TRUE(job(desk, "drill").running) << "it was due before the other one";
  EXPECT_TRUE(desk.begin_backup().empty());
  ASSERT_TRUE(finish(desk, "drill", DrillPassed{.at = Position(2)}));
  EXPECT_EQ(desk.begin_backup().size(), 1U);
  EXPECT_TRUE(job(desk, "snapshot").running);
}

TEST(BackupRuns, EndOnceAndAsTheyWent) {
  Desk desk;
  ASSERT_TRUE(desk.ask(engine_started({spec("every 15 minutes")})));
  EXPECT_EQ(error_of(finish(desk, "snapshot", SnapshotMade{})).code, ErrorCode::conflict);
  desk.now += minutes(15);
  desk.begin_backup();
  const auto due = job(desk, "snapshot").due;
  EXPECT_EQ(
      error_of(desk.ask(FinishBackup{"snapshot", due - minutes(15), {}, SnapshotMade{}})).code,
      ErrorCode::conflict);
  EXPECT_EQ(error_of(desk.ask(FinishBackup{"none", due, {}, SnapshotMade{}})).code,
            ErrorCode::conflict);
  ASSERT_TRUE(finish(desk, "snapshot", Error{ErrorCode::io, "it is gone", "bring it back"}));
  const auto& failed = std::get<BackupFailed>(desk.last().front().body);
  EXPECT_EQ(failed.run.job, "snapshot");
  EXPECT_EQ(failed.run.due, due);
  EXPECT_EQ(failed.run.took, Duration(3));
  EXPECT_EQ(failed.code, "io");
  EXPECT_EQ(failed.message, "it is gone; bring it back");
  EXPECT_EQ(error_of(finish(desk, "snapshot", SnapshotMade{})).code, ErrorCode::conflict);
}

TEST(BackupRuns, OfADeadEngineAreOnRecordAndNotDoneAgain) {
  Desk desk;
  const auto start = engine_started({spec("every 15 minutes")});
  ASSERT_TRUE(desk.ask(start));
  desk.now += minutes(15);
  desk.begin_backup();
  ASSERT_TRUE(desk.ask(start));
  EXPECT_EQ(said(desk), "BackupFailed");
  EXPECT_EQ(std::get<BackupFailed>(desk.last().back().body).code, "unknown_outcome");
  EXPECT_TRUE(desk.begin_backup().empty());
  desk.now += minutes(15);
  EXPECT_EQ(desk.begin_backup().size(), 1U);
}

// What the log says of one job, against a plain list of the times it is due.
class History {
 public:
  History(const Recurrence& recurrence, Time first) : recurrence_(recurrence), expected_(first) {}

  void see(const std::vector<Event>& events) {
    for (const Event& event : events) {
      if (const auto* started = std::get_if<BackupStarted>(&event.body)) see(*started, event.at);
    }
  }
  // Every time it was due through `now` is on record, but for what has to wait for a run to end.
  [[nodiscard]] bool is_complete(Time now) const { return expected_ > now; }

 private:
  void see(const BackupStarted& started, Time at) {
    RC_ASSERT((started.missed_since == Time()) == (started.missed == 0));
    if (started.missed > 0) RC_ASSERT(started.missed_since == expected_);
    for (std::uint64_t i = 0; i < started.missed; ++i)
      expected_ = recurrence_.next_after(expected_);
    RC_ASSERT(started.due == expected_);
    expected_ = recurrence_.next_after(expected_);
    RC_ASSERT(started.next == expected_);
    RC_ASSERT(started.due <= at && at < started.next);
  }

  Recurrence recurrence_;
  Time expected_;
};

RC_GTEST_PROP(BackupRunProperty, EachTimeAJobIsDueIsDoneOnceOrOnRecordAsMissed, ()) {
  const auto text = *rc::gen::element<std::string>("every 15 minutes", "every 7 minutes",
                                                   "daily at 00:10", "weekly on monday at 03:00");
  const auto start = engine_started({spec(text)});
  Desk desk;
  RC_ASSERT(desk.ask(start).has_value());
  History history(spec(text).recurrence, job(desk, "snapshot").next);
  for (int moves = *rc::gen::inRange(1, 60); moves > 0; --moves) {
    switch (*rc::gen::inRange(0, 4)) {
      case 0: desk.now += minutes(*rc::gen::inRange(0, 3'000)); break;
      case 1: desk.now += minutes(*rc::gen::inRange(0, 20)); break;
      case 2:
        if (job(desk, "snapshot").running) {
          const bool fails = *rc::gen::arbitrary<bool>();
          auto outcome = fails ? FinishBackup::Outcome(Error{ErrorCode::io, "no", ""})
                               : FinishBackup::Outcome(SnapshotMade{});
          RC_ASSERT(finish(desk, "snapshot", outcome).has_value());
        }
        break;
      default: RC_ASSERT(desk.ask(start).has_value());  // the one before is dead, or had stopped
    }
    history.see(desk.begin_backup());
    RC_ASSERT(history.is_complete(desk.now) || job(desk, "snapshot").running);
  }
}

}  // namespace
}  // namespace almanac::test
