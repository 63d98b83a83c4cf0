// What people report of other schedulers, each as a test of that name: whole engines, and real
// processes where it is about them.
#include <almanac/engine/limits.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/projections/resource_limits.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/process_watch.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <csignal>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

class Complaint : public EngineTest {
 protected:
  // A log in which so many tasks run, written by an engine that is gone.
  void leave_running(std::uint64_t tasks) {
    auto log = Log::open(log_folder());
    ASSERT_TRUE(log.has_value());
    const auto append = [&](auto body_of) {
      constexpr std::uint64_t batch_max = 10'000;
      for (std::uint64_t done = 0; done < tasks; done += batch_max) {
        std::vector<Event> events;
        for (std::uint64_t id = done + 1; id <= std::min(done + batch_max, tasks); ++id) {
          events.push_back({.at = clock.now(), .body = body_of(TaskId(id))});
        }
        ASSERT_TRUE((*log)->append_and_wait(events).has_value());
      }
    };
    const Event started{.at = clock.now(), .body = EngineStarted{"test", 1, 100'000, 1}};
    ASSERT_TRUE((*log)->append_and_wait(started).has_value());
    append([](TaskId id) { return TaskEnqueued{.id = id, .kind = "work", .queue = "default"}; });
    append([](TaskId id) { return TaskStarted{id, 1, Time()}; });
  }
  // Stops, which writes a checkpoint.
  void write_checkpoint() {
    open({.checkpoints = {.events_at_stop = 1}});
    close();
  }
  [[nodiscard]] nlohmann::json trim() const {
    const auto run = run_almanac(
        {.arguments = {"log", "trim", "--dir", log_folder().string(), "--keep", "1KiB", "--json"},
         .folder = folder.path(),
         .input = {}});
    EXPECT_EQ(run.code, 0) << run.errors;
    return nlohmann::json::parse(run.output);
  }
};

TEST_F(Complaint, TaskStuckAfterItsWorkerDied) {
  NamedPipe news(folder / "news");
  open();
  const TaskId id = submit_shell("echo $$ > " + news.path() +
                                 "; if [ $ALMANAC_ATTEMPT = 1 ]; then sleep 1000; fi");
  const pid_t worker = std::stoi(news.read_line());
  ASSERT_EQ(::kill(worker, SIGKILL), 0);
  EXPECT_NE(std::stoi(news.read_line()), worker);
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskHandedBack TaskStarted TaskSucceeded");
}

// The count of a limit goes up, the process dies, and it never comes down.
TEST_F(Complaint, SlotLeaked) {
  NamedPipe news(folder / "news");
  open({.slots = 1});
  for (const char* limit : {"gpu", "kind:command"}) {
    ASSERT_TRUE(engine->configure_limit(limit, {.units = 2}).has_value());
  }
  ASSERT_TRUE(engine->configure_queue({.queue = "narrow", .slots = 2}).has_value());
  for (int i = 0; i < 4; ++i) {
    submit_shell("echo up > " + news.path() + "; sleep 1000",
                 {.queue = "narrow", .demands = {{"gpu", 1}}});
  }
  news.read_line();
  engine->stop_at_once();
  close();
  for (int death = 1; death <= 2; ++death) {
    ChildProcess victim({program_path("almanac"), "run", "--dir", log_folder(), "--slots", "8"});
    for (int slot = 1; slot <= 2; ++slot) EXPECT_EQ(news.read_line(), "up") << "death " << death;
    victim.kill(SIGKILL);
    EXPECT_EQ(victim.wait(), -SIGKILL);
  }
  open({.slots = 8});
  for (int slot = 1; slot <= 2; ++slot) EXPECT_EQ(news.read_line(), "up") << "both are there";
  const auto in_use = [&] {
    const auto state = engine->state();
    return units_in_use(*state, *state->names.find("gpu"));
  };
  EXPECT_EQ(in_use(), 2U);
  for (std::uint64_t id = 1; id <= 4; ++id) ASSERT_TRUE(engine->cancel(TaskId(id)).has_value());
  wait_until_all_ended();
  EXPECT_EQ(in_use(), 0U);
}

TEST_F(Complaint, RetentionRemovingAWaitingTask) {
  open_on_manual_clock();
  engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
  engine->handle("bad", [](const Attempt&) { return almanac::Outcome::failure("no"); });
  const TaskId input = submit({.kind = "work"});
  const TaskId failed = submit({.kind = "bad"});
  const TaskId unneeded = submit({.kind = "bad"});
  wait_until_all_ended();
  const TaskId waiting = submit(
      {.kind = "work",
       .dependencies = {input, failed},
       .conditions = {DependencyCondition::success, DependencyCondition::success_in_the_end}});
  const TaskId delayed = submit({.kind = "work", .run_at = clock.now() + days(2'000)});
  const TaskId unknown = submit({.kind = "unheard of"});
  advance(days(1'000));
  EXPECT_TRUE(
      engine->wait([&](const State& state) { return !state.tasks.all.contains(unneeded); }, 60s));
  for (TaskId id : {input, failed, waiting, delayed, unknown}) {
    EXPECT_TRUE(engine->state()->tasks.all.contains(id)) << id.value;
  }
  advance(days(1'000));
  EXPECT_EQ(wait_until_ended(delayed).state, TaskState::succeeded);
}

// Through both changes of a year.
TEST_F(Complaint, DstChangeStoppingASchedule) {
  open_on_manual_clock();
  engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
  ASSERT_TRUE(
      engine
          ->define_schedule({.name = "nightly",
                             .recurrence = *Recurrence::parse("daily at 02:30 Europe/Paris"),
                             .task = {.kind = "work"},
                             .overlap = OverlapPolicy::allow})
          .has_value());
  constexpr std::uint64_t nights = 365;
  for (std::uint64_t night = 1; night <= nights; ++night) {
    advance(days(1));
    ASSERT_EQ(engine->state()->tasks.last, TaskId(night)) << "once, each night";
  }
}

// Where a lease is a time, a delay longer than it hands the task out again. Its attempts may take a
// minute here.
TEST_F(Complaint, DelayLongerThanTheLeaseDuplicatingATask) {
  std::atomic<int> calls = 0;
  const auto open_and_handle = [&] {
    open_on_manual_clock();
    engine->handle("delayed", [&](const Attempt&) {
      ++calls;
      return almanac::Outcome::success();
    });
    engine->handle("snoozes", [&](const Attempt& attempt) {
      return attempt.number == 1 ? almanac::Outcome::snooze(clock.now() + days(30))
                                 : almanac::Outcome::success();
    });
  };
  open_and_handle();
  const TaskId delayed =
      submit({.kind = "delayed", .run_at = clock.now() + days(30), .timeout = 1min});
  const TaskId snoozes = submit({.kind = "snoozes", .timeout = 1min});
  wait_for(snoozes, TaskState::delayed);
  for (int week = 1; week <= 4; ++week) {
    advance(days(7));
    EXPECT_EQ(task(delayed).state, TaskState::delayed);
    EXPECT_EQ(task(snoozes).state, TaskState::delayed);
    engine->stop_at_once();
    open_and_handle();
  }
  advance(days(2));
  wait_until_all_ended();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(history(delayed), "TaskEnqueued TaskReadied TaskStarted TaskSucceeded");
  EXPECT_EQ(history(snoozes),
            "TaskEnqueued TaskStarted TaskSnoozed TaskReadied TaskStarted TaskSucceeded");
}

// By more than a second, of 100,000. Here a new one starts in the turn in which it comes, without
// any time.
TEST_F(Complaint, TasksInFlightAtACrashDelayingNewOnes) {
  constexpr std::uint64_t in_flight = 100'000;
  leave_running(in_flight);
  open_on_manual_clock({.slots = default_recovery.burst + 10});  // a thread each
  Gate gate;
  engine->handle("work", [&](const Attempt& attempt) {
    gate.pass(attempt.stop);
    return almanac::Outcome::success();
  });
  const TaskId fresh = submit({.kind = "work"});
  wait_for(fresh, TaskState::running);
  const Task started = task(fresh);
  EXPECT_LE(started.lease.value - started.enqueued.value, 1 + default_recovery.burst)
      << "no more is between them than begins in one turn";
  const auto state = engine->state();
  EXPECT_EQ(broken_invariants(*state, 3), std::vector<std::string>());
  EXPECT_EQ(state->tasks.count(TaskState::ready), in_flight - default_recovery.burst);
  gate.open();
  engine->stop_at_once();
  close();  // handlers are in the gate
}

// What it needs is written again, and what stood in front of it goes.
TEST_F(Complaint, OneOldTaskPinningTheLog) {
  const auto run_large_tasks = [&] {
    engine->handle("work", [](const Attempt&) { return almanac::Outcome::success(); });
    for (int i = 0; i < 40; ++i) {
      wait_until_ended(
          submit({.kind = "work", .payload = std::string(64 * limits::kibibyte, 'x')}));
    }
  };
  open({.checkpoints = {.write = false}});
  run_large_tasks();
  const TaskId old = submit({.kind = "later", .payload = "needed"});
  const Position needed = task(old).enqueued;
  run_large_tasks();
  close();
  for (int i = 0; i < 2; ++i) write_checkpoint();
  const auto trimmed = trim();
  EXPECT_GT(trimmed["events"], 0);
  EXPECT_GT(trimmed["first"], needed.value);
  EXPECT_EQ(trimmed["carried"], 1);
  EXPECT_FALSE(trimmed.contains("held_by_task"));
  open();
  std::string payload;
  engine->handle("later", [&](const Attempt& attempt) {
    payload = as_text(attempt.payload);
    return almanac::Outcome::success();
  });
  EXPECT_EQ(wait_until_ended(old).state, TaskState::succeeded);
  EXPECT_EQ(payload, "needed");
}

}  // namespace
}  // namespace almanac::test
