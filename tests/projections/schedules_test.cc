// Schedules, folded from their events.
#include <almanac/projections/invariants.h>
#include <almanac/projections/schedules.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

Time at_hour(int hour) { return Time(std::chrono::hours(hour)); }

ScheduleDefined defined(Time next, OverlapPolicy overlap = OverlapPolicy::queue) {
  return {.schedule = "hourly",
          .recurrence = "every hour",
          .overlap = overlap,
          .next = next,
          .task = {.kind = "work", .queue = "default", .label = "tidy up"}};
}

ScheduleSkipped skipped(SkipReason reason, Time first, Time last, Time next) {
  return {"hourly", reason, 1, first, last, next};
}

const Schedule& hourly(const State& state) {
  return *state.schedules.all.find(*state.names.find("hourly"));
}

bool fire(Story& story, Time instant, Time next) {
  const TaskId task = story.tasks().last.next();
  const bool fired = story.tell(ScheduleFired{"hourly", instant, task, next});
  if (fired) story.enqueue({.id = task.value});
  return fired;
}

// One that has fired, with an instant in its queue.
Story schedules_told() {
  Story story;
  story.tell(defined(at_hour(1)));
  fire(story, at_hour(1), at_hour(2));
  story.tell(ScheduleQueued{"hourly", at_hour(2), at_hour(3)});
  return story;
}

