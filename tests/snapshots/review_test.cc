// What a restored log does with tasks that went on behind the moment: none of them runs before
// somebody has decided, whatever the story was.
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

using Random = std::mt19937_64;

// Whether the task can take such a step.
bool can(const Story& story, std::uint64_t id, TaskStep step) {
  const auto state = static_cast<std::size_t>(story.task(id).state);
  return lifecycle_index[state][static_cast<std::size_t>(step)] != 0;
}

// Tasks that wait for each other, fail, are tried again, cancelled and handed back.
void tell_on(Story& story, Random& random, std::size_t events) {
  const std::size_t until = story.events().size() + events;
  while (story.events().size() < until) {
    const std::uint64_t last = story.tasks().last.value;
    const std::uint64_t id = last == 0 ? 0 : 1 + random() % last;
    const auto may = [&](TaskStep step) { return can(story, id, step); };
    switch (last == 0 ? 0 : random() % 13) {
      case 0:
      case 1: {
        NewTask task{.id = last + 1, .attempts_max = 3};
        if (random() % 4 == 0) task.run_at = story.now() + Duration(random() % 20'000'000);
        if (id != 0 && random() % 2 == 0) task.dependencies = {id};
        story.enqueue(task);
        break;
      }
      case 2: may(TaskStep::readied) && story.make_ready(id); break;
      case 3:
      case 4:
      case 5: may(TaskStep::started) && story.start(id); break;
      case 6:
      case 7: may(TaskStep::succeeded) && story.succeed(id); break;
      case 8: {
        const Time again = story.now() + Duration(random() % 10'000'000);
        may(TaskStep::attempt_failed) && story.fail_attempt(id, again);
        break;
      }
      case 9: may(TaskStep::failed) && story.fail(id); break;
      case 10: may(TaskStep::cancel_requested) && story.request_cancel(id); break;
      case 11: may(TaskStep::handed_back) && story.hand_back(id); break;
      default: may(TaskStep::cancelled) && story.cancel(id); break;
    }
  }
}

// What happened to a task behind the moment, found out without the code that is tested.
struct Since {
  bool ran = false;  // also: ran at the moment
  bool cancelled = false;
  std::optional<TaskState> end;
};

std::map<TaskId, Since> since(const Story& story, const State& moment) {
  std::map<TaskId, Since> found;
  State state = moment;
  for (const RecordedEvent& event : story.events()) {
    if (event.position <= moment.position) continue;
    const auto ignored = state.ignored;
    fold_into(state, event);
    if (state.ignored > ignored) continue;
    if (const auto* started = std::get_if<TaskStarted>(&event.event.body)) {
      found[started->id].ran = true;
    }
    if (const auto* cancelled = std::get_if<TaskCancelled>(&event.event.body)) {
      found[cancelled->id].cancelled = true;
    }
  }
  std::map<TaskId, Since> of_moment;
  for (const auto& [id, task] : moment.tasks.all) {
    if (has_ended(task.state)) continue;
    Since& about = of_moment[id];
    if (auto entry = found.find(id); entry != found.end()) about = entry->second;
    about.ran = about.ran || holds_lease(task.state);
    const TaskState after = state.tasks.all.find(id)->state;
    if (has_ended(after)) about.end = after;
  }
  return of_moment;
}

