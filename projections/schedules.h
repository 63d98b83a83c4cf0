// The schedules: tasks that are enqueued again and again. What each enqueues, when it fires next,
// and which firings wait for the task of the one before.
#pragma once

#include <almanac/log/events/schedule.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace almanac {

struct Schedule {
  // The event that defined it, with all that it points at: shared by all states, never copied.
  std::shared_ptr<const ScheduleDefined> definition;
  Position defined;  // of that event
  bool paused = false;
  Time next;                  // the first instant that is not decided
  std::vector<Time> queued;   // instants that fire when `task` has ended, the oldest first
  TaskId task;                // of the last firing; none before the first
  Time fired;                 // the instant of that
  std::uint64_t firings = 0;  // in all
  std::uint64_t skipped = 0;  // instants that never fire
  Position changed;           // the last event about it

  bool operator==(const Schedule& other) const;
};

struct InstantKey {
  Time next;
  NameId schedule;
  auto operator<=>(const InstantKey&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Schedules {
  PersistentMap<NameId, Schedule> all;
  PersistentSet<InstantKey> due;     // of those that are not paused
  PersistentSet<NameId> with_queue;  // of those, the ones with queued instants

  // The first instant of all that is not decided; queued ones apart.
  [[nodiscard]] std::optional<Time> next() const;

  // Nothing while there are none, so that states of before there were schedules keep their digests.
  void hash_into(StateHasher& hasher) const;
};

struct EventPlace;

// Each changes `schedules` as the event says. What contradicts it changes nothing and answers
// false: an instant is decided once, in the order of time, and queued ones in theirs.
bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleDefined& event);
bool fold(Schedules& schedules, Names& names, const EventPlace& place, const SchedulePaused& event);
bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleResumed& event);
bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleRemoved& event);
bool fold(Schedules& schedules, Names& names, const EventPlace& place, const ScheduleFired& event);
bool fold(Schedules& schedules, Names& names, const EventPlace& place, const ScheduleQueued& event);
bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleSkipped& event);

// The event with all that it points at, for as long as anybody holds it.
[[nodiscard]] std::shared_ptr<const ScheduleDefined> own(const ScheduleDefined& event);

}  // namespace almanac
