// Forks of real logs: the past they share, the future they do not, and what a fork that fails
// leaves behind.
#include <almanac/engine/engine.h>
#include <almanac/log/compact.h>
#include <almanac/log/verify.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/fork.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>
#include <almanac/tests/support/trimmed_log.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

// Sixty tasks: some have succeeded, 31 runs, 32 was told to stop, 33 waits for 31.
Story told() {
  Story story;
  story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
  for (std::uint64_t id = 1; id <= 60; ++id) {
    story.enqueue({.id = id,
                   .queue = "q",
                   .dependencies = id == 33 ? std::vector{31UL} : std::vector<std::uint64_t>{}});
  }
  for (std::uint64_t id = 1; id <= 30; ++id) {
    if (story.start(id)) story.succeed(id);
  }
  story.start(31);
  story.start(32);
  story.request_cancel(32);
  return story;
}

class Fork : public ::testing::Test {
 protected:
  Fork() {
    // Frames of seven events, so that most positions lie inside one.
    std::vector<Event> frame;
    for (const RecordedEvent& recorded : story.events()) {
      frame.push_back(recorded.event);
      if (frame.size() < 7 && recorded.position < story.state().position) continue;
      EXPECT_TRUE(log.append(std::exchange(frame, {})));
    }
    last = log->tail()->last;
  }

  [[nodiscard]] fs::path place() const { return folder / "log"; }
  [[nodiscard]] fs::path other(const std::string& name = "fork") const { return folder / name; }
  [[nodiscard]] ForkOptions at(Position position,
                               RunningTasks running = RunningTasks::cancel) const {
    return {.at = position, .running = running, .now = story.now()};
  }
  ForkReport fork(const ForkOptions& options, const std::string& name = "fork") {
    auto made = fork_log(*log, place(), other(name), options);
    EXPECT_TRUE(made) << describe(made.error());
    return made.value_or(ForkReport{});
  }
  [[nodiscard]] std::unique_ptr<Log> open(const std::string& name = "fork") const {
    auto opened = Log::open(other(name), {.access = Access::read});
    EXPECT_TRUE(opened) << describe(opened.error());
    return std::move(*opened);
  }
  // The log is whole, and its past is that of the origin from `first` on.
  void expect_the_same_past(const std::string& name, Position through,
                            Position first = Position()) {
    auto made = open(name);
    EXPECT_TRUE(verify(*made));
    for (Position position = first; position <= through; position = position.next()) {
      auto state = state_at(*made, other(name), position);
      ASSERT_TRUE(state) << describe(state.error());
      ASSERT_EQ(hex(*state), hex(*rebuild(*log, {.through = position}))) << position.value;
    }
  }

  TempFolder folder;
  Story story = told();
  TestLog log{folder / "log", {.index = true}};
  Position last;
};

TEST_F(Fork, HasThePastOfItsOriginAtEveryPosition) {
  const auto before = log->tail();
  for (Position position; position <= last; position = position.next()) {
    const auto name = "fork-" + std::to_string(position.value);
    const auto report = fork(at(position), name);
    auto made = open(name);
    EXPECT_EQ(made->timeline(), report.branch.timeline);
    EXPECT_NE(made->timeline(), log->timeline());
    EXPECT_EQ(made->tail()->last, report.branch.last);
    EXPECT_TRUE(verify(*made));
    EXPECT_EQ(hex(*state_at(*made, other(name), position)),
              hex(*rebuild(*log, {.through = position})));
    auto state = state_at(*made, other(name));
    ASSERT_TRUE(state);
    EXPECT_EQ(state->ignored, 0U) << position.value;
    EXPECT_TRUE(state->tasks.running.empty()) << position.value;
    EXPECT_FALSE(state->engine.running) << position.value;
  }
  expect_the_same_past("fork-" + std::to_string(last.value), last);
  EXPECT_EQ(log->tail()->digest, before->digest) << "the origin is as it was";
}

TEST_F(Fork, RemembersItsOrigin) {
  const auto report = fork(at(Position(50)));
  const LogOrigin expected{.timeline = log->timeline(),
                           .position = Position(50),
                           .chain = *chain_at(*log, Position(50)),
                           .forked = story.now()};
  EXPECT_EQ(report.branch.origin, expected);
  EXPECT_EQ(open()->origin().value(), expected);
  EXPECT_FALSE(log->origin().value());
  ASSERT_TRUE(compact(other()));
  EXPECT_EQ(open()->origin().value(), expected) << "also when it was compacted";
}

TEST_F(Fork, CancelsWhatRanInItsOrigin) {
  const auto report = fork(at(last));
  EXPECT_EQ(report.cancelled, 2U);
  auto state = state_at(*open(), other());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->tasks.all.find(TaskId(31))->state, TaskState::cancelled);
  EXPECT_EQ(state->tasks.all.find(TaskId(32))->state, TaskState::cancelled);
  EXPECT_TRUE(state->tasks.doomed.find(TaskId(33)) != nullptr);
  EXPECT_EQ(state->tasks.all.find(TaskId(34))->state, TaskState::ready);
  EXPECT_EQ(state->tasks.all.find(TaskId(1))->state, TaskState::succeeded);
}