class Review : public ::testing::Test {
 protected:
  Repository repository(Access access) {
    return std::move(*Repository::open(folder / "backup", access));
  }
  // Appends what was told since and archives it.
  void archive() {
    std::vector<Event> frame;
    for (auto at = archived; at < story.events().size(); ++at) {
      frame.push_back(story.events()[at].event);
      if (frame.size() < 5 && at + 1 < story.events().size()) continue;
      ASSERT_TRUE(log.append(std::exchange(frame, {})));
    }
    archived = story.events().size();
    auto to = repository(Access::write);
    auto made = create_snapshot(*log, folder / "log", to, {.made_at = story.now()});
    ASSERT_TRUE(made) << describe(made.error());
  }
  [[nodiscard]] State state_then(Position at) const {
    State state;
    for (const RecordedEvent& event : story.events()) {
      if (event.position <= at) fold_into(state, event);
    }
    return state;
  }
  // The state at the end of a log restored to a moment, with its own first events.
  State restored(const RestorePoint& point, std::optional<ReviewDecision> decision = {}) {
    const auto from = repository(Access::read);
    auto plan = plan_restore(from, point);
    EXPECT_TRUE(plan) << describe(plan.error());
    const RestoreOptions options{.decision = decision, .now = story.now()};
    auto preview = preview_restore(from, *plan, options);
    EXPECT_TRUE(preview) << describe(preview.error());
    const auto to = folder / "restored";
    auto made = almanac::restore(from, *plan, to, options);
    EXPECT_TRUE(made) << describe(made.error());
    report = std::move(*made);
    State state;
    {
      auto opened = Log::open(to, {.access = Access::read});
      state = *state_at(**opened, to);
      timeline = (*opened)->timeline();
    }
    EXPECT_EQ(digest(preview->restored), digest(state)) << "a dry run says what will be";
    EXPECT_EQ(broken_invariants(state), std::vector<std::string>());
    EXPECT_EQ(state.ignored, report.state.ignored);
    fs::remove_all(to);
    return state;
  }

  TempFolder folder;
  Story story;
  TestLog log{folder / "log"};
  std::size_t archived = 0;
  RestoreReport report;
  Timeline timeline{};
};

// Whatever can run does, and succeeds; answers what did.
std::set<TaskId> run_on(Desk& desk) {
  std::set<TaskId> ran;
  for (bool moves = true; moves;) {
    desk.now += std::chrono::hours(1);
    moves = !desk.come_due().empty();
    for (TaskId id : desk.start()) {
      moves = true;
      ran.insert(id);
      desk.finish(id, AttemptStatus::succeeded);
    }
  }
  return ran;
}

std::vector<TaskId> held_in(const State& state) {
  std::vector<TaskId> ids;
  for (const auto& [id, hold] : state.tasks.held) ids.push_back(id);
  return ids;
}

