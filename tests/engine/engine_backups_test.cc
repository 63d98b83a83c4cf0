// An engine that makes its own backups, into real repositories, on a clock the test turns.
#include <almanac/snapshots/restore.h>
#include <almanac/tests/support/backup_thread.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/gate.h>

#include <csignal>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::minutes;

class EngineBackups : public EngineTest {
 protected:
  static BackupSpec every_15_minutes(BackupAction action) {
    return {.action = action, .recurrence = *Recurrence::parse("every 15 minutes")};
  }
  [[nodiscard]] fs::path repository() const { return folder / "backup"; }
  void open_with(const std::vector<BackupAction>& actions) {
    EngineOptions options{.runs_commands = false};
    options.backups.repository = repository();
    options.backups.drill_folder = folder.path();
    for (const BackupAction action : actions) {
      options.backups.jobs.push_back(every_15_minutes(action));
    }
    open_on_manual_clock(std::move(options));
  }
  [[nodiscard]] BackupJob job(const std::string& name) const {
    const auto state = engine->state();
    return *state->backups.jobs.find(*state->names.find(name));
  }
  // Waits until so many runs of it have ended.
  BackupJob wait_for_runs(const std::string& name, std::uint64_t runs) {
    EXPECT_TRUE(engine->wait(
        [&](const State& state) {
          const BackupJob& job = *state.backups.jobs.find(*state.names.find(name));
          return job.runs >= runs && !job.running;
        },
        minutes(1)));
    return job(name);
  }
  // The end of the last run.
  template <class End, class See>
  void see_end(const std::string& name, See see) {
    auto read = engine->log().read_one(job(name).ended, [&](const Event& event) {
      ASSERT_TRUE(std::holds_alternative<End>(event.body)) << type_name(event.body);
      see(std::get<End>(event.body));
    });
    EXPECT_TRUE(read.has_value());
  }
  void expect_failure(const std::string& name, std::string_view code) {
    see_end<BackupFailed>(name, [&](const BackupFailed& end) { EXPECT_EQ(end.code, code); });
  }
  [[nodiscard]] std::vector<std::uint64_t> snapshots() const {
    auto opened = Repository::open(repository(), Access::read);
    return opened ? opened->numbers() : std::vector<std::uint64_t>();
  }
};

TEST_F(EngineBackups, AreMadeWhenTheyAreDue) {
  open_with({BackupAction::snapshot});
  turn();
  EXPECT_FALSE(fs::exists(repository()));
  submit({.kind = "none"});
  advance(minutes(15));
  const BackupJob first = wait_for_runs("snapshot", 1);
  EXPECT_TRUE(first.succeeded);
  EXPECT_EQ(first.succeeded, first.ended);
  see_end<SnapshotMade>("snapshot", [](const SnapshotMade& made) {
    EXPECT_EQ(made.snapshot, 1U);
    // Started, scheduled, enqueued, begun, and why the task waits.
    EXPECT_EQ(made.through, Position(5));
    EXPECT_GT(made.file_bytes, 0U);
    EXPECT_EQ(made.run.due.time_since_epoch() % minutes(15), Duration(0));
  });
  submit({.kind = "none"});
  turn();
  EXPECT_EQ(job("snapshot").runs, 1U) << "not due again";
  advance(minutes(15));
  wait_for_runs("snapshot", 2);
  EXPECT_EQ(snapshots().size(), 2U);
}

TEST_F(EngineBackups, LeadToTheStateThatWasThere) {
  open_with({BackupAction::snapshot});
  submit({.kind = "none"});
  advance(minutes(15));
  wait_for_runs("snapshot", 1);
  auto opened = Repository::open(repository(), Access::read);
  ASSERT_TRUE(opened.has_value());
  auto plan = plan_restore(*opened, {});
  ASSERT_TRUE(plan.has_value());
  auto restored = restore(*opened, *plan, folder / "restored", {.now = clock.now()});
  ASSERT_TRUE(restored.has_value()) << describe(restored.error());
  EXPECT_EQ(restored->state.tasks.all.size(), 1U);
}

TEST_F(EngineBackups, SkipASnapshotOfNothingButBackups) {
  open_with({BackupAction::snapshot});
  for (std::uint64_t run = 1; run <= 4; ++run) {
    advance(minutes(15));
    wait_for_runs("snapshot", run);
  }
  see_end<SnapshotSkipped>("snapshot", [](const auto& end) { EXPECT_EQ(end.snapshot, 1U); });
  EXPECT_EQ(snapshots().size(), 1U);
  submit({.kind = "none"});
  advance(minutes(15));
  wait_for_runs("snapshot", 5);
  EXPECT_EQ(snapshots().size(), 2U);
}

