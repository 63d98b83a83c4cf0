// One turn at a time, without a thread of its own: what is answered and begun when, and what is
// left of a turn whose commit was refused.
#include <almanac/engine/backup_runner.h>
#include <almanac/engine/circuit_board.h>
#include <almanac/engine/core.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/tally.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <future>

namespace almanac::test {
namespace {

constexpr std::size_t small_map = 512 * 1024;

// A core, everything it needs, and a test in place of the loop's thread.
class CoreTest : public ::testing::Test {
 protected:
  CoreTest() {
    attempts.set_handlers(
        "work", {{.name = {}, .handler = [](const Attempt&) { return Outcome::success(); }}}, {},
        Time());
    turn(told(StartEngine{.version = "test", .process_id = 1, .slots = 2, .seed = 1}));
    commit(1);
  }

  // A command of the engine's own, and one of a caller, whose answer is kept.
  static std::unique_ptr<Submission> told(Command command) {
    return std::make_unique<Submission>(std::move(command), nullptr);
  }
  std::unique_ptr<Submission> asked(Command command) {
    return std::make_unique<Submission>(std::move(command), [this](const Result<Answer>& answer) {
      answers.push_back(answer ? "accepted" : std::string(name(answer.error().code)));
    });
  }
  template <class... Submissions>
  void turn(Submissions... submissions) {
    std::vector<std::unique_ptr<Submission>> all;
    (all.push_back(std::move(submissions)), ...);
    core.turn(std::move(all));
  }
  // Waits until the log holds everything up to a position or refuses it, and passes that on.
  CommitReport commit(std::uint64_t last) {
    auto report = log.wait_for(Position(last));
    if (report.error) log.resume();
    core.committed(report);
    return report;
  }
  // The same for the next event.
  void commit_next() { commit(published.state()->position.value + 1); }
  // Submits what nobody runs until there is no space.
  void fill() {
    do {
      turn(asked(filling()));
      commit_next();
    } while (answers.back() == "accepted");
    ASSERT_EQ(answers.back(), "storage_full");
  }
  [[nodiscard]] std::size_t frames_behind(Position position) const {
    std::size_t frames = 0;
    EXPECT_TRUE(log->read_frames(position.next(), [&](const FrameReader&) -> Result<bool> {
      ++frames;
      return true;
    }));
    return frames;
  }

  void expect_tally() const {
    auto seen = published.now();
    EXPECT_EQ(**tallies.in(*seen), tally_of(seen->state.position.value));
  }
  [[nodiscard]] TaskState state_of(std::uint64_t id) const {
    const Task* task = published.state()->tasks.all.find(TaskId(id));
    return task == nullptr ? TaskState::cancelled : task->state;
  }
  [[nodiscard]] FencingToken token_of(std::uint64_t id) const {
    return {log->timeline(), published.state()->tasks.all.find(TaskId(id))->lease};
  }
  static EnqueueTasks work() { return {{{.kind = "work"}}}; }
  static EnqueueTasks filling() {
    return {{{.kind = "none", .payload = std::string(16 * limits::kibibyte, 'x')}}};
  }

  // Begins what a worker elsewhere runs: task 1, under the event at position 3.
  void lease() {
    turn(asked(LeaseTasks{{.worker = "w", .kinds = {"render"}}, steady + std::chrono::hours(1)}),
         asked(EnqueueTasks{{{.kind = "render"}}}));
    commit(3);
    ASSERT_EQ(state_of(1), TaskState::running);
    answers.clear();
  }
  LeaseStatus heard(std::uint64_t id) {
    const HeldLease lease{TaskId(id), token_of(id)};
    return core.heard({&lease, 1}).front();
  }

