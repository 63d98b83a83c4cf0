// Nothing is visible, answered or begun before it is durable, and a full disk refuses new work
// without losing old.
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/story.h>

#include <future>
#include <mutex>

namespace almanac::test {
namespace {

// --- The order of things ------------------------------------------------------------------------

class EngineDurability : public EngineTest {
 protected:
  bool is_in_log(Position position) const {
    return engine->log().read_one(position, [](const Event&) {}).has_value();
  }
};

TEST_F(EngineDurability, ComesBeforeAnythingIsPublished) {
  std::atomic<const Engine*> opened = nullptr;
  std::atomic<int> looks = 0;
  open({.on_events = [&](const State& state, std::span<const RecordedEvent> events) {
    EXPECT_EQ(events.back().position, state.position);
    const Engine* looked_at = opened;
    if (looked_at == nullptr) return;
    ++looks;
    auto tail = looked_at->log().tail();
    ASSERT_TRUE(tail.has_value());
    EXPECT_GE(tail->last, state.position);
    EXPECT_GE(tail->last, looked_at->state()->position);
  }});
  opened = engine.get();
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  for (int i = 0; i < 50; ++i) submit({.kind = "work"});
  wait_until_all_ended();
  close();  // on_events is called until then
  EXPECT_GE(looks, 50);
}

TEST_F(EngineDurability, ComesBeforeAnyAnswer) {
  open();
  std::promise<void> all_answered;
  int answers = 0;
  for (int i = 0; i < 100; ++i) {
    engine->submit({{.kind = "work"}}, [&](Result<std::vector<Submitted>> answer) {
      ASSERT_TRUE(answer.has_value());
      auto tail = engine->log().tail();
      const Task* task = engine->state()->tasks.all.find(answer->front().id);
      EXPECT_TRUE(task != nullptr && tail->last >= task->enqueued && is_in_log(task->enqueued));
      if (++answers == 100) all_answered.set_value();
    });
  }
  all_answered.get_future().wait();
}

TEST_F(EngineDurability, AndPublishingComeBeforeAnAttemptBegins) {
  open();
  engine->handle("work", [&](const Attempt& attempt) {
    const Task* task = engine->state()->tasks.all.find(attempt.id);
    bool seen = task != nullptr && task->lease == attempt.token.lease;
    return seen && is_in_log(Position(attempt.token.lease.value)) ? Outcome::success()
                                                                  : Outcome::failure("too early");
  });
  for (int i = 0; i < 50; ++i) submit({.kind = "work"});
  wait_until_all_ended();
  EXPECT_EQ(engine->state()->tasks.count(TaskState::succeeded), 50U);
}

TEST_F(EngineDurability, IsTheOnlyOrderOfEvents) {
  std::mutex mutex;
  std::vector<std::uint64_t> positions;
  open({.on_events = [&](const State&, std::span<const RecordedEvent> events) {
    std::lock_guard guard(mutex);
    for (const RecordedEvent& event : events) positions.push_back(event.position.value);
  }});
  engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  for (int i = 0; i < 30; ++i) submit({.kind = "work"});
  wait_until_all_ended();
  close();
  for (std::size_t i = 0; i < positions.size(); ++i) EXPECT_EQ(positions[i], i + 1);
  EXPECT_EQ(positions.size(), 1U + 30 * 3 + 1);
}

// --- No space -----------------------------------------------------------------------------------

class FullStorage : public EngineTest {
 protected:
  static constexpr std::size_t small_map = 512 * 1024;