TEST_F(EngineBackups, AreTriedOutAndPruned) {
  open_with({BackupAction::snapshot, BackupAction::drill, BackupAction::prune});
  submit({.kind = "none"});
  advance(minutes(15));
  wait_for_runs("snapshot", 1);
  wait_for_runs("drill", 1);
  wait_for_runs("prune", 1);
  see_end<DrillPassed>("drill", [](const DrillPassed& passed) {
    EXPECT_EQ(passed.snapshot, 1U);
    EXPECT_GE(passed.at, Position(1));
    EXPECT_GT(passed.frame_bytes, 0U);
  });
  see_end<SnapshotsPruned>("prune", [](const auto& pruned) { EXPECT_EQ(pruned.snapshots, 0U); });
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("almanac-drill")) << entry.path();
  }
}

TEST_F(EngineBackups, FailWhileTheRepositoryIsGoneAndGoOnWhenItIsThereAgain) {
  open_with({BackupAction::snapshot});
  advance(minutes(15));
  wait_for_runs("snapshot", 1);
  fs::rename(repository(), folder / "elsewhere");
  for (std::uint64_t run = 2; run <= 3; ++run) {
    submit({.kind = "none"});
    advance(minutes(15));
    EXPECT_EQ(wait_for_runs("snapshot", run).failures_in_row, run - 1);
    expect_failure("snapshot", "not_found");
  }
  EXPECT_FALSE(fs::exists(repository())) << "made anew where a disk is missing";
  EXPECT_FALSE(engine->stopped());
  fs::rename(folder / "elsewhere", repository());
  advance(minutes(15));
  EXPECT_EQ(wait_for_runs("snapshot", 4).failures_in_row, 0U);
  EXPECT_EQ(snapshots().size(), 2U);
}

TEST_F(EngineBackups, ThatWereMissedAreMadeOnceAtTheNextStart) {
  open_with({BackupAction::snapshot});
  advance(minutes(15));
  const Time next = wait_for_runs("snapshot", 1).next;
  close();
  clock.advance(minutes(60));
  open_with({BackupAction::snapshot});
  const BackupJob after = wait_for_runs("snapshot", 2);
  EXPECT_EQ(after.missed, 3U);
  EXPECT_EQ(after.due, next + minutes(45));
  turn();
  EXPECT_EQ(job("snapshot").runs, 2U);
}

TEST_F(EngineBackups, AreNotMadeTwiceWhenTheClockGoesBack) {
  open_with({BackupAction::snapshot});
  advance(minutes(15));
  wait_for_runs("snapshot", 1);
  clock.advance(minutes(-40));
  for (int step = 0; step < 4; ++step) advance(minutes(10));
  EXPECT_EQ(job("snapshot").runs, 1U);
  advance(minutes(15));
  EXPECT_EQ(wait_for_runs("snapshot", 2).missed, 0U);
}

// The job stands at the gate when it asks what time it is.
TEST_F(EngineBackups, AreCutOffByAStopAndOnRecord) {
  open_with({BackupAction::snapshot});
  advance(minutes(15));
  wait_for_runs("snapshot", 1);
  close();
  Gate gate;
  EngineOptions options{.runs_commands = false};
  options.clock = [&] {
    if (is_backup_thread()) gate.pass();
    return clock.now();
  };
  options.backups = {.repository = repository(),
                     .jobs = {every_15_minutes(BackupAction::drill)},
                     .keep = {},
                     .drill_folder = folder.path()};
  open(std::move(options));
  advance(minutes(15));
  gate.wait_for_arrivals(1);
  engine->stop();
  turn();  // behind the stop
  gate.open();
  engine->wait_until_stopped();
  EXPECT_FALSE(engine->failure().has_value());
  EXPECT_FALSE(engine->state()->engine.running) << "the end is on record, and the stop behind it";
  expect_failure("drill", "stopped");
}

TEST_F(EngineBackups, OfAKilledEngineAreOnRecordAndOthersFollow) {
  ChildProcess victim({program_path("backup_victim"), log_folder(), repository()});
  ASSERT_EQ(victim.read_line(), "running");
  victim.kill(SIGKILL);
  EXPECT_EQ(victim.wait(), -SIGKILL);
  open_with({BackupAction::snapshot});
  EXPECT_FALSE(job("snapshot").running);
  expect_failure("snapshot", "unknown_outcome");
  EXPECT_EQ(job("snapshot").runs, 1U);
  advance(minutes(15));
  EXPECT_EQ(wait_for_runs("snapshot", 2).failures_in_row, 0U);
  EXPECT_EQ(snapshots().size(), 1U);
}

}  // namespace
}  // namespace almanac::test