  Time now{std::chrono::seconds(1'000'000)};
  SteadyTime steady{std::chrono::seconds(7)};
  std::vector<std::string> answers;
  std::vector<Position> shown;  // to on_events
  TempFolder folder;
  mutable TestLog log{folder / "log", {.map_bytes = small_map}};
  Loop loop{{.on_wake = [] {}, .on_timer = [] {}, .on_signal = [](int) {}}};
  Guard guard = *Guard::start();
  Published published{State()};
  InlineProjection<Tally> tallies{tally_spec()};
  InlineProjections projections =
      *InlineProjections::open(*log, {}, std::vector<AnyInlineProjection>{tallies}, Position());
  CoreLog core_log{*log};
  // What handlers report stays unread: these tests say themselves how an attempt ends.
  Attempts attempts{{core_log, loop, guard, [](Command) {}}, {}};
  // Remembers how long the core wants to wait.
  struct Timer final : LoopPort {
    explicit Timer(Loop& of) : loop(of) {}
    void stop() override { loop.stop(); }
    void arm(Duration wait) override { armed = wait; }
    void disarm() override { armed.reset(); }
    Loop& loop;
    std::optional<Duration> armed;
  };
  Timer timer{loop};
  BackupRunner backups{{.log = *log,
                        .folder = folder / "log",
                        .clock = [this] { return now; },
                        .report = [](Command) {}},
                       {}};
  CircuitBoard circuits{{.clock = [this] { return now; },
                         .state = [this] { return published.state(); },
                         .report = [](Command) {}}};
  Core core{
      {core_log, timer, attempts, backups, circuits, published, projections},
      {.clock = [this] { return now; },
       .steady_clock = [this] { return steady; },
       .on_events = [this](const State& state,
                           std::span<const RecordedEvent>) { shown.push_back(state.position); }}};
};

using Answers = std::vector<std::string>;

TEST_F(CoreTest, ShowsAndAnswersNothingBeforeTheLogHasSaidSo) {
  turn(asked(work()));
  EXPECT_EQ(published.state()->position, Position(1));
  EXPECT_TRUE(answers.empty());
  EXPECT_TRUE(attempts.empty());
  expect_tally();
  commit(3);
  EXPECT_EQ(published.state()->position, Position(3));
  expect_tally();
  EXPECT_EQ(answers, Answers{"accepted"});
  EXPECT_FALSE(attempts.empty());
  EXPECT_EQ(shown.back(), Position(3));
}

// The 1,000,000 turns an hour that it would take else are what the simulation found.
TEST_F(CoreTest, WaitsByTheClockForWhatIsDueWhereTheClockWasSetBack) {
  turn(asked(EnqueueTasks{{{.kind = "none", .run_at = now + std::chrono::milliseconds(5)}}}));
  commit(2);
  EXPECT_EQ(timer.armed, std::chrono::milliseconds(5));
  now -= std::chrono::seconds(20);
  turn();
  EXPECT_EQ(timer.armed, std::chrono::seconds(20) + std::chrono::milliseconds(5));
  now += std::chrono::seconds(21);
  turn();
  EXPECT_EQ(state_of(1), TaskState::delayed) << "not on disk yet";
  commit(3);
  EXPECT_EQ(state_of(1), TaskState::ready);
  EXPECT_EQ(timer.armed, limits::reasons_interval) << "to see what it waits for, and no sooner";
}

TEST_F(CoreTest, BeginsByTheHandlerThatRanItsVersionWhenThatWasDecided) {
  std::promise<int> ran;
  const auto handle = [&](VersionRange versions, int which) {
    const auto handler = [&ran, which](const Attempt&) {
      ran.set_value(which);
      return Outcome::success();
    };
    attempts.set_handlers("ask", {{.name = {}, .handler = handler}}, versions, Time());
    turn(told(SetImplementations{.kind = "ask", .implementations = {}, .versions = versions}));
  };
  handle({1, 1}, 1);
  turn(asked(EnqueueTasks{{{.kind = "ask", .version = 1}}}));
  handle({2, 2}, 2);  // while the start is on its way to the disk
  commit(5);
  EXPECT_EQ(ran.get_future().get(), 1);
}

TEST_F(CoreTest, ForgetsWhatAQueueSaysWhereTheEngineKeepsAll) {
  turn(asked(ConfigureQueue{.queue = "default", .retain_cancelled = std::chrono::minutes(1)}),
       asked(EnqueueTasks{{{.kind = "none"}}}), asked(CancelTask{TaskId(1), ""}));
  commit(4);
  EXPECT_TRUE(timer.armed) << "nothing else is due";
  now += limits::forget_interval;
  turn();
  commit(5);
  EXPECT_FALSE(published.state()->tasks.all.contains(TaskId(1)));
}

TEST_F(CoreTest, AnswersARefusalNoEarlierThanWhatItRestsOn) {
  turn(asked(work()));
  turn(asked(CancelTask{TaskId(9), ""}));
  EXPECT_TRUE(answers.empty());
  commit(3);
  EXPECT_EQ(answers, (Answers{"accepted", "not_found"}));
}

TEST_F(CoreTest, AnswersARefusalAtOnceWhenNothingIsOnItsWay) {
  turn(asked(CancelTask{TaskId(9), ""}));
  EXPECT_EQ(answers, Answers{"not_found"});
}

TEST_F(CoreTest, WritesAnEndWhileTheLogTakesNothingElse) {
  turn(asked(work()));
  commit(3);
  fill();
  answers.clear();
  EXPECT_FALSE(published.has_room());
  turn(told(FinishAttempt{TaskId(1), token_of(1), {}}), asked(work()));
  commit_next();
  EXPECT_EQ(state_of(1), TaskState::succeeded);
  EXPECT_EQ(answers, Answers{"storage_full"});
  EXPECT_FALSE(published.has_room());
}

TEST_F(CoreTest, WritesEndsOneAtATimeWhileTheLogIsFull) {
  turn(asked(work()), asked(work()));
  commit(5);
  fill();
  turn(told(FinishAttempt{TaskId(1), token_of(1), {}}),
       told(FinishAttempt{TaskId(2), token_of(2), {}}));
  auto before = published.state()->position;
  commit_next();
  EXPECT_EQ(state_of(1), TaskState::succeeded);
  EXPECT_EQ(state_of(2), TaskState::running);
  commit_next();
  EXPECT_EQ(state_of(2), TaskState::succeeded);
  EXPECT_EQ(frames_behind(before), 2U);
}

TEST_F(CoreTest, BeginsNothingThatAnEndMadePossibleWhileTheLogIsFull) {
  turn(asked(work()), asked(work()), asked(work()));
  commit(6);
  ASSERT_EQ(state_of(3), TaskState::ready);
  fill();
  turn(told(FinishAttempt{TaskId(1), token_of(1), {}}));
  commit_next();
  EXPECT_EQ(state_of(1), TaskState::succeeded);
  EXPECT_EQ(state_of(3), TaskState::ready);
  // It is tried when it is time, and not before.
  now += limits::storage_retry_interval;
  turn();
  commit_next();
  EXPECT_EQ(state_of(3), TaskState::ready);
}

// Of a turn with beginnings and an end what is not durable is taken back; the end alone is written
// again at once.
TEST_F(CoreTest, WritesAgainAtOnceAnEndThatWasRefusedWithABeginning) {
  turn(asked(work()), asked(work()));
  commit(5);
  std::uint64_t ended = 0;
  do {
    ended = (*published.state()->tasks.running.begin()).id.value;
    turn(asked(filling()), asked(work()), told(FinishAttempt{TaskId(ended), token_of(ended), {}}));
  } while (!commit(published.state()->position.value + 4).error);
  if (state_of(ended) == TaskState::running) commit_next();
  EXPECT_EQ(state_of(ended), TaskState::succeeded);
  turn(asked(work()));
  EXPECT_EQ(answers.back(), "storage_full");
}

TEST_F(CoreTest, AnswersAWorkerElsewhereWhenItsAttemptIsOnDisk) {
  turn(asked(LeaseTasks{{.worker = "w", .kinds = {"render"}}, steady + std::chrono::hours(1)}));
  EXPECT_TRUE(answers.empty()) << "it waits";
  turn(asked(EnqueueTasks{{{.kind = "render"}}}));
  EXPECT_TRUE(answers.empty());
  commit(3);
  EXPECT_EQ(answers, (Answers{"accepted", "accepted"}));
  EXPECT_EQ(state_of(1), TaskState::running);
  EXPECT_TRUE(attempts.empty()) << "nothing of it runs here";
  EXPECT_EQ(heard(1), LeaseStatus::held);
}

TEST_F(CoreTest, TakesBackWhatAWorkerIsSilentAboutAndNoClockThatIsSetHasASayInThat) {
  lease();
  EXPECT_EQ(timer.armed, std::chrono::seconds(30));
  now += std::chrono::hours(10);
  steady += std::chrono::seconds(29);
  EXPECT_EQ(heard(1), LeaseStatus::held);
  steady += std::chrono::seconds(1);
  turn();
  EXPECT_EQ(timer.armed, std::chrono::seconds(29));
  steady += std::chrono::seconds(28);
  turn();
  EXPECT_EQ(state_of(1), TaskState::running);
  EXPECT_EQ(published.state()->position, Position(3)) << "a sign of life is no event";
  steady += std::chrono::seconds(1);
  turn();
  commit(4);
  EXPECT_EQ(state_of(1), TaskState::ready);
  EXPECT_EQ(*published.state()->tasks.crashes.find(TaskId(1)), 1U);
}

TEST_F(CoreTest, BlamesNoWorkerForATimeInWhichItWasHeldUpItself) {
  lease();
  steady += *timer.armed + limits::held_up_min;
  turn();
  EXPECT_EQ(state_of(1), TaskState::running);
  EXPECT_EQ(timer.armed, std::chrono::seconds(30));
  steady += std::chrono::seconds(30);
  turn();
  commit(4);
  EXPECT_EQ(state_of(1), TaskState::ready);
}

TEST_F(CoreTest, LetsAWorkerWaitForTheSpaceThatItsEndTakes) {
  lease();
  fill();
  answers.clear();
  turn(asked(FinishAttempt{TaskId(1), token_of(1), {}}), asked(work()));
  commit_next();
  EXPECT_EQ(state_of(1), TaskState::succeeded);
  EXPECT_EQ(answers, (Answers{"storage_full", "accepted"}));
}

TEST_F(CoreTest, TakesTheWordOfNobodyElsewhereForWhatRunsHere) {
  turn(asked(work()));
  commit(3);
  answers.clear();
  turn(asked(FinishAttempt{TaskId(1), token_of(1), {}}),
       asked(HandBackAttempt{TaskId(1), token_of(1)}),
       asked(ReportProgress{.id = TaskId(1), .token = token_of(1)}));
  EXPECT_EQ(answers, (Answers{"refused", "refused", "refused"}));
  EXPECT_EQ(heard(1), LeaseStatus::gone);
  EXPECT_FALSE(attempts.empty());
}

TEST_F(CoreTest, StopsWithoutAWaitForWhatRunsElsewhere) {
  lease();
  turn(asked(LeaseTasks{{.worker = "w", .kinds = {"render"}}, steady + std::chrono::hours(1)}));
  core.stop(false);
  EXPECT_EQ(answers, Answers{"stopped"});
  commit(4);
  EXPECT_FALSE(published.state()->engine.running);
  EXPECT_EQ(state_of(1), TaskState::running);
  loop.run();  // returns: it was told to stop
}

TEST_F(CoreTest, EndsWhereItWasToldToStopBeforeItBeganBehindOneThatDied) {
  turn(asked(work()));
  commit(3);
  Attempts none{{core_log, loop, guard, [](Command) {}}, {}};
  Core next{{core_log, timer, none, backups, circuits, published, projections},
            {.clock = [this] { return now; }, .steady_clock = [this] { return steady; }}};
  answers.clear();
  next.stop(false);
  std::vector<std::unique_ptr<Submission>> start;
  start.push_back(asked(StartEngine{.version = "test", .process_id = 2, .slots = 2, .seed = 1}));
  next.turn(std::move(start));
  EXPECT_EQ(answers, Answers{"stopped"});
  loop.run();  // returns: it was told to stop
  EXPECT_EQ(state_of(1), TaskState::running);
  EXPECT_EQ(frames_behind(Position(3)), 0U);
}

TEST_F(CoreTest, GivesEveryCallerOfARefusedTurnTheError) {
  fill();
  answers.clear();
  now += limits::storage_retry_interval;
  auto before = published.state()->position;
  turn(asked(filling()), asked(work()));
  turn(asked(work()));
  commit_next();
  EXPECT_EQ(answers, (Answers{"storage_full", "storage_full", "storage_full"}));
  EXPECT_EQ(published.state()->position, before);
  expect_tally();
  EXPECT_TRUE(attempts.empty());
}

TEST_F(CoreTest, StopsOnRecordWhileTheLogIsFull) {
  turn(asked(work()));
  commit(3);
  fill();
  core.stop(false);
  turn(told(FinishAttempt{TaskId(1), token_of(1), {}}));
  commit_next();
  commit_next();
  EXPECT_EQ(state_of(1), TaskState::succeeded);
  EXPECT_FALSE(published.state()->engine.running);
  loop.run();  // returns: it was told to stop
}

TEST_F(CoreTest, ReleasesTheDurablePartOfATurnWhoseRestWasRefused) {
  turn(asked(work()), asked(CancelTask{TaskId(9), ""}), asked(work()));
  (void)log.wait_for(Position(5));
  // As if the log had taken the first task and not the second.
  core.committed({.through = Position(2), .error = Error{ErrorCode::storage_full, "full", ""}});
  EXPECT_EQ(answers, (Answers{"accepted", "not_found", "storage_full"}));
  EXPECT_EQ(published.state()->position, Position(2));
  EXPECT_EQ(published.state()->tasks.all.size(), 1U);
  EXPECT_EQ(shown.back(), Position(2));
  EXPECT_TRUE(attempts.empty());
  expect_tally();
}

TEST_F(CoreTest, EndsWhenTheOutcomeOfACommitIsUnknown) {
  turn(asked(work()));
  (void)log.wait_for(Position(3));
  core.committed(
      {.through = Position(1), .error = Error{ErrorCode::unknown_outcome, "who knows", ""}});
  EXPECT_EQ(answers, Answers{"unknown_outcome"});
  EXPECT_EQ(published.state()->position, Position(1));
  ASSERT_TRUE(published.failure().has_value());
  EXPECT_EQ(published.failure()->code, ErrorCode::unknown_outcome);
  turn(asked(work()));
  EXPECT_EQ(answers, (Answers{"unknown_outcome", "unknown_outcome"}));
  loop.run();  // returns: it was told to stop
}

}  // namespace
}  // namespace almanac::test
