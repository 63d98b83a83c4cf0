#include <almanac/engine/schedules.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>
#include <almanac/engine/tasks.h>
#include <almanac/snapshots/schedule_codec.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace almanac {
namespace {

constexpr Duration tick{1};

// The task of the last firing has not ended.
bool is_busy(const State& state, const Schedule& schedule) {
  const Task* task = state.tasks.all.find(schedule.task);
  return task != nullptr && !has_ended(task->state);
}

bool can_release(const State& state, const Schedule& schedule) {
  return schedule.definition->overlap == OverlapPolicy::allow || !is_busy(state, schedule);
}

// The instants that have come, one after the other, each decided on the state with those before it
// folded in.
class Firings {
 public:
  Firings(const State& state, const DecideContext& context)
      : state_(state), now_(context.now), context_(context) {}

  std::vector<Event> run() {
    const auto with_queue = state_.schedules.with_queue;
    for (const NameId id : with_queue) release(id);
    while (!is_full()) {
      const auto next = state_.schedules.next();
      if (!next || *next > now_) break;
      decide_next((*state_.schedules.due.begin()).schedule);
    }
    return std::move(events_);
  }

 private:
  [[nodiscard]] bool is_full() const { return firings_ >= limits::firings_per_turn; }
  [[nodiscard]] const Schedule& find(NameId id) const { return *state_.schedules.all.find(id); }
  [[nodiscard]] std::string_view name_of(NameId id) {
    return context_.memory.text(state_.names.text(id));
  }

  void add(const EventBody& body, Position causation = {}) {
    const auto ignored = state_.ignored;
    events_.push_back({.at = now_, .causation = causation, .body = body});
    fold_into(state_, {state_.position.next(), events_.back()});
    ALMANAC_CHECK(state_.ignored == ignored);
  }

  void release(NameId id) {
    while (!is_full() && !find(id).queued.empty() && can_release(state_, find(id))) {
      fire(id, find(id).queued.front(), find(id).next);
    }
  }

  // The next instant, or all of them that are missed.
  void decide_next(NameId id) {
    const Schedule& schedule = find(id);
    const auto recurrence = Recurrence::parse(schedule.definition->recurrence);
    if (!recurrence) {
      return add(SchedulePaused{name_of(id), context_.memory.text(recurrence.error().message)});
    }
    const Time instant = schedule.next;
    const Time from = first_to_fire(*recurrence, *schedule.definition, instant);
    if (from == instant) return take(id, instant, recurrence->next_after(instant));
    const auto missed = recurrence->elapsed(instant, std::min(from - tick, now_));
    ++firings_;
    add(ScheduleSkipped{.schedule = name_of(id),
                        .reason = SkipReason::missed,
                        .count = missed.count,
                        .first = instant,
                        .last = missed.last,
                        .next = from});
  }

  // The first instant, from this one on, that is not lost because nobody was there for it.
  [[nodiscard]] Time first_to_fire(const Recurrence& recurrence, const ScheduleDefined& definition,
                                   Time instant) const {
    if (definition.missed == MissedPolicy::all) {
      const Time oldest = now_ - std::max(definition.window, limits::firing_lateness_max);
      return instant >= oldest ? instant : recurrence.next_after(oldest - tick);
    }
    const bool is_last = recurrence.next_after(instant) > now_;
    const Time last = is_last ? instant : recurrence.elapsed(instant, now_).last;
    if (definition.missed == MissedPolicy::once) return last;
    return now_ - last <= limits::firing_lateness_max ? last : recurrence.next_after(now_);
  }

  void take(NameId id, Time instant, Time next) {
    const Schedule& schedule = find(id);
    const OverlapPolicy overlap = schedule.definition->overlap;
    if (schedule.queued.empty() && can_release(state_, schedule)) return fire(id, instant, next);
    if (overlap == OverlapPolicy::skip) return skip(id, SkipReason::overlap, instant, next);
    if (overlap == OverlapPolicy::replace) return replace(id, instant, next);
    if (schedule.queued.size() >= limits::queued_instants_max) {
      return skip(id, SkipReason::queue_full, instant, next);
    }
    queue(id, instant, next);
  }

