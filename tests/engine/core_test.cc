// One turn at a time, without a thread of its own: what is answered and begun when, and what is
// left of a turn whose commit was refused.
#include <almanac/engine/core.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

constexpr std::size_t small_map = 512 * 1024;

// A core, everything it needs, and a test in place of the loop's thread.
class CoreTest : public ::testing::Test {
 protected:
  CoreTest() {
    attempts.add_handler("work", [](const Attempt&) { return Outcome::success(); });
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
  void commit(std::uint64_t last) {
    auto report = log.wait_for(Position(last));
    if (report.error) log.resume();
    core.committed(report);
  }

  [[nodiscard]] TaskState state_of(std::uint64_t id) const {
    const Task* task = published.state()->tasks.all.find(TaskId(id));
    return task == nullptr ? TaskState::cancelled : task->state;
  }
  [[nodiscard]] Lease lease_of(std::uint64_t id) const {
    return published.state()->tasks.all.find(TaskId(id))->lease;
  }
  static EnqueueTasks work(std::size_t payload_bytes = 0) {
    return {{{.kind = "work", .payload = std::string(payload_bytes, 'x')}}};
  }

  Time now{std::chrono::seconds(1'000'000)};
  std::vector<std::string> answers;
  std::vector<Position> shown;  // to on_events
  TempFolder folder;
  TestLog log{folder / "log", {.map_bytes = small_map}};
  Loop loop{{.on_wake = [] {}, .on_timer = [] {}, .on_signal = [](int) {}}};
  Guard guard = *Guard::start();
  Published published{State()};
  // What handlers report stays unread: these tests say themselves how an attempt ends.
  Attempts attempts{{loop, guard, [](Command) {}}, {}};
  Core core{
      {*log, loop, attempts, published},
      {.clock = [this] { return now; },
       .on_events = [this](const State& state,
                           std::span<const RecordedEvent>) { shown.push_back(state.position); }}};
};

using Answers = std::vector<std::string>;

TEST_F(CoreTest, ShowsAndAnswersNothingBeforeTheLogHasSaidSo) {
  turn(asked(work()));
  EXPECT_EQ(published.state()->position, Position(1));
  EXPECT_TRUE(answers.empty());
  EXPECT_TRUE(attempts.empty());
  commit(3);
  EXPECT_EQ(published.state()->position, Position(3));
  EXPECT_EQ(answers, Answers{"accepted"});
  EXPECT_FALSE(attempts.empty());
  EXPECT_EQ(shown.back(), Position(3));
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

TEST_F(CoreTest, DecidesAgainWhatAHandlerReportedInATurnThatWasRefused) {
  turn(asked(work()));
  commit(3);
  ASSERT_EQ(state_of(1), TaskState::running);
  turn(asked(work(small_map)), told(FinishAttempt{TaskId(1), lease_of(1), {}}));
  commit(6);
  EXPECT_EQ(state_of(1), TaskState::running);
  EXPECT_EQ(published.state()->tasks.all.size(), 1U);
  // Not before it is time.
  turn();
  EXPECT_EQ(answers, (Answers{"accepted", "storage_full"}));
  now += limits::storage_retry_interval;
  turn();
  commit(4);
  EXPECT_EQ(state_of(1), TaskState::succeeded);
}

TEST_F(CoreTest, GivesEveryCallerOfARefusedTurnTheError) {
  turn(asked(work(small_map)), asked(work()));
  turn(asked(work()));
  commit(3);
  EXPECT_EQ(answers, (Answers{"storage_full", "storage_full", "storage_full"}));
  EXPECT_EQ(published.state()->position, Position(1));
  EXPECT_TRUE(attempts.empty());
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
