// Schedules of a whole engine, on a clock the test turns, and of one that is killed.
#include <almanac/engine/schedules.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <csignal>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class EngineSchedules : public EngineTest {
 protected:
  void open_with_handler(EngineOptions options = {}) {
    open_on_manual_clock(std::move(options));
    engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  }
  static ScheduleSpec every_hour() {
    return {.name = "hourly",
            .recurrence = *Recurrence::parse("every hour"),
            .task = {.kind = "work"},
            .overlap = OverlapPolicy::allow};
  }
  void define(const ScheduleSpec& spec) {
    const auto defined = engine->define_schedule(spec);
    ASSERT_TRUE(defined.has_value()) << describe(defined.error());
  }
  [[nodiscard]] Schedule schedule(const std::string& name = "hourly") const {
    const auto state = engine->state();
    return *state->schedules.all.find(*state->names.find(name));
  }
};

TEST_F(EngineSchedules, EnqueueTasksThatRun) {
  open_with_handler();
  define(every_hour());
  turn();
  EXPECT_EQ(schedule().firings, 0U);
  advance(hours(1));
  wait_until_all_ended();
  EXPECT_EQ(schedule().firings, 1U);
  EXPECT_EQ(history(schedule().task), "TaskEnqueued TaskStarted TaskSucceeded");
  turn();
  EXPECT_EQ(schedule().firings, 1U);
  ASSERT_TRUE(engine->pause_schedule("hourly"));
  advance(hours(3));
  EXPECT_EQ(schedule().firings, 1U);
  ASSERT_TRUE(engine->resume_schedule("hourly"));
  advance(hours(1));
  EXPECT_EQ(schedule().firings, 2U);
  ASSERT_TRUE(engine->remove_schedule("hourly"));
  EXPECT_EQ(code_of(engine->remove_schedule("hourly")), "not_found");
}

// A timer, not a turn that somebody asks for, brings the instant.
TEST_F(EngineSchedules, FireByThemselves) {
  open();
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  ScheduleSpec spec = every_hour();
  spec.recurrence = *Recurrence::parse("every second");
  define(spec);
  EXPECT_TRUE(engine->wait(
      [](const State& state) {
        return !state.schedules.all.empty() && (*state.schedules.all.begin()).value.firings >= 1;
      },
      minutes(1)));
}

TEST_F(EngineSchedules, DoNotFireAgainWhenTheClockGoesBack) {
  open_with_handler();
  define(every_hour());
  advance(hours(1));
  const Time fired = schedule().fired;
  for (const auto back : {minutes(90), minutes(61), minutes(1)}) {
    advance(-back);
    close();
    open_with_handler();
    turn();
    EXPECT_EQ(schedule().firings, 1U);
    advance(back);
    EXPECT_EQ(schedule().firings, 1U);
  }
  advance(hours(1));
  EXPECT_EQ(schedule().firings, 2U);
  EXPECT_EQ(schedule().fired, fired + hours(1));
}

TEST_F(EngineSchedules, MakeUpForASuspendOnce) {
  open_with_handler();
  define(every_hour());
  advance(hours(1));
  advance(hours(10) + minutes(10));
  EXPECT_EQ(schedule().firings, 2U);
  EXPECT_EQ(schedule().skipped, 9U);
  EXPECT_EQ(schedule().next - schedule().fired, hours(1));
}

TEST_F(EngineSchedules, WaitForAnEngineThatFiresThem) {
  open_with_handler();
  define(every_hour());
  close();
  clock.advance(hours(2));
  open_on_manual_clock({.fires_schedules = false});
  turn();
  EXPECT_EQ(schedule().firings, 0U);
  close();
  open_with_handler();
  turn();
  EXPECT_EQ(schedule().firings, 1U);
}

TEST_F(EngineSchedules, AreThereAgainFromACheckpoint) {
  open_with_handler();
  define(every_hour());
  advance(hours(1));
  const Schedule before = schedule();
  close();  // writes one
  open_with_handler();
  EXPECT_EQ(schedule(), before);
  EXPECT_EQ(schedule().definition->task.kind, "work");
  advance(hours(1));
  EXPECT_EQ(schedule().firings, 2U);
}

TEST_F(EngineSchedules, DoWhatTheExampleShows) {
  ChildProcess program({program_path("example_recurring"), folder / "example"});
  EXPECT_EQ(program.read_line(), "tidying up the attic");
  EXPECT_EQ(program.read_line(), "tidying up the attic");
  EXPECT_EQ(program.wait(), 0);
}

// What the log says of the schedule "tick", every two seconds.
class Ticks {
 public:
  void see(const RecordedEvent& recorded) {
    if (fired_task_) {
      const auto* enqueued = std::get_if<TaskEnqueued>(&recorded.event.body);
      ASSERT_NE(enqueued, nullptr) << "nothing between a firing and its task";
      EXPECT_EQ(enqueued->id, fired_task_);
      fired_task_ = {};
    }
    if (const auto* skipped = std::get_if<ScheduleSkipped>(&recorded.event.body)) {
      ADD_FAILURE() << "skipped: " << name(skipped->reason);
    }
    if (const auto* fired = std::get_if<ScheduleFired>(&recorded.event.body)) {
      if (count_ > 0) {
        EXPECT_EQ(fired->instant, last_ + seconds(2)) << "each once, in order";
      }
      last_ = fired->instant;
      fired_task_ = fired->task;
      ++count_;
    }
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  Time last_;
  TaskId fired_task_;
  std::uint64_t count_ = 0;
};

TEST_F(EngineSchedules, FireEachInstantOnceHoweverOftenTheyAreKilled) {
  const int rounds = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? 300 : 12;
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto from = [&](int min, int max) {
    return std::uniform_int_distribution<int>(min, max)(random);
  };
  for (int round = 0; round < rounds; ++round) {
    // The clock was set back, has gone on, or was set forward.
    const int shift = from(0, 2) == 0 ? from(-100, 0) : from(0, 60);
    ChildProcess victim({program_path("schedule_victim"), log_folder(), std::to_string(shift)});
    for (int turns = from(1, 40); turns > 0; --turns) ASSERT_EQ(victim.read_line(), "turned");
    victim.kill(SIGKILL);
    EXPECT_EQ(victim.wait(), -SIGKILL);
  }
  auto log = Log::open(log_folder(), {.access = Access::read});
  ASSERT_TRUE(log.has_value()) << describe(log.error());
  Ticks ticks;
  ASSERT_TRUE((*log)->read(Position(1), [&](const RecordedEvent& recorded) {
    ticks.see(recorded);
    return Result<bool>(true);
  }));
  EXPECT_GT(ticks.count(), std::uint64_t(rounds));
  const auto state = rebuild(**log);
  ASSERT_TRUE(state.has_value());
  const Schedule& tick = *state->schedules.all.find(*state->names.find("tick"));
  EXPECT_EQ(state->tasks.all.size(), ticks.count());
  EXPECT_EQ(tick.firings, ticks.count());
  EXPECT_EQ(state->ignored, 0U);
}

}  // namespace
}  // namespace almanac::test