TEST_F(Fork, LetsItRunAgainWhenItIsTold) {
  const auto report = fork(at(last, RunningTasks::requeue));
  EXPECT_EQ(report.requeued, 1U);
  EXPECT_EQ(report.cancelled, 1U) << "a cancel is final";
  auto state = state_at(*open(), other());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->tasks.all.find(TaskId(31))->state, TaskState::ready);
  EXPECT_EQ(state->tasks.all.find(TaskId(32))->state, TaskState::cancelled);
}

// What ran before the fork does not run again, what had not begun does.
TEST_F(Fork, AnEngineGoesOnInIt) {
  fork(at(last));
  std::atomic<int> ran = 0;
  auto engine = Engine::open({.folder = other(), .slots = 4});
  ASSERT_TRUE(engine) << describe(engine.error());
  (*engine)->handle("work", [&](const Attempt&) {
    ++ran;
    return almanac::Outcome::success();
  });
  EXPECT_TRUE((*engine)->wait([](const State& state) { return state.tasks.live() == 0; },
                              std::chrono::minutes(1)));
  EXPECT_EQ(ran, 27) << "34 to 60";
  EXPECT_EQ((*engine)->state()->tasks.count(TaskState::succeeded), 57U);
}

TEST_F(Fork, IsMadeBesideAWriter) {
  fork(at(Position(20)));
  ASSERT_TRUE(log.append({Event{.at = story.now(), .body = EngineStopped{}}}));
  fork(at(last.next()), "later");
  EXPECT_EQ(open("later")->tail()->last.value, last.value + 1 + 3);
}

TEST_F(Fork, OfAForkIsAFork) {
  fork(at(Position(50)));
  auto first = open();
  auto second = fork_log(*first, other(), other("second"), at(Position(40)));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->branch.origin.timeline, first->timeline());
  expect_the_same_past("second", Position(40));
}

TEST_F(Fork, OfATrimmedLogBeginsWhereThatDoes) {
  std::vector<Event> events;
  for (const RecordedEvent& recorded : story.events()) events.push_back(recorded.event);
  write_trimmed(other("trimmed"), events, Position(35));
  auto trimmed = open("trimmed");
  for (std::uint64_t position : {40U, 60U}) {
    auto state = rebuild(*log, {.through = Position(position)});
    ASSERT_TRUE(state && keep_checkpoint(*trimmed, other("trimmed"), *state));
  }
  ASSERT_TRUE(fork_log(*trimmed, other("trimmed"), other(), at(Position(55))));
  EXPECT_EQ(open()->first(), Position(36));
  EXPECT_EQ(first_state_position(*open(), other()), Position(40));
  expect_the_same_past("fork", Position(55), Position(40));
  ASSERT_TRUE(fork_log(*trimmed, other("trimmed"), other("front"), at(Position(40))));
  expect_the_same_past("front", Position(40), Position(40));
  auto early = fork_log(*trimmed, other("trimmed"), other("early"), at(Position(39)));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, ErrorCode::refused);
  EXPECT_FALSE(fs::exists(other("early")));
}

TEST_F(Fork, RefusesWhatIsBehindTheEndAndAFolderInUse) {
  auto behind = fork_log(*log, place(), other(), at(last.next()));
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error().code, ErrorCode::not_found);
  auto itself = fork_log(*log, place(), place(), at(last));
  ASSERT_FALSE(itself);
  EXPECT_EQ(itself.error().code, ErrorCode::conflict);
  EXPECT_FALSE(fs::exists(other()));
}

// `almanac fork` where no file may grow beyond so many pages: a write behind that fails, or the
// kernel kills who writes.
class ForkWithoutRoom : public Fork {
 protected:
  [[nodiscard]] CommandOutput fork_within(rlim_t pages, sighandler_t on_excess) const {
    return run_almanac({.arguments = {"fork", "--dir", "log", "--to", "fork"},
                        .folder = folder.path(),
                        .input = {},
                        .in_child = files_end_after(pages, on_excess)});
  }
};

TEST_F(ForkWithoutRoom, LeavesNothing) {
  rlim_t pages = 1;
  for (; fork_within(pages, SIG_IGN).code != 0; ++pages) {
    ASSERT_FALSE(fs::exists(other())) << pages;
    ASSERT_FALSE(fs::exists(other("fork.importing"))) << pages;
  }
  EXPECT_GT(pages, 5U);
  expect_the_same_past("fork", last);
}

TEST_F(ForkWithoutRoom, KilledOnItsWayLeavesNothingUnderItsName) {
  int killed = 0;
  int code = 1;
  for (rlim_t pages = 1; code != 0; ++pages) {
    code = fork_within(pages, SIG_DFL).code;
    if (code == 0) break;
    ASSERT_FALSE(fs::exists(other())) << pages;
    if (code != -SIGXFSZ) continue;  // the write was cut short, and the next one not tried
    ++killed;
    ASSERT_TRUE(fs::exists(other("fork.importing"))) << pages;
    fork(at(last));
    expect_the_same_past("fork", last, last);
    fs::remove_all(other());
  }
  EXPECT_GT(killed, 0);
}

}  // namespace
}  // namespace almanac::test