  // A task that runs has yet to end before the next one begins.
  void replace(NameId id, Time instant, Time next) {
    const Schedule schedule = find(id);
    if (!schedule.queued.empty()) {
      add(ScheduleSkipped{.schedule = name_of(id),
                          .reason = SkipReason::replaced,
                          .count = schedule.queued.size(),
                          .first = schedule.queued.front(),
                          .last = schedule.queued.back(),
                          .next = schedule.next});
    }
    if (const Task* task = state_.tasks.all.find(schedule.task)) {
      const auto cancelled =
          cancellation(schedule.task, *task, "its schedule fires again and replaces it");
      if (cancelled) add(*cancelled);
    }
    is_busy(state_, schedule) ? queue(id, instant, next) : fire(id, instant, next);
  }

  void fire(NameId id, Time instant, Time next) {
    ++firings_;
    const auto definition = find(id).definition;
    context_.memory.keep(definition);
    TaskEnqueued task = definition->task;
    task.id = state_.tasks.last.next();
    add(ScheduleFired{name_of(id), instant, task.id, next});
    add(task, state_.position);
  }
  void queue(NameId id, Time instant, Time next) {
    ++firings_;
    add(ScheduleQueued{name_of(id), instant, next});
  }
  void skip(NameId id, SkipReason reason, Time instant, Time next) {
    ++firings_;
    add(ScheduleSkipped{name_of(id), reason, 1, instant, instant, next});
  }

  State state_;
  const Time now_;
  const DecideContext& context_;
  std::vector<Event> events_;
  std::size_t firings_ = 0;  // and instants that did not fire
};

Result<void> check(const State& state, const ScheduleSpec& spec) {
  if (auto checked = check_name("schedule", spec.name); !checked) return checked;
  const auto id = state.names.find(spec.name);
  const bool is_new = !id || !state.schedules.all.contains(*id);
  if (is_new && state.schedules.all.size() >= limits::schedules_max) {
    return fail(ErrorCode::invalid,
                "there are " + std::to_string(limits::schedules_max) + " schedules already",
                "remove some");
  }
  const TaskSpec& task = spec.task;
  const bool has_time =
      task.run_at != Time() || task.deadline != Time() || task.expires_at != Time();
  const bool has_group = !task.group.empty() || task.after_group;
  if (has_time || has_group || !task.dependencies.empty() || !task.idempotency_key.empty() ||
      task.unique) {
    return fail(
        ErrorCode::invalid,
        "a task that is enqueued again and again has no time to run at, to end by or to "
        "expire at, no dependencies, groups or idempotency key of its own, and is not unique",
        "leave them out; what happens while one has not ended is the schedule's overlap");
  }
  if (task.payload.size() > limits::schedule_payload_bytes_max) {
    return fail(ErrorCode::invalid,
                "the payload of a scheduled task is at most " +
                    std::to_string(limits::schedule_payload_bytes_max) + " bytes, not " +
                    std::to_string(task.payload.size()),
                "put it into a file that the task reads");
  }
  if (spec.window < Duration(0) || spec.window > limits::duration_max) {
    return fail(ErrorCode::invalid, "the window of missed instants is 0 to 100 years");
  }
  return {};
}

// But for when it fires next.
bool means_the_same(ScheduleDefined one, ScheduleDefined other) {
  one.next = other.next = Time();
  return encode(one) == encode(other);
}

Result<const Schedule*> find_schedule(const State& state, const std::string& name) {
  const auto id = state.names.find(name);
  const Schedule* schedule = id ? state.schedules.all.find(*id) : nullptr;
  if (schedule != nullptr) return schedule;
  return fail(ErrorCode::not_found, "there is no schedule '" + name + "'",
              "`almanac schedule list` shows those there are");
}

std::unexpected<Error> is_already(const std::string& name, std::string_view what) {
  return fail(ErrorCode::conflict,
              "the schedule '" + name + "' is " + std::string(what) + " already", "leave it out");
}

Result<Decision> resume(const std::string& name, const Schedule& schedule,
                        const DecideContext& context) {
  if (!schedule.paused) return is_already(name, "running");
  const auto recurrence = Recurrence::parse(schedule.definition->recurrence);
  if (!recurrence) return std::unexpected(recurrence.error());
  Decision decision;
  const Time next = std::max(schedule.next, recurrence->next_after(context.now));
  if (schedule.next <= context.now) {
    const auto passed = recurrence->elapsed(schedule.next, context.now);
    decision.events.push_back({.at = context.now,
                               .body = ScheduleSkipped{.schedule = name,
                                                       .reason = SkipReason::paused,
                                                       .count = passed.count,
                                                       .first = schedule.next,
                                                       .last = passed.last,
                                                       .next = next}});
  }
  decision.events.push_back({.at = context.now, .body = ScheduleResumed{name, next}});
  return decision;
}

Decision remove(const std::string& name, const Schedule& schedule, const DecideContext& context) {
  Decision decision;
  if (!schedule.queued.empty()) {
    decision.events.push_back({.at = context.now,
                               .body = ScheduleSkipped{.schedule = name,
                                                       .reason = SkipReason::removed,
                                                       .count = schedule.queued.size(),
                                                       .first = schedule.queued.front(),
                                                       .last = schedule.queued.back(),
                                                       .next = schedule.next}});
  }
  decision.events.push_back({.at = context.now, .body = ScheduleRemoved{name}});
  return decision;
}

}  // namespace

