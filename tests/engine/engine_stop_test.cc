// How an engine stops: what runs ends or is handed back, the end is recorded, and the next one goes
// on where it stopped.
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/process_watch.h>

#include <sys/wait.h>

#include <future>

namespace almanac::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class EngineStop : public EngineTest {
 protected:
  // A handler that waits at the gate: "deaf" ignores being told to stop, "listens" does not.
  void open_with_gate(EngineOptions options) {
    open(std::move(options));
    engine->handle("deaf", [this](const Attempt&) {
      gate.pass();
      return Outcome::success("late");
    });
    engine->handle("listens", [this](const Attempt& attempt) {
      return gate.pass(attempt.stop) ? Outcome::success() : Outcome::failure("stopped");
    });
  }
  // What the log says once the engine is gone.
  State state_after_close() {
    close();
    auto log = Log::open(log_folder(), {.access = Access::read});
    EXPECT_TRUE(log.has_value());
    auto state = rebuild(**log);
    EXPECT_TRUE(state.has_value());
    EXPECT_FALSE(state->engine.running);
    EXPECT_TRUE(state->tasks.running.empty());
    EXPECT_EQ(state->ignored, 0U);
    return *state;
  }
  Gate gate;
};

TEST_F(EngineStop, IsRecordedWithoutAnythingToDo) {
  open();
  close();
  EXPECT_EQ(state_after_close().position, Position(2));
}

TEST_F(EngineStop, LetsWhatRunsEndWithinTheGrace) {
  open_with_gate({.stop_grace = hours(1)});
  TaskId running = submit({.kind = "deaf"});
  gate.wait_for_arrivals(1);
  EXPECT_FALSE(engine->stopping());
  engine->stop();
  EXPECT_TRUE(engine->stopping());
  EXPECT_FALSE(engine->stopped());
  EXPECT_EQ(engine->submit({.kind = "deaf"}).error().code, ErrorCode::stopped);
  gate.open();
  engine->wait_until_stopped();
  EXPECT_TRUE(engine->stopped());
  EXPECT_EQ(task(running).state, TaskState::succeeded);
  EXPECT_FALSE(engine->failure().has_value());
  EXPECT_FALSE(engine->state()->engine.running);
}

TEST_F(EngineStop, StartsNothingMore) {
  open_with_gate({.slots = 1, .stop_grace = hours(1)});
  TaskId running = submit({.kind = "deaf"});
  TaskId ready = submit({.kind = "deaf"});
  TaskId dependent = submit({.kind = "deaf", .dependencies = {running}});
  gate.wait_for_arrivals(1);
  engine->stop();
  gate.open();
  auto state = state_after_close();
  EXPECT_EQ(state.tasks.all.find(ready)->state, TaskState::ready);
  EXPECT_EQ(state.tasks.all.find(dependent)->state, TaskState::ready);
  EXPECT_EQ(gate.arrivals(), 1U);
}

TEST_F(EngineStop, HandsBackWhatRunsLongerAndTheNextEngineRunsIt) {
  open_with_gate({.stop_grace = Duration(0)});
  TaskId id = submit({.kind = "listens"});
  gate.wait_for_arrivals(1);
  auto state = state_after_close();
  EXPECT_EQ(state.tasks.all.find(id)->state, TaskState::ready);
  EXPECT_EQ(state.tasks.all.find(id)->failures, 0U);
  gate.open();
  open_with_gate({});
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskHandedBack TaskStarted TaskSucceeded");
}

TEST_F(EngineStop, HandsBackOnlyWhenTheGraceIsOver) {
  open_with_gate({.stop_grace = seconds(10), .clock = clock.function()});
  TaskId id = submit({.kind = "listens"});
  gate.wait_for_arrivals(1);
  engine->stop();
  turn();
  advance(seconds(10) - Duration(1));
  EXPECT_EQ(task(id).state, TaskState::running);
  advance(Duration(1));
  engine->wait_until_stopped();
  EXPECT_EQ(task(id).state, TaskState::ready);
}

TEST_F(EngineStop, HandsBackAHandlerThatDoesNotListenAfterTheKillGrace) {
  open_with_gate({.stop_grace = Duration(0), .kill_grace = seconds(5), .clock = clock.function()});
  TaskId id = submit({.kind = "deaf"});
  gate.wait_for_arrivals(1);
  engine->stop();
  turn();
  advance(seconds(5) - Duration(1));
  EXPECT_EQ(task(id).state, TaskState::running);
  advance(Duration(1));
  engine->wait_until_stopped();
  EXPECT_EQ(task(id).state, TaskState::ready);
  gate.open();
}

