#include <almanac/projections/schedules.h>

#include <almanac/log/append.h>
#include <almanac/projections/tasks.h>

#include <array>
#include <utility>

namespace almanac {
namespace {

// Takes a schedule out of the orders, and puts it in as it has become.
void leave_orders(Schedules& schedules, NameId id, const Schedule& schedule) {
  schedules.due.erase({schedule.next, id});
  schedules.with_queue.erase(id);
}

void put(Schedules& schedules, NameId id, Schedule schedule) {
  if (const Schedule* known = schedules.all.find(id)) leave_orders(schedules, id, *known);
  if (!schedule.paused) schedules.due.insert({schedule.next, id});
  if (!schedule.paused && !schedule.queued.empty()) schedules.with_queue.insert(id);
  schedules.all.set(id, std::move(schedule));
}

// Changes a schedule that there is; false when there is none.
template <class Change>
bool edit(Schedules& schedules, const Names& names, const EventPlace& place, std::string_view name,
          Change change) {
  const auto id = names.find(name);
  const Schedule* found = id ? schedules.all.find(*id) : nullptr;
  if (found == nullptr) return false;
  Schedule changed = *found;
  if (!change(changed)) return false;
  changed.changed = place.position;
  put(schedules, *id, std::move(changed));
  return true;
}

void hash_task(StateHasher& hasher, const TaskEnqueued& task) {
  for (const std::string_view text :
       {task.kind, task.queue, task.label, task.owner, as_text(task.payload)}) {
    hasher.text(text);
  }
  for (const std::uint64_t number :
       {std::uint64_t(static_cast<std::uint32_t>(task.priority)), number_of(task.run_at),
        static_cast<std::uint64_t>(task.timeout.count()),
        static_cast<std::uint64_t>(task.backoff.initial.count()),
        static_cast<std::uint64_t>(task.backoff.max.count()), std::uint64_t{task.attempts_max},
        number_of(task.deadline), static_cast<std::uint64_t>(task.estimate.count()),
        number_of(task.expires_at), std::uint64_t{task.demands.size()},
        std::uint64_t{task.tags.size()}}) {
    hasher.number(number);
  }
  for (std::size_t i = 0; i < task.demands.size(); ++i) {
    hasher.text(task.demands[i].limit);
    hasher.number(task.demands[i].units);
  }
  for (std::size_t i = 0; i < task.tags.size(); ++i) hasher.text(task.tags[i]);
  // Came later: digests of those without it stay as they were.
  if (task.retry_policy != RetryPolicy() || task.crashes_max != 0) {
    constexpr std::uint64_t part = 0x72657472696573;  // "retries"
    hasher.numbers(
        std::array{part, std::uint64_t(task.retry_policy), std::uint64_t{task.crashes_max}});
  }
  if (task.version != 0) {
    constexpr std::uint64_t part = 0x76657273;  // "vers"
    hasher.numbers(std::array{part, std::uint64_t{task.version}});
  }
}

}  // namespace

bool Schedule::operator==(const Schedule& other) const {
  // Within a log the position of its definition stands for it.
  return defined == other.defined && paused == other.paused && next == other.next &&
         queued == other.queued && task == other.task && fired == other.fired &&
         firings == other.firings && skipped == other.skipped && changed == other.changed;
}

std::optional<Time> Schedules::next() const {
  for (const InstantKey& first : due) return first.next;
  return {};
}

void Schedules::hash_into(StateHasher& hasher) const {
  if (all.empty()) return;
  hasher.number(all.size());
  for (const auto& [id, schedule] : all) {
    const ScheduleDefined& definition = *schedule.definition;
    hasher.text(definition.recurrence);
    hash_task(hasher, definition.task);
    for (const std::uint64_t number :
         {std::uint64_t{id.value}, std::uint64_t(definition.missed),
          static_cast<std::uint64_t>(definition.window.count()), std::uint64_t(definition.overlap),
          schedule.defined.value, std::uint64_t(schedule.paused), number_of(schedule.next),
          schedule.task.value, number_of(schedule.fired), schedule.firings, schedule.skipped,
          schedule.changed.value, std::uint64_t{schedule.queued.size()}}) {
      hasher.number(number);
    }
    for (const Time instant : schedule.queued) hasher.number(number_of(instant));
  }
}

bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleDefined& event) {
  const NameId id = names.intern(event.schedule);
  const Schedule* known = schedules.all.find(id);
  Schedule schedule = known == nullptr ? Schedule() : *known;
  if (event.recurrence.empty() || event.next <= schedule.fired) return false;
  schedule.definition = own(event);
  schedule.defined = schedule.changed = place.position;
  schedule.next = event.next;
  put(schedules, id, std::move(schedule));
  return true;
}

bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const SchedulePaused& event) {
  return edit(schedules, names, place, event.schedule,
              [](Schedule& schedule) { return !std::exchange(schedule.paused, true); });
}

bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleResumed& event) {
  return edit(schedules, names, place, event.schedule, [&](Schedule& schedule) {
    if (event.next < schedule.next) return false;
    schedule.next = event.next;
    return std::exchange(schedule.paused, false);
  });
}

bool fold(Schedules& schedules, Names& names, const EventPlace&, const ScheduleRemoved& event) {
  const auto id = names.find(event.schedule);
  const Schedule* found = id ? schedules.all.find(*id) : nullptr;
  if (found == nullptr) return false;
  leave_orders(schedules, *id, *found);
  schedules.all.erase(*id);
  return true;
}

bool fold(Schedules& schedules, Names& names, const EventPlace& place, const ScheduleFired& event) {
  return edit(schedules, names, place, event.schedule, [&](Schedule& schedule) {
    if (schedule.paused || event.task <= schedule.task) return false;
    if (!schedule.queued.empty() && schedule.queued.front() == event.instant) {
      if (event.next != schedule.next) return false;
      schedule.queued.erase(schedule.queued.begin());
    } else if (!schedule.queued.empty() || event.instant < schedule.next ||
               event.next <= event.instant) {
      return false;
    }
    schedule.next = event.next;
    schedule.fired = event.instant;
    schedule.task = event.task;
    ++schedule.firings;
    return true;
  });
}

bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleQueued& event) {
  return edit(schedules, names, place, event.schedule, [&](Schedule& schedule) {
    if (schedule.paused || event.instant < schedule.next || event.next <= event.instant) {
      return false;
    }
    schedule.queued.push_back(event.instant);
    schedule.next = event.next;
    return true;
  });
}

bool fold(Schedules& schedules, Names& names, const EventPlace& place,
          const ScheduleSkipped& event) {
  return edit(schedules, names, place, event.schedule, [&](Schedule& schedule) {
    if (event.count == 0 || event.last < event.first || event.next < schedule.next) return false;
    auto& queued = schedule.queued;
    if (!queued.empty() && queued.front() == event.first) {
      if (event.count > queued.size() || event.next != schedule.next) return false;
      queued.erase(queued.begin(), queued.begin() + static_cast<std::ptrdiff_t>(event.count));
    } else if (event.first < schedule.next || event.next <= event.last) {
      return false;
    }
    schedule.next = event.next;
    schedule.skipped += event.count;
    return true;
  });
}

std::shared_ptr<const ScheduleDefined> own(const ScheduleDefined& event) {
  const Event borrowed{.at = {}, .body = event};
  auto owned = own_events(std::span(&borrowed, 1));
  const auto& definition = std::get<ScheduleDefined>(owned->events.front().body);
  return {std::move(owned), &definition};
}

}  // namespace almanac