TEST_F(Review, RunsNothingThatWentOnBeforeADecision) {
  const int rounds = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? 500 : 25;
  Random random(std::random_device{}());
  for (int part = 0; part < 3; ++part) {
    tell_on(story, random, 120);
    archive();
  }
  std::size_t held = 0;
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    const Position at(random() % (story.events().size() + 1));
    const auto expected = since(story, state_then(at));
    const State begun = restored({.moment = at});
    held += begun.tasks.held.size();
    Desk desk(begun, {.slots = 1'000});
    const auto ran = run_on(desk);
    for (const auto& [id, about] : expected) {
      const bool is_final =
          about.ran && state_then(at).tasks.all.find(id)->state == TaskState::cancelling;
      EXPECT_EQ(begun.tasks.held.contains(id), !is_final && (about.ran || about.cancelled))
          << "task " << id.value << " at " << at.value;
      EXPECT_FALSE(ran.contains(id) && about.ran) << "task " << id.value << " at " << at.value;
    }
    // And then all of it.
    ASSERT_TRUE(desk.ask(ReviewTasks{held_in(desk.state()), ReviewDecision::run}));
    run_on(desk);
    EXPECT_EQ(desk.state().tasks.live(), 0U);
  }
  EXPECT_GT(held, 0U);
}

TEST_F(Review, OfAllAtOnceLeavesNothingHeld) {
  Random random(std::random_device{}());
  tell_on(story, random, 300);
  archive();
  for (int i = 0; i < 6 && !HasFailure(); ++i) {
    const auto decision = static_cast<ReviewDecision>(i % 3);
    const Position at(100 + random() % 150);
    const auto expected = since(story, state_then(at));
    const State state = restored({.moment = at}, decision);
    EXPECT_TRUE(state.tasks.held.empty());
    for (const TaskHeld& held : report.held) {
      const TaskState is = state.tasks.all.find(held.id)->state;
      const bool was_done = expected.at(held.id).end == TaskState::succeeded;
      EXPECT_EQ(held.outcome == TaskOutcome::succeeded, was_done);
      switch (decision) {
        case ReviewDecision::run: EXPECT_FALSE(has_ended(is)) << held.id.value; break;
        case ReviewDecision::accept: EXPECT_EQ(is, TaskState::succeeded) << held.id.value; break;
        case ReviewDecision::skip:
          EXPECT_EQ(is, was_done ? TaskState::succeeded : TaskState::cancelled) << held.id.value;
      }
    }
  }
}

TEST_F(Review, OfMoreTasksThanAFrameTakesIsWrittenInSeveral) {
  const std::uint64_t tasks = limits::parting_events_max + 1;
  for (std::uint64_t id = 1; id <= tasks; ++id) story.enqueue({.id = id});
  const Position at = story.state().position;
  for (std::uint64_t id = 1; id <= tasks; ++id) story.start(id);
  archive();
  const auto from = repository(Access::read);
  const auto plan = plan_restore(from, {.moment = at});
  const auto made = almanac::restore(from, *plan, folder / "restored", {.now = story.now()});
  ASSERT_TRUE(made) << describe(made.error());
  auto opened = Log::open(folder / "restored", {.access = Access::read});
  std::vector<std::uint32_t> frames;
  ASSERT_TRUE((*opened)->read_frames(at.next(), [&](const FrameReader& frame) -> Result<bool> {
    frames.push_back(frame.header().count);
    return true;
  }));
  EXPECT_EQ(frames, (std::vector<std::uint32_t>{limits::parting_events_max, 1}));
  EXPECT_EQ(state_at(**opened, folder / "restored")->tasks.held.size(), tasks);
}

// A log in which tasks 1 to 6 were there at the moment, position 6, and each went on in its way.
class ReviewedLog : public Review {
 protected:
  ReviewedLog() {
    for (std::uint64_t id = 1; id <= 5; ++id) {
      story.enqueue({.id = id, .attempts_max = 2});
    }
    story.enqueue({.id = 6, .dependencies = {2}});
    at = story.state().position;
    story.start(1);    // 7
    story.succeed(1);  // 8
    story.start(2);    // 9
    story.fail(2);     // 10
    story.cancel(3);   // 11
    story.tell(TaskCancelled{.id = TaskId(6), .dependency = TaskId(2)});
    story.start(4);  // 13
    story.enqueue({.id = 7});
    archive();
  }
  Position at;
};

TEST_F(ReviewedLog, KnowsWhatBecameOfEachTask) {
  const State state = restored({.moment = at});
  const std::map<std::uint64_t, Hold> expected = {
      {1, {.outcome = TaskOutcome::succeeded, .started = Position(7), .ended = Position(8)}},
      {2, {.outcome = TaskOutcome::failed, .started = Position(9), .ended = Position(10)}},
      {3, {.outcome = TaskOutcome::cancelled, .ended = Position(11)}},
      {4, {.started = Position(13)}}};
  ASSERT_EQ(state.tasks.held.size(), expected.size());
  for (const auto& [id, hold] : expected) EXPECT_EQ(*state.tasks.held.find(TaskId(id)), hold);
  EXPECT_EQ(state.tasks.all.find(TaskId(5))->state, TaskState::ready) << "nothing happened to it";
  EXPECT_EQ(state.tasks.all.find(TaskId(6))->state, TaskState::waiting) << "it never ran";
}

TEST_F(ReviewedLog, HoldsWhatRanAtTheMomentAndIsNotHeardOfAgain) {
  const State state = restored({});
  ASSERT_EQ(state.tasks.held.size(), 1U);
  EXPECT_EQ(*state.tasks.held.find(TaskId(4)), Hold());
  EXPECT_EQ(state.tasks.all.find(TaskId(4))->lease, Lease());
}

// What an engine that had been taken for dead reports is in no log that Almanac wrote; a program of
// one's own may append it.
TEST_F(ReviewedLog, TakesNoReportOfAnAttemptThatRunsNoMoreForAnEnd) {
  story.hand_back(4);
  story.start(4);
  const Position end = story.state().position;
  EXPECT_FALSE(story.tell(TaskSucceeded{TaskId(4), Lease(13), {}}));
  archive();
  const State state = restored({.moment = end});
  EXPECT_EQ(*state.tasks.held.find(TaskId(4)), Hold());
}

TEST_F(ReviewedLog, KnowsWhatBecameOfATaskThatWasRetried) {
  story.redrive(2);
  story.start(2);
  const Position started = story.state().position;
  archive();
  EXPECT_EQ(*restored({.moment = at}).tasks.held.find(TaskId(2)), Hold{.started = started});
}

TEST_F(ReviewedLog, ReadsNoFurtherThanATaskMayHaveGoneOn) {
  story.redrive(2);  // as long as it has failed it may be
  story.start(2);
  story.succeed(2);
  story.succeed(4);
  story.cancel(5);
  story.cancel(7);
  archive();
  const Position end = story.state().position;
  story.enqueue({.id = 8});
  archive();
  const Manifest newest = *repository(Access::read).manifest(3);
  ASSERT_GT(newest.segments.back().header.first, end);
  fs::remove(repository(Access::read)
                 .path_of(name_of(newest.segments.back().header, newest.segments.back().file)));
  const State state = restored({.moment = at});
  EXPECT_FALSE(report.unread);
  EXPECT_EQ(held_in(state), (std::vector{TaskId(1), TaskId(2), TaskId(3), TaskId(4), TaskId(5)}));
}

// Not only those that the snapshot it reads has.
TEST_F(ReviewedLog, LooksAheadToTheNewestSnapshot) {
  const State before = restored({.snapshot = 1, .moment = at});
  story.start(5);
  archive();
  const State state = restored({.snapshot = 1, .moment = at});
  EXPECT_FALSE(before.tasks.held.contains(TaskId(5)));
  EXPECT_TRUE(state.tasks.held.contains(TaskId(5)));
}

TEST_F(ReviewedLog, HoldsAllThatMayHaveRunWhenThatCannotBeRead) {
  const Position end = story.state().position;
  story.start(5);
  archive();
  const Manifest newest = *repository(Access::read).manifest(2);
  const SegmentRecord& last = newest.segments.back();
  ASSERT_GT(last.header.first, end);
  fs::remove(repository(Access::read).path_of(name_of(last.header, last.file)));
  const State state = restored({.moment = end});
  ASSERT_TRUE(report.unread);
  EXPECT_EQ(report.unread->code, ErrorCode::not_found);
  EXPECT_EQ(held_in(state), (std::vector{TaskId(4), TaskId(5), TaskId(7)}));
}

// The numbers are the same in both logs: what tells the attempts apart is the timeline.
TEST_F(ReviewedLog, RefusesWhatAnAttemptFromBeforeTheRestoreReports) {
  Desk desk(restored({.moment = at}, ReviewDecision::run));
  ASSERT_NE(timeline, log->timeline());
  desk.timeline = timeline;
  desk.start();
  const Lease lease = desk.task(TaskId(1)).lease;
  ASSERT_TRUE(lease);
  for (const Lease stale : {lease, Lease(7)}) {
    const auto before = digest(desk.state());
    const FencingToken token{log->timeline(), stale};
    EXPECT_EQ(code_of(desk.ask(FinishAttempt{TaskId(1), token, {}})), "refused");
    EXPECT_EQ(code_of(desk.ask(HandBackAttempt{TaskId(1), token})), "refused");
    EXPECT_EQ(digest(desk.state()), before);
  }
  desk.finish(TaskId(1), AttemptStatus::succeeded);
  EXPECT_EQ(desk.task(TaskId(1)).state, TaskState::succeeded);
}

TEST(ReviewDecision, IsFoundByItsName) {
  for (int i = 0; i < review_decision_count; ++i) {
    const auto decision = static_cast<almanac::ReviewDecision>(i);
    EXPECT_EQ(review_decision_from(name(decision)), decision);
  }
  EXPECT_EQ(review_decision_from("ask"), std::nullopt);
}

}  // namespace
}  // namespace almanac::test