  // Submits until there is no space, also for what waits in memory; answers the tasks that were
  // accepted.
  std::vector<TaskId> fill(std::size_t payload_bytes = 8 * 1024) {
    std::vector<TaskId> accepted;
    while (accepted.size() < 10'000) {
      auto submitted = engine->submit({.kind = "none", .payload = std::string(payload_bytes, 'x')});
      if (!submitted) {
        EXPECT_EQ(submitted.error().code, ErrorCode::storage_full) << describe(submitted.error());
        EXPECT_FALSE(submitted.error().next_step.empty());
        return accepted;
      }
      accepted.push_back(submitted->id);
    }
    ADD_FAILURE() << "the map never filled";
    return accepted;
  }
  void expect_log_holds(const std::vector<TaskId>& tasks) {
    open();
    auto state = engine->state();
    for (TaskId id : tasks) EXPECT_TRUE(state->tasks.all.contains(id));
    EXPECT_EQ(state->tasks.all.size(), tasks.size());
    EXPECT_EQ(state->ignored, 0U);
  }
};

TEST_F(FullStorage, RefusesNewWorkAndStillShowsTheOld) {
  open_on_manual_clock({.map_bytes = small_map});
  auto accepted = fill();
  ASSERT_GT(accepted.size(), 10U);
  EXPECT_EQ(engine->state()->tasks.all.size(), accepted.size());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(engine->submit({.kind = "small"}).error().code, ErrorCode::storage_full);
    EXPECT_EQ(engine->cancel(accepted.front()).error().code, ErrorCode::storage_full);
  }
  EXPECT_EQ(engine->state()->tasks.count(TaskState::ready), accepted.size());
  EXPECT_EQ(to_hex(digest(*rebuild(engine->log()))), to_hex(digest(*engine->state())));
  EXPECT_FALSE(engine->failure().has_value());
  engine->stop_at_once();
  engine->wait_until_stopped();
  close();
  expect_log_holds(accepted);
}

TEST_F(FullStorage, IsTriedAgainAfterAWhile) {
  open_on_manual_clock({.map_bytes = small_map});
  auto accepted = fill(64 * 1024);
  advance(limits::storage_retry_interval);
  // What is smaller may still fit: pages that the refused commit did not use.
  for (int i = 0; i < 20; ++i) {
    auto submitted = engine->submit({.kind = "none"});
    if (!submitted) break;
    accepted.push_back(submitted->id);
  }
  engine->stop_at_once();
  engine->wait_until_stopped();
  close();
  expect_log_holds(accepted);
}

TEST_F(FullStorage, StopsAnEngineThatHasNothingToSave) {
  open({.map_bytes = small_map});
  auto accepted = fill();
  close();
  expect_log_holds(accepted);
}

TEST_F(FullStorage, RefusesToOpenAnEngineThatCannotBeRecorded) {
  open({.map_bytes = small_map});
  auto accepted = fill();
  close();
  auto again = Engine::open({.folder = log_folder(), .map_bytes = small_map});
  if (!again) {
    EXPECT_EQ(again.error().code, ErrorCode::storage_full) << describe(again.error());
  }
  again = fail(ErrorCode::stopped, "");
  expect_log_holds(accepted);
}

// The writer may commit some of what was decided in one turn and not the rest.
TEST_F(FullStorage, KeepsWhatWasCommittedOfATurnAndAnswersEachAsItWas) {
  constexpr std::size_t burst = 40;  // more than the map and what waits for it in memory
  std::promise<void> loop_waits;
  std::promise<void> loop_goes_on;
  std::atomic<bool> hold = false;
  open_on_manual_clock({.map_bytes = 12 * 1024 * 1024, .on_events = [&](const State&, auto) {
                          if (!hold.exchange(false)) return;
                          loop_waits.set_value();
                          loop_goes_on.get_future().wait();
                        }});
  hold = true;
  std::promise<void> all_answered;
  std::vector<TaskId> accepted;
  std::size_t answers = 0;
  auto answered = [&](Result<std::vector<Submitted>> answer) {
    if (answer) accepted.push_back(answer->front().id);
    EXPECT_EQ(answer ? ErrorCode::storage_full : answer.error().code, ErrorCode::storage_full);
    if (++answers == burst + 1) all_answered.set_value();
  };
  engine->submit({{.kind = "none"}}, answered);
  loop_waits.get_future().wait();
  for (std::size_t i = 0; i < burst; ++i) {
    engine->submit({{.kind = "none", .payload = std::string(1024 * 1024, 'x')}}, answered);
  }
  loop_goes_on.set_value();
  all_answered.get_future().wait();
  EXPECT_GT(accepted.size(), 1U);
  EXPECT_LT(accepted.size(), burst + 1);
  EXPECT_EQ(engine->state()->tasks.all.size(), accepted.size());
  EXPECT_EQ(engine->state()->position, engine->log().tail()->last);
  advance(limits::storage_retry_interval);
  auto small = engine->submit({.kind = "none"});
  if (small) accepted.push_back(small->id);
  close();
  expect_log_holds(accepted);
}

TEST_F(FullStorage, HandsBackWhatRunsWhenTheEngineStops) {
  open_on_manual_clock({.map_bytes = small_map});
  Gate gate;
  engine->handle("work", [&](const Attempt& attempt) {
    return gate.pass(attempt.stop) ? Outcome::success() : Outcome::failure("stopped");
  });
  TaskId id = submit({.kind = "work"});
  gate.wait_for_arrivals(1);
  auto accepted = fill();
  engine->stop_at_once();
  engine->wait_until_stopped();
  EXPECT_TRUE(engine->state()->tasks.running.empty());
  EXPECT_FALSE(engine->state()->engine.running);
  close();
  accepted.push_back(id);
  expect_log_holds(accepted);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskHandedBack");
}

// The clock stands still: nothing of this waits for the log to be tried again.
TEST_F(FullStorage, TakesTheEndsOfWhatRunsAndBeginsNothing) {
  open_on_manual_clock({.map_bytes = small_map});
  Gate gate;
  engine->handle("work", [&](const Attempt&) {
    gate.pass();
    return Outcome::success(std::string(limits::output_bytes_default, 'x'));
  });
  engine->handle("fail", [&](const Attempt&) {
    gate.pass();
    return Outcome::failure("no");
  });
  TaskId succeeds = submit({.kind = "work"});
  TaskId fails = submit({.kind = "fail"});
  TaskId retries = submit({.kind = "fail", .attempts_max = 2});
  TaskId depends = submit({.kind = "work", .dependencies = {succeeds}});
  gate.wait_for_arrivals(3);
  fill(32 * 1024);
  gate.open();
  wait_for(succeeds, TaskState::succeeded);
  wait_for(fails, TaskState::failed);
  wait_for(retries, TaskState::delayed);
  EXPECT_EQ(engine->submit({.kind = "none"}).error().code, ErrorCode::storage_full);
  EXPECT_EQ(task(depends).state, TaskState::ready);
  engine->stop_at_once();
  engine->wait_until_stopped();
  close();
  open_on_manual_clock();
  EXPECT_EQ(history(succeeds), "TaskEnqueued TaskStarted TaskSucceeded");
  EXPECT_EQ(history(fails), "TaskEnqueued TaskStarted TaskFailed");
  EXPECT_EQ(history(retries), "TaskEnqueued TaskStarted TaskAttemptFailed");
}

}  // namespace
}  // namespace almanac::test