TEST(ScheduleFolds, KeepWhatBecameOfInstants) {
  Story story = schedules_told();
  story.tell(skipped(SkipReason::overlap, at_hour(3), at_hour(3), at_hour(4)));
  const Schedule& schedule = hourly(story.state());
  EXPECT_EQ(schedule.fired, at_hour(1));
  EXPECT_EQ(schedule.task, TaskId(1));
  EXPECT_EQ(schedule.firings, 1U);
  EXPECT_EQ(schedule.skipped, 1U);
  EXPECT_EQ(schedule.queued, std::vector{at_hour(2)});
  EXPECT_EQ(schedule.next, at_hour(4));
  EXPECT_EQ(schedule.definition->task.label, "tidy up");
  EXPECT_EQ(*story.state().schedules.next(), at_hour(4));
  EXPECT_EQ(story.state().ignored, 0U);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

// A firing has an identity, the schedule and the instant, and happens once.
TEST(ScheduleFolds, TakeAnInstantOnceAndInItsOrder) {
  Story story = schedules_told();
  EXPECT_FALSE(fire(story, at_hour(3), at_hour(4))) << "one is queued in front of it";
  EXPECT_FALSE(fire(story, at_hour(1), at_hour(4))) << "it has fired";
  EXPECT_FALSE(fire(story, at_hour(2), at_hour(4))) << "of the queue, and moves what is next";
  EXPECT_TRUE(fire(story, at_hour(2), at_hour(3)));
  EXPECT_FALSE(fire(story, at_hour(2), at_hour(3))) << "it has fired";
  EXPECT_FALSE(fire(story, at_hour(3), at_hour(3))) << "next would be itself";
  EXPECT_FALSE(story.tell(ScheduleQueued{"hourly", at_hour(2), at_hour(4)})) << "it has fired";
  EXPECT_FALSE(story.tell(skipped(SkipReason::missed, at_hour(2), at_hour(2), at_hour(4))))
      << "it has fired";
  EXPECT_FALSE(story.tell(skipped(SkipReason::missed, at_hour(3), at_hour(4), at_hour(4))))
      << "goes too far";
  EXPECT_FALSE(story.tell(ScheduleFired{"hourly", at_hour(3), TaskId(2), at_hour(4)}))
      << "not a new task";
  EXPECT_TRUE(fire(story, at_hour(3), at_hour(4)));
}

TEST(ScheduleFolds, TakeNothingOfAPausedOneOrOfNone) {
  Story story = schedules_told();
  EXPECT_FALSE(story.tell(ScheduleResumed{"hourly", at_hour(9)})) << "not paused";
  ASSERT_TRUE(story.tell(SchedulePaused{"hourly", "holidays"}));
  EXPECT_FALSE(story.tell(SchedulePaused{"hourly", "holidays"}));
  EXPECT_FALSE(fire(story, at_hour(3), at_hour(4)));
  EXPECT_FALSE(story.tell(ScheduleQueued{"hourly", at_hour(3), at_hour(4)}));
  EXPECT_FALSE(story.state().schedules.next());
  EXPECT_TRUE(story.state().schedules.with_queue.empty());
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
  EXPECT_FALSE(story.tell(ScheduleResumed{"hourly", at_hour(2)})) << "back in time";
  ASSERT_TRUE(story.tell(ScheduleResumed{"hourly", at_hour(9)}));
  EXPECT_EQ(*story.state().schedules.next(), at_hour(9));
  EXPECT_EQ(story.state().schedules.with_queue.size(), 1U);
  ASSERT_TRUE(story.tell(ScheduleRemoved{"hourly"}));
  EXPECT_FALSE(story.tell(ScheduleRemoved{"hourly"}));
  EXPECT_FALSE(fire(story, at_hour(9), at_hour(10)));
  EXPECT_TRUE(story.state().schedules.due.empty());
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

TEST(ScheduleFolds, KeepWhatWasWhenOneIsDefinedAnew) {
  Story story = schedules_told();
  EXPECT_FALSE(story.tell(defined(at_hour(1)))) << "it has fired";
  ASSERT_TRUE(story.tell(defined(at_hour(5), OverlapPolicy::allow)));
  EXPECT_EQ(hourly(story.state()).firings, 1U);
  EXPECT_EQ(hourly(story.state()).queued.size(), 1U);
  EXPECT_EQ(hourly(story.state()).definition->overlap, OverlapPolicy::allow);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

// What the definition points at belongs to the state alone.
TEST(ScheduleFolds, OwnTheirDefinitions) {
  State state;
  {
    std::string recurrence = "every hour";
    std::string label = "a label that is too long to lie in the string itself";
    auto event = defined(at_hour(1));
    event.recurrence = recurrence;
    event.task.label = label;
    fold_into(state, {Position(1), {.at = at_hour(0), .body = event}});
    recurrence.assign(recurrence.size(), 'x');
    label.assign(label.size(), 'x');
  }
  EXPECT_EQ(hourly(state).definition->recurrence, "every hour");
  EXPECT_TRUE(hourly(state).definition->task.label.starts_with("a label"));
  const State copy = state;
  EXPECT_EQ(hourly(copy).definition, hourly(state).definition) << "shared";
}

// ---- Digests and invariants ----

using Edit = std::function<void(Schedule&)>;

State with(const State& state, const Edit& edit) {
  State changed = state;
  const NameId id = *state.names.find("hourly");
  Schedule schedule = *state.schedules.all.find(id);
  edit(schedule);
  changed.schedules.all.set(id, schedule);
  return changed;
}

Edit redefine(const std::function<void(ScheduleDefined&)>& edit) {
  return [edit](Schedule& schedule) {
    ScheduleDefined changed = *schedule.definition;
    edit(changed);
    schedule.definition = own(changed);
  };
}

TEST(ScheduleFolds, EnterTheDigestWithAllTheyHold) {
  const State state = schedules_told().state();
  static constexpr std::array<std::string_view, 1> tags = {"red"};
  std::set<std::string> digests = {to_hex(digest(state))};
  std::size_t edits = 0;
  for (const Edit& edit : std::vector<Edit>{
           [](Schedule& schedule) { ++schedule.defined.value; },
           [](Schedule& schedule) { schedule.paused = true; },
           [](Schedule& schedule) { schedule.next += Duration(1); },
           [](Schedule& schedule) { schedule.queued.front() += Duration(1); },
           [](Schedule& schedule) { schedule.queued.push_back(at_hour(2)); },
           [](Schedule& schedule) { ++schedule.task.value; },
           [](Schedule& schedule) { schedule.fired += Duration(1); },
           [](Schedule& schedule) { ++schedule.firings; },
           [](Schedule& schedule) { ++schedule.skipped; },
           [](Schedule& schedule) { ++schedule.changed.value; },
           redefine([](ScheduleDefined& event) { event.recurrence = "every 2 hours"; }),
           redefine([](ScheduleDefined& event) { event.missed = MissedPolicy::all; }),
           redefine([](ScheduleDefined& event) { event.window = Duration(1); }),
           redefine([](ScheduleDefined& event) { event.overlap = OverlapPolicy::skip; }),
           redefine([](ScheduleDefined& event) { event.task.kind = "other"; }),
           redefine([](ScheduleDefined& event) { event.task.queue = "other"; }),
           redefine([](ScheduleDefined& event) { event.task.label = "other"; }),
           redefine([](ScheduleDefined& event) { event.task.payload = as_bytes("other"); }),
           redefine([](ScheduleDefined& event) { event.task.priority = -1; }),
           redefine([](ScheduleDefined& event) { event.task.timeout = Duration(1); }),
           redefine([](ScheduleDefined& event) { event.task.backoff.initial = Duration(1); }),
           redefine([](ScheduleDefined& event) { event.task.backoff.max = Duration(1); }),
           redefine([](ScheduleDefined& event) { event.task.attempts_max = 2; }),
           redefine([](ScheduleDefined& event) { event.task.tags = NameListView(tags); })}) {
    EXPECT_TRUE(digests.insert(to_hex(digest(with(state, edit)))).second) << "edit " << ++edits;
  }
  State without = state;
  without.schedules = {};
  EXPECT_TRUE(digests.insert(to_hex(digest(without))).second);
}

TEST(ScheduleFolds, AreFoundBrokenOneByOne) {
  const State sound = schedules_told().state();
  ASSERT_EQ(broken_invariants(sound), std::vector<std::string>());
  const std::string name = "name " + std::to_string(sound.names.find("hourly")->value);
  for (const auto& [sentence, edit] : std::vector<std::pair<std::string, Edit>>{
           {" is a schedule that fires a second time",
            [](Schedule& schedule) { schedule.fired = schedule.next; }},
           {" is a schedule whose queue is out of order",
            [](Schedule& schedule) { schedule.queued = {at_hour(2), at_hour(1)}; }},
           {" is a schedule whose queue is out of order",
            [](Schedule& schedule) { schedule.queued = {at_hour(3)}; }},
           {" is a schedule that fired a task that never was",
            [](Schedule& schedule) { schedule.task = TaskId(9); }},
           {" is a schedule that lost its task", [](Schedule& schedule) { schedule.task = {}; }},
           {" is a schedule that is yet to be changed",
            [](Schedule& schedule) { schedule.changed = Position(99); }}}) {
    EXPECT_EQ(broken_invariants(with(sound, edit)), std::vector{name + sentence});
  }
  State forgotten = sound;
  forgotten.schedules.due = {};
  EXPECT_EQ(broken_invariants(forgotten).front(),
            name + " is a schedule that is due while it is paused, or not");
  State unqueued = sound;
  unqueued.schedules.with_queue = {};
  EXPECT_EQ(broken_invariants(unqueued).front(),
            name + " is a schedule whose queue is forgotten, or has none");
  State twice = sound;
  twice.schedules.due.insert({at_hour(7), NameId{0}});
  EXPECT_EQ(broken_invariants(twice),
            std::vector<std::string>{"the schedules are in their orders more often than they are"});
}

}  // namespace
}  // namespace almanac::test