Result<Decision> decide_one(const State& state, const DefineSchedule& command,
                            const DecideContext& context) {
  const ScheduleSpec& spec = command.schedule;
  if (auto checked = check(state, spec); !checked) return std::unexpected(checked.error());
  // What is enqueued is what a submission would enqueue, refused where that is.
  const auto submission = std::make_shared<const EnqueueTasks>(EnqueueTasks{{spec.task}});
  context.memory.keep(submission);
  auto enqueued = decide_one(state, *submission, context);
  if (!enqueued) return std::unexpected(enqueued.error());
  ScheduleDefined defined{.schedule = spec.name,
                          .recurrence = context.memory.text(spec.recurrence.text()),
                          .missed = spec.missed,
                          .window = spec.window,
                          .overlap = spec.overlap,
                          .next = spec.recurrence.next_after(context.now),
                          .task = std::get<TaskEnqueued>(enqueued->events.front().body)};
  defined.task.id = {};
  const auto known = find_schedule(state, spec.name);
  Decision decision;
  if (known && means_the_same(*(*known)->definition, defined)) return decision;
  decision.events.push_back({.at = context.now, .body = defined});
  return decision;
}

Result<Decision> decide_one(const State& state, const SetSchedules& command,
                            const DecideContext& context) {
  Decision all;
  const auto add = [&](Decision decision) {
    std::ranges::move(decision.events, std::back_inserter(all.events));
  };
  std::set<std::string_view> named;
  for (const ScheduleSpec& spec : command.schedules) {
    named.insert(spec.name);
    const auto one = std::make_shared<const DefineSchedule>(DefineSchedule{spec});
    context.memory.keep(one);
    auto defined = decide_one(state, *one, context);
    if (!defined) return defined;
    add(std::move(*defined));
  }
  for (const auto& [id, schedule] : state.schedules.all) {
    const std::string name(state.names.text(id));
    if (!name.starts_with(command.prefix) || named.contains(name)) continue;
    const auto kept = std::make_shared<const std::string>(name);
    context.memory.keep(kept);
    add(remove(*kept, schedule, context));
  }
  return all;
}

Result<Decision> decide_one(const State& state, const ChangeSchedule& command,
                            const DecideContext& context) {
  const auto found = find_schedule(state, command.name);
  if (!found) return std::unexpected(found.error());
  const Schedule& schedule = **found;
  switch (command.change) {
    case ScheduleChange::resume: return resume(command.name, schedule, context);
    case ScheduleChange::remove: return remove(command.name, schedule, context);
    case ScheduleChange::pause: break;
  }
  if (schedule.paused) return is_already(command.name, "paused");
  Decision decision;
  decision.events.push_back(
      {.at = context.now, .body = SchedulePaused{command.name, command.reason}});
  return decision;
}

std::vector<Event> decide_firings(const State& state, const DecideContext& context) {
  const auto next = next_firing(state);
  if (!next || *next > context.now) return {};
  return Firings(state, context).run();
}

std::optional<Time> next_firing(const State& state) {
  for (const NameId id : state.schedules.with_queue) {
    if (can_release(state, *state.schedules.all.find(id))) return state.time;
  }
  return state.schedules.next();
}

}  // namespace almanac
