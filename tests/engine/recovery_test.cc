// What becomes of many tasks that ran when an engine died: they begin again at a pace, and what is
// new does not stand behind them.
#include <almanac/projections/invariants.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/gate.h>

#include <set>

namespace almanac::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// So many that run, as a dead engine left them.
State crashed(std::size_t tasks, std::uint32_t slots) {
  Desk desk({.slots = slots});
  std::vector<TaskSpec> specs(tasks, TaskSpec{.kind = "work"});
  desk.submit_all(std::move(specs));
  ALMANAC_CHECK(desk.start().size() == tasks);
  return desk.state();
}

TEST(Recovery, BeginsAsManyAtOnceAsItMayAndTheRestAtItsPace) {
  Desk desk(crashed(2'500, 4'000), {.slots = 4'000});
  EXPECT_EQ(desk.start().size(), default_recovery.burst);
  EXPECT_EQ(desk.start(), std::vector<TaskId>());
  EXPECT_EQ(desk.next_start(), desk.now + milliseconds(1));
  desk.now += milliseconds(100);
  EXPECT_EQ(desk.start().size(), 100U);
  desk.now += seconds(10);
  EXPECT_EQ(desk.start().size(), 1'000U);
  desk.now += seconds(1);
  EXPECT_EQ(desk.start().size(), 400U);
  EXPECT_EQ(desk.state().tasks.count(TaskState::ready), 0U);
  EXPECT_TRUE(desk.state().tasks.demands.empty()) << "begun, they are tasks as any other";
  EXPECT_EQ(broken_invariants(desk.state()), std::vector<std::string>());
}

TEST(Recovery, HasNoPaceForAFew) {
  Desk desk(crashed(900, 1'000), {.slots = 1'000});
  EXPECT_EQ(desk.start().size(), 900U);
  EXPECT_TRUE(desk.state().limits.buckets.empty());
}

TEST(Recovery, TakesThePaceThatIsSet) {
  Desk before({.slots = 100});
  ASSERT_TRUE(before.ask(ConfigureLimit{"recovery:*", {.per_minute = 60, .burst = 5}}).has_value());
  before.submit_all(std::vector<TaskSpec>(20, TaskSpec{.kind = "work"}));
  ASSERT_EQ(before.start().size(), 20U);
  Desk desk(before.state(), {.slots = 100});
  EXPECT_EQ(desk.start().size(), 5U);
  desk.now += seconds(2);
  EXPECT_EQ(desk.start().size(), 2U);
}

TEST(Recovery, HoldsUpNothingThatIsNew) {
  Desk desk(crashed(2'500, 4'000), {.slots = 4'000});
  desk.start();
  const TaskId fresh = desk.submit({.kind = "work"});
  EXPECT_EQ(desk.start(), (std::vector<TaskId>{fresh})) << "slots are free, and it needs no pace";
}

class RecoveryOfAnEngine : public EngineTest {
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
};

// The complaint: 100,000 tasks in flight at a crash, and new ones wait for more than a second.
TEST_F(RecoveryOfAnEngine, StartsANewTaskWithinASecondThough100000WereInFlight) {
  constexpr std::uint64_t in_flight = 100'000;
  leave_running(in_flight);
  open({.slots = 1'500});  // a thread each
  Gate gate;
  const auto began = std::chrono::steady_clock::now();
  engine->handle("work", [&](const Attempt& attempt) {
    gate.pass(attempt.stop);
    return Outcome::success();
  });
  const TaskId fresh = submit({.kind = "work"});
  const bool runs = engine->wait(
      [&](const State& state) { return state.tasks.all.find(fresh)->lease != Lease(); },
      seconds(60));
  const auto took = std::chrono::steady_clock::now() - began;
  gate.open();
  EXPECT_TRUE(runs);
  EXPECT_LT(took, seconds(1));
  RecordProperty("milliseconds", static_cast<int>(took / milliseconds(1)));
  const auto state = engine->state();
  EXPECT_EQ(broken_invariants(*state, 3), std::vector<std::string>());
  EXPECT_GE(state->tasks.count(TaskState::ready), in_flight - 50'000);
  engine->stop_at_once();
  close();  // handlers are in the gate
}

}  // namespace
}  // namespace almanac::test
