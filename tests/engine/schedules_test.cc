// What becomes of the instants of schedules: decided and folded with no disk, no thread and no
// clock but the one the test turns.
#include <almanac/engine/limits.h>
#include <almanac/engine/schedules.h>
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct Policies {
  MissedPolicy missed = MissedPolicy::once;
  Duration window{0};
  OverlapPolicy overlap = OverlapPolicy::skip;
};

DefineSchedule define(std::string_view recurrence, const Policies& policies = {},
                      std::string name = "nightly") {
  auto parsed = Recurrence::parse(recurrence);
  ALMANAC_CHECK(parsed);
  return {{.name = std::move(name),
           .recurrence = *parsed,
           .task = {.kind = "work", .label = "tidy up", .payload = "all of it"},
           .missed = policies.missed,
           .window = policies.window,
           .overlap = policies.overlap}};
}

std::string schedules_said(const Desk& desk) {
  std::string types;
  for (const Event& event : desk.last()) {
    types += (types.empty() ? "" : " ") + std::string(type_name(event.body));
  }
  return types;
}

template <class Body>
std::vector<Body> all_of(const std::vector<Event>& events) {
  std::vector<Body> found;
  for (const Event& event : events) {
    if (const auto* body = std::get_if<Body>(&event.body)) found.push_back(*body);
  }
  return found;
}

const Schedule& schedule(const Desk& desk, std::string_view name = "nightly") {
  return *desk.state().schedules.all.find(*desk.state().names.find(name));
}