TEST_F(EngineStop, KeepsASuccessThatComesWhileItHandsBack) {
  open_with_gate({.stop_grace = Duration(0), .kill_grace = hours(1)});
  TaskId id = submit({.kind = "deaf"});
  gate.wait_for_arrivals(1);
  engine->stop();
  turn();
  gate.open();
  engine->wait_until_stopped();
  EXPECT_EQ(task(id).state, TaskState::succeeded);
}

TEST_F(EngineStop, StopsCommandsWithSigtermAndHandsThemBack) {
  NamedPipe news(folder / "news");
  open({.stop_grace = Duration(0), .kill_grace = hours(1)});
  TaskId id = submit_shell("trap 'echo term > " + news.path() + "; exit 1' TERM; echo begun > " +
                           news.path() + "; sleep 1000 & wait");
  EXPECT_EQ(news.read_line(), "begun");
  engine->stop();
  EXPECT_EQ(news.read_line(), "term");
  engine->wait_until_stopped();
  EXPECT_EQ(task(id).state, TaskState::ready);
  EXPECT_EQ(history(id), "TaskEnqueued TaskStarted TaskHandedBack");
}

TEST_F(EngineStop, AtOnceKillsCommandsAndGivesHandlersUp) {
  NamedPipe news(folder / "news");
  open_with_gate({.stop_grace = hours(1), .kill_grace = hours(1)});
  TaskId command = submit_shell("trap '' TERM; sleep 1000 & echo $! > " + news.path() + "; wait");
  TaskId deaf = submit({.kind = "deaf"});
  ProcessWatch child(std::stoi(news.read_line()));
  gate.wait_for_arrivals(1);
  engine->stop_at_once();
  engine->wait_until_stopped();
  EXPECT_TRUE(child.ends());
  EXPECT_EQ(task(command).state, TaskState::ready);
  EXPECT_EQ(task(deaf).state, TaskState::ready);
  gate.open();
}

TEST_F(EngineStop, AtOnceMakesHasteOfAStopThatWaits) {
  open_with_gate({.stop_grace = hours(1)});
  submit({.kind = "listens"});
  gate.wait_for_arrivals(1);
  engine->stop();
  turn();
  engine->stop_at_once();
  engine->wait_until_stopped();
  EXPECT_EQ(engine->state()->tasks.count(TaskState::ready), 1U);
}

TEST_F(EngineStop, EndsACancelledTaskAsCancelled) {
  open_with_gate({.stop_grace = Duration(0), .kill_grace = hours(1)});
  TaskId id = submit({.kind = "listens"});
  gate.wait_for_arrivals(1);
  ASSERT_TRUE(engine->cancel(id).has_value());
  engine->stop();
  engine->wait_until_stopped();
  EXPECT_EQ(task(id).state, TaskState::cancelled);
}

TEST_F(EngineStop, KeepsDelayedAndWaitingTasks) {
  open();
  TaskId delayed = submit({.kind = "work", .run_at = system_time() + hours(1)});
  submit({.kind = "work", .dependencies = {delayed}});
  auto state = state_after_close();
  EXPECT_EQ(state.tasks.count(TaskState::delayed), 1U);
  EXPECT_EQ(state.tasks.count(TaskState::waiting), 1U);
}

TEST_F(EngineStop, AnswersEverybody) {
  open();
  std::vector<std::future<void>> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.push_back(std::async(std::launch::async, [&] {
      Result<Submitted> answer = Submitted{};
      while (answer) answer = engine->submit({.kind = "work"});
      EXPECT_EQ(answer.error().code, ErrorCode::stopped);
    }));
  }
  ASSERT_TRUE(engine->wait([](const State& state) { return state.tasks.all.size() > 20; }));
  engine->stop();
  for (auto& caller : callers) caller.get();
  engine->wait_until_stopped();
  EXPECT_EQ(engine->cancel(TaskId(1)).error().code, ErrorCode::stopped);
  EXPECT_TRUE(engine->wait([](const State& state) { return !state.engine.running; }));
  EXPECT_FALSE(engine->wait([](const State&) { return false; }));
}

TEST_F(EngineStop, LeavesNoChildProcess) {
  open();
  wait_until_ended(submit_shell("exit 0"));
  close();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(EngineStop, MayComeRightAfterTheStart) {
  for (int i = 0; i < 20; ++i) open();
  EXPECT_EQ(engine->state()->engine.starts, 20U);
}

}  // namespace
}  // namespace almanac::test