// A desk at 00:00 of a day with a schedule every hour.
class EveryHour {
 public:
  explicit EveryHour(const Policies& policies = {}) {
    desk.now = Time(days(20'000));
    EXPECT_TRUE(desk.ask(define("every hour", policies)));
  }
  static Time at(int hour) { return Time(days(20'000)) + hours(hour); }
  const std::vector<Event>& fire_at(int hour) {
    desk.now = at(hour);
    return desk.fire();
  }
  TaskId last_task() { return schedule(desk).task; }
  void finish_last() {
    if (desk.task(last_task()).state == TaskState::ready) desk.start();
    desk.finish(last_task(), AttemptStatus::succeeded);
  }

  Desk desk;
};

TEST(Schedules, EnqueueTheirTaskAtEachInstant) {
  EveryHour hourly;
  EXPECT_TRUE(hourly.desk.fire().empty());
  hourly.fire_at(1);
  ASSERT_EQ(schedules_said(hourly.desk), "ScheduleFired TaskEnqueued");
  const auto fired = std::get<ScheduleFired>(hourly.desk.last()[0].body);
  EXPECT_EQ(fired.schedule, "nightly");
  EXPECT_EQ(fired.instant, EveryHour::at(1));
  EXPECT_EQ(fired.next, EveryHour::at(2));
  const auto task = std::get<TaskEnqueued>(hourly.desk.last()[1].body);
  EXPECT_EQ(task.id, fired.task);
  EXPECT_EQ(task.kind, "work");
  EXPECT_EQ(task.label, "tidy up");
  EXPECT_EQ(as_text(task.payload), "all of it");
  EXPECT_EQ(hourly.desk.last()[1].causation.value, hourly.desk.state().position.value - 1);
  EXPECT_TRUE(hourly.desk.fire().empty()) << "once";
}

TEST(Schedules, FireWhenTheirLastTaskIsForgotten) {
  EveryHour hourly;
  hourly.fire_at(1);
  hourly.finish_last();
  State state = hourly.desk.state();
  const std::array ids = {hourly.last_task()};
  fold_into(state, {state.position.next(), {.at = state.time, .body = TasksForgotten{ids}}});
  ASSERT_TRUE(state.tasks.all.empty());
  EXPECT_TRUE(broken_invariants(state).empty());
  Arena memory;
  const auto events = decide_firings(state, {EveryHour::at(2), memory});
  ASSERT_EQ(all_of<ScheduleFired>(events).size(), 1U);
  EXPECT_EQ(all_of<TaskEnqueued>(events).front().id, ids.front().next());
}

// A turn back of the clock is what `now` never shows; a turn forward is instants that passed.
TEST(Schedules, FireTheNewestOfThoseThatWereMissed) {
  EveryHour hourly;
  hourly.desk.now = EveryHour::at(5) + minutes(30);
  hourly.desk.fire();
  ASSERT_EQ(schedules_said(hourly.desk), "ScheduleSkipped ScheduleFired TaskEnqueued");
  const auto skipped = all_of<ScheduleSkipped>(hourly.desk.last()).front();
  EXPECT_EQ(skipped.reason, SkipReason::missed);
  EXPECT_EQ(skipped.count, 4U);
  EXPECT_EQ(skipped.first, EveryHour::at(1));
  EXPECT_EQ(skipped.last, EveryHour::at(4));
  EXPECT_EQ(schedule(hourly.desk).fired, EveryHour::at(5));
  EXPECT_EQ(schedule(hourly.desk).skipped, 4U);
}

TEST(Schedules, FireNoneOfThoseThatWereMissed) {
  EveryHour hourly({.missed = MissedPolicy::skip});
  hourly.desk.now = EveryHour::at(5) + limits::firing_lateness_max + seconds(1);
  hourly.desk.fire();
  ASSERT_EQ(schedules_said(hourly.desk), "ScheduleSkipped");
  EXPECT_EQ(all_of<ScheduleSkipped>(hourly.desk.last()).front().count, 5U);
  hourly.desk.now = EveryHour::at(7) + limits::firing_lateness_max;
  hourly.desk.fire();
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleSkipped ScheduleFired TaskEnqueued")
      << "just in time";
}

TEST(Schedules, FireAllOfAWindowThatWereMissed) {
  EveryHour hourly(
      {.missed = MissedPolicy::all, .window = hours(3), .overlap = OverlapPolicy::allow});
  hourly.desk.now = EveryHour::at(8);
  hourly.desk.fire();
  ASSERT_EQ(schedules_said(hourly.desk),
            "ScheduleSkipped ScheduleFired TaskEnqueued ScheduleFired TaskEnqueued "
            "ScheduleFired TaskEnqueued ScheduleFired TaskEnqueued");
  EXPECT_EQ(all_of<ScheduleSkipped>(hourly.desk.last()).front().last, EveryHour::at(4));
  EXPECT_EQ(all_of<ScheduleFired>(hourly.desk.last()).front().instant, EveryHour::at(5));
}

TEST(Schedules, MakeUpForManyInTurns) {
  EveryHour hourly(
      {.missed = MissedPolicy::all, .window = days(365), .overlap = OverlapPolicy::allow});
  hourly.desk.now = EveryHour::at(24 * 60);
  std::size_t firings = 0;
  for (int turns = 0; !hourly.desk.fire().empty(); ++turns) {
    ASSERT_LT(turns, 10);
    EXPECT_LE(hourly.desk.last().size(), 2 * limits::firings_per_turn);
    firings += all_of<ScheduleFired>(hourly.desk.last()).size();
    const auto next = next_firing(hourly.desk.state());
    ASSERT_TRUE(next);
    EXPECT_EQ(*next <= hourly.desk.now, firings < 24 * 60);
  }
  EXPECT_EQ(firings, 24U * 60U);
}

TEST(Schedules, SkipWhatOverlaps) {
  EveryHour hourly;
  hourly.fire_at(1);
  hourly.fire_at(2);
  ASSERT_EQ(schedules_said(hourly.desk), "ScheduleSkipped");
  EXPECT_EQ(all_of<ScheduleSkipped>(hourly.desk.last()).front().reason, SkipReason::overlap);
  hourly.finish_last();
  hourly.fire_at(3);
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleFired TaskEnqueued");
}

TEST(Schedules, AllowWhatOverlaps) {
  EveryHour hourly({.overlap = OverlapPolicy::allow});
  hourly.fire_at(1);
  hourly.fire_at(2);
  EXPECT_EQ(hourly.desk.state().tasks.live(), 2U);
}

TEST(Schedules, QueueWhatOverlaps) {
  EveryHour hourly({.overlap = OverlapPolicy::queue});
  hourly.fire_at(1);
  hourly.fire_at(2);
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleQueued");
  hourly.fire_at(3);
  EXPECT_EQ(schedule(hourly.desk).queued, (std::vector<Time>{EveryHour::at(2), EveryHour::at(3)}));
  hourly.finish_last();
  EXPECT_EQ(*next_firing(hourly.desk.state()), hourly.desk.state().time) << "at once";
  hourly.desk.fire();
  ASSERT_EQ(schedules_said(hourly.desk), "ScheduleFired TaskEnqueued");
  EXPECT_EQ(schedule(hourly.desk).fired, EveryHour::at(2));
  EXPECT_EQ(schedule(hourly.desk).next, EveryHour::at(4));
  EXPECT_TRUE(hourly.desk.fire().empty()) << "one at a time";
  hourly.finish_last();
  hourly.fire_at(4);
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleFired TaskEnqueued ScheduleQueued")
      << "in their order";
}

TEST(Schedules, QueueNoMoreThanTheyMay) {
  EveryHour hourly({.overlap = OverlapPolicy::queue});
  for (int hour = 1; hour <= 102; ++hour) hourly.fire_at(hour);
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleSkipped");
  EXPECT_EQ(all_of<ScheduleSkipped>(hourly.desk.last()).front().reason, SkipReason::queue_full);
  EXPECT_EQ(schedule(hourly.desk).queued.size(), limits::queued_instants_max);
}

TEST(Schedules, ReplaceATaskThatDoesNotRun) {
  EveryHour hourly({.overlap = OverlapPolicy::replace});
  hourly.fire_at(1);
  hourly.fire_at(2);
  EXPECT_EQ(schedules_said(hourly.desk), "TaskCancelled ScheduleFired TaskEnqueued");
  EXPECT_EQ(hourly.desk.state().tasks.live(), 1U);
}

TEST(Schedules, ReplaceATaskThatRunsWhenItHasEnded) {
  EveryHour hourly({.overlap = OverlapPolicy::replace});
  hourly.fire_at(1);
  hourly.desk.start();
  const TaskId first = hourly.last_task();
  hourly.fire_at(2);
  EXPECT_EQ(schedules_said(hourly.desk), "TaskCancelRequested ScheduleQueued");
  hourly.fire_at(3);
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleSkipped ScheduleQueued");
  EXPECT_EQ(all_of<ScheduleSkipped>(hourly.desk.last()).front().reason, SkipReason::replaced);
  hourly.desk.finish(first, AttemptStatus::succeeded);
  hourly.desk.fire();
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleFired TaskEnqueued");
  EXPECT_EQ(schedule(hourly.desk).fired, EveryHour::at(3));
}

TEST(Schedules, LetTheirTimesPassWhileTheyArePaused) {
  EveryHour hourly;
  ASSERT_TRUE(hourly.desk.ask(ChangeSchedule{"nightly", ScheduleChange::pause, "holidays"}));
  EXPECT_EQ(schedules_said(hourly.desk), "SchedulePaused");
  EXPECT_FALSE(next_firing(hourly.desk.state()));
  EXPECT_TRUE(hourly.fire_at(5).empty());
  EXPECT_EQ(error_of(hourly.desk.ask(ChangeSchedule{"nightly"})).code, ErrorCode::conflict);
  ASSERT_TRUE(hourly.desk.ask(ChangeSchedule{"nightly", ScheduleChange::resume}));
  ASSERT_EQ(schedules_said(hourly.desk), "ScheduleSkipped ScheduleResumed");
  const auto skipped = all_of<ScheduleSkipped>(hourly.desk.last()).front();
  EXPECT_EQ(skipped.reason, SkipReason::paused);
  EXPECT_EQ(skipped.count, 5U);
  EXPECT_TRUE(hourly.desk.fire().empty());
  EXPECT_EQ(error_of(hourly.desk.ask(ChangeSchedule{"nightly", ScheduleChange::resume})).code,
            ErrorCode::conflict);
  EXPECT_EQ(hourly.fire_at(6).size(), 2U);
}

TEST(Schedules, AreRemovedWithWhatTheyQueued) {
  EveryHour hourly({.overlap = OverlapPolicy::queue});
  hourly.fire_at(1);
  hourly.fire_at(2);
  ASSERT_TRUE(hourly.desk.ask(ChangeSchedule{"nightly", ScheduleChange::remove}));
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleSkipped ScheduleRemoved");
  EXPECT_TRUE(hourly.fire_at(9).empty());
  EXPECT_EQ(hourly.desk.state().tasks.live(), 1U) << "what it has enqueued stays";
  EXPECT_EQ(error_of(hourly.desk.ask(ChangeSchedule{"nightly"})).code, ErrorCode::not_found);
}

TEST(Schedules, GoOnWhenTheyAreChanged) {
  EveryHour hourly;
  hourly.fire_at(1);
  ASSERT_TRUE(hourly.desk.ask(define("every hour")));
  EXPECT_EQ(schedules_said(hourly.desk), "") << "nothing has changed";
  auto other = define("every hour");
  other.schedule.task.payload = "half of it";
  ASSERT_TRUE(hourly.desk.ask(other));
  EXPECT_EQ(schedules_said(hourly.desk), "ScheduleDefined");
  EXPECT_EQ(schedule(hourly.desk).firings, 1U);
  EXPECT_EQ(schedule(hourly.desk).next, EveryHour::at(2));
  hourly.finish_last();
  hourly.fire_at(2);
  EXPECT_EQ(as_text(all_of<TaskEnqueued>(hourly.desk.last()).front().payload), "half of it");
}

TEST(Schedules, AreRefusedWhenTheyCannotFire) {
  Desk desk;
  const auto code_of_asking = [&](auto change) {
    auto command = define("every hour");
    change(command.schedule);
    return error_of(desk.ask(command)).code;
  };
  for (const auto& change : std::vector<std::function<void(ScheduleSpec&)>>{
           [](ScheduleSpec& spec) { spec.name = ""; },
           [](ScheduleSpec& spec) { spec.task.kind = ""; },
           [](ScheduleSpec& spec) { spec.task.run_at = Time(seconds(5)); },
           [](ScheduleSpec& spec) { spec.task.deadline = Time(seconds(5)); },
           [](ScheduleSpec& spec) { spec.task.dependencies = {InBatch{0}}; },
           [](ScheduleSpec& spec) { spec.task.idempotency_key = "once"; },
           [](ScheduleSpec& spec) { spec.task.attempts_max = 0; },
           [](ScheduleSpec& spec) { spec.window = Duration(-1); },
           [](ScheduleSpec& spec) {
             spec.task.payload.assign(limits::schedule_payload_bytes_max + 1, 'x');
           }}) {
    EXPECT_EQ(code_of_asking(change), ErrorCode::invalid);
  }
  EXPECT_TRUE(desk.state().schedules.all.empty());
}

// A log of another machine, or zone files that have changed.
TEST(Schedules, ArePausedWhenTheirZoneIsGone) {
  Story story;
  story.tell(ScheduleDefined{.schedule = "nightly",
                             .recurrence = "daily at 02:30 Mars/Olympus",
                             .next = story.now(),
                             .task = {.kind = "work", .queue = "default"}});
  Desk desk(story.state());
  desk.fire();
  ASSERT_EQ(schedules_said(desk), "SchedulePaused");
  const auto paused = all_of<SchedulePaused>(desk.last()).front();
  EXPECT_NE(paused.reason.find("Mars/Olympus"), std::string_view::npos);
  EXPECT_TRUE(desk.fire().empty());
  EXPECT_EQ(error_of(desk.ask(ChangeSchedule{"nightly", ScheduleChange::resume})).code,
            ErrorCode::invalid);
}

TEST(Schedules, AreNotStoppedByAChangeOfTheClocks) {
  for (const char* recurrence :
       {"daily at 02:30 Europe/Paris", "*/20 2 * * * Europe/Paris", "*/20 * * * * Europe/Paris"}) {
    Desk desk;
    desk.now = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);
    ASSERT_TRUE(desk.ask(define(recurrence, {.overlap = OverlapPolicy::allow})));
    std::map<std::int64_t, int> firings;  // by day
    for (const Time end = desk.now + days(270); desk.now < end; desk.now += minutes(1)) {
      for (const auto& fired : all_of<ScheduleFired>(desk.fire())) {
        ++firings[std::chrono::floor<days>(fired.instant).time_since_epoch().count()];
      }
    }
    EXPECT_GE(firings.size(), 269U) << recurrence;
  }
}

// The planted bug "firing twice at the DST change" is seen here.
TEST(Schedules, FireOnceForAnHourThatComesTwice) {
  Desk desk;
  desk.now = std::chrono::sys_days(std::chrono::year(2026) / 10 / 24) + hours(12);
  ASSERT_TRUE(desk.ask(define("daily at 02:30 Europe/Paris", {.overlap = OverlapPolicy::allow})));
  std::size_t firings = 0;
  for (const Time end = desk.now + days(1); desk.now < end; desk.now += minutes(1)) {
    firings += all_of<ScheduleFired>(desk.fire()).size();
  }
  EXPECT_EQ(firings, 1U);
}

// ---- Each instant is decided once ----

class LocalInstants {
 public:
  LocalInstants(const Recurrence& recurrence, Time now)
      : recurrence_(recurrence), next_(recurrence.next_after(now)) {}

  void see(const std::vector<Event>& events) {
    for (const Event& event : events) {
      if (const auto* fired = std::get_if<ScheduleFired>(&event.body)) see_fired(*fired);
      if (const auto* queued = std::get_if<ScheduleQueued>(&event.body)) {
        see_next(queued->instant, queued->next);
        queued_.push_back(queued->instant);
      }
      if (const auto* skipped = std::get_if<ScheduleSkipped>(&event.body)) see_skipped(*skipped);
    }
  }
  // The first instant that was not decided.
  [[nodiscard]] Time next() const { return next_; }

 private:
  void see_next(Time instant, Time next) {
    RC_ASSERT(instant == next_);
    next_ = recurrence_.next_after(next_);
    RC_ASSERT(next == next_);
  }
  void see_fired(const ScheduleFired& fired) {
    if (!queued_.empty() && queued_.front() == fired.instant) {
      queued_.erase(queued_.begin());
      RC_ASSERT(fired.next == next_);
    } else {
      see_next(fired.instant, fired.next);
    }
  }
  void see_skipped(const ScheduleSkipped& skipped) {
    if (!queued_.empty() && queued_.front() == skipped.first) {
      RC_ASSERT(skipped.count <= queued_.size());
      queued_.erase(queued_.begin(), queued_.begin() + std::ptrdiff_t(skipped.count));
      return;
    }
    for (std::uint64_t i = 0; i < skipped.count; ++i) {
      RC_ASSERT(i > 0 || skipped.first == next_);
      RC_ASSERT(i + 1 < skipped.count || skipped.last == next_);
      next_ = recurrence_.next_after(next_);
    }
    RC_ASSERT(skipped.next == next_);
  }

  Recurrence recurrence_;
  Time next_;
  std::vector<Time> queued_;
};

Policies any_policies() {
  return {.missed = static_cast<MissedPolicy>(*rc::gen::inRange(0, missed_policy_count)),
          .window = hours(*rc::gen::inRange(0, 50)),
          .overlap = static_cast<OverlapPolicy>(*rc::gen::inRange(0, overlap_policy_count))};
}

RC_GTEST_PROP(ScheduleProperty, EachInstantIsDecidedOnce, ()) {
  const std::string recurrence = *rc::gen::element<std::string>(
      "every 15 minutes", "*/20 * * * * Europe/Paris", "30 2,3 * * * America/New_York",
      "daily at 02:30 Europe/Paris");
  Desk desk;
  desk.now = std::chrono::sys_days(std::chrono::year(2026) / *rc::gen::element(3, 10) / 20);
  RC_ASSERT(desk.ask(define(recurrence, any_policies())).has_value());
  LocalInstants instants(*Recurrence::parse(recurrence), desk.now);
  for (int moves = *rc::gen::inRange(1, 60); moves > 0; --moves) {
    switch (*rc::gen::inRange(0, 6)) {
      case 0: desk.now += minutes(*rc::gen::inRange(0, 5'000)); break;
      case 1:
      case 2: desk.now += minutes(*rc::gen::inRange(0, 60)); break;
      case 3: desk.start(); break;
      case 4: {
        const Task* task = desk.state().tasks.all.find(schedule(desk).task);
        if (task != nullptr && holds_lease(task->state)) {
          desk.finish(schedule(desk).task, AttemptStatus::succeeded);
        }
        break;
      }
      default: {
        const bool paused = schedule(desk).paused;
        RC_ASSERT(desk.ask(ChangeSchedule{"nightly",
                                          paused ? ScheduleChange::resume : ScheduleChange::pause})
                      .has_value());
        instants.see(desk.last());
      }
    }
    while (!desk.fire().empty()) instants.see(desk.last());
    RC_ASSERT(instants.next() == schedule(desk).next);
    RC_ASSERT(schedule(desk).paused || instants.next() > desk.now);
    RC_ASSERT(broken_invariants(desk.state(), 5).empty());
  }
}

}  // namespace
}  // namespace almanac::test
