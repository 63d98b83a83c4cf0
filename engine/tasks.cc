#include <almanac/engine/tasks.h>

#include <almanac/engine/implementations.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/memories.h>
#include <almanac/projections/backoff.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>

namespace almanac {
namespace {

AttemptEnd view(const AttemptOutcome& outcome) {
  return {.status = outcome.status,
          .code = outcome.code,
          .output_dropped = outcome.output_dropped,
          .message = outcome.message,
          .result = as_bytes(outcome.result),
          .output = as_bytes(outcome.output),
          .permanent = outcome.permanent};
}

// What `culprit` should have done instead.
std::string doom_text(const State& state, TaskId culprit) {
  const auto number = std::to_string(culprit.value);
  switch (state.tasks.all.find(culprit)->state) {
    case TaskState::succeeded:
      return "depends on the failure of task " + number + ", which succeeded";
    case TaskState::failed: return "depends on task " + number + ", which failed";
    default: return "depends on task " + number + ", which was cancelled";
  }
}

// As the attempt has asked for, or by the backoff.
Time retry_time(const AttemptOutcome& outcome, Time now, Duration delay) {
  if (outcome.retry_at == Time()) return now + delay;
  return std::clamp(outcome.retry_at, now, now + limits::duration_max);
}

// No tokens of the services before then that said so.
void add_rate_limits(const State& state, const FinishAttempt& command, const DecideContext& context,
                     std::vector<Event>& events) {
  const auto limit = [&](std::string_view service) {
    events.push_back(
        {.at = context.now,
         .body = TokensTaken{.limit = service, .until = command.outcome.snooze_until}});
  };
  if (!command.outcome.service.empty()) return limit(command.outcome.service);
  for (const LimitDemand& demand : state.tasks.demand_sets.of(state.tasks.demands_of(command.id))) {
    const auto setting = setting_of(state.limits, state.names, demand.limit);
    if (setting.per_minute > 0) limit(context.memory.text(state.names.text(demand.limit)));
  }
}

// The tasks that may not be begun any more. What is doomed as well is cancelled because of that.
void add_expired(const State& state, const DecideContext& context, std::vector<Event>& events) {
  std::size_t expired = 0;
  for (const DueKey& key : state.tasks.expiring) {
    if (key.at > context.now || expired == limits::expired_per_turn) break;
    if (state.tasks.doomed.contains(key.id)) continue;
    ++expired;
    events.push_back(
        {.at = context.now,
         .body = TaskCancelled{.id = key.id, .reason = "expired: it had not begun in time"}});
  }
}

}  // namespace

Result<const Task*> find_attempt(const State& state, TaskId id, const FencingToken& token,
                                 const DecideContext& context) {
  if (token.timeline != context.timeline) {
    return fail(ErrorCode::refused, "token " + to_text(token) + " of task " +
                                        std::to_string(id.value) + " is of another log");
  }
  const Task* task = state.tasks.all.find(id);
  if (task != nullptr && token.lease && task->lease == token.lease) return task;
  return fail(ErrorCode::refused, "lease " + std::to_string(token.lease.value) +
                                      " is no longer the one of task " + std::to_string(id.value));
}

std::optional<EventBody> cancellation(TaskId id, const Task& task, std::string_view reason) {
  if (has_ended(task.state) || task.state == TaskState::cancelling) return {};
  if (task.state == TaskState::running) return TaskCancelRequested{id, reason};
  return TaskCancelled{.id = id, .reason = reason};
}

Error unknown_task(const State& state, TaskId id) {
  const auto number = std::to_string(id.value);
  if (!id || id > state.tasks.last) {
    return {ErrorCode::not_found, "there is no task " + number,
            "`almanac list` shows those there are"};
  }
  return {ErrorCode::not_found, "task " + number + " ended long ago and is no longer kept",
          "`almanac show " + number + " --at MOMENT` shows it as it was then"};
}

Result<std::optional<EventBody>> cancel(const State& state, TaskId id, std::string_view reason) {
  const Task* task = state.tasks.all.find(id);
  if (task == nullptr) return std::unexpected(unknown_task(state, id));
  if (has_ended(task->state)) {
    return fail(ErrorCode::conflict,
                "task " + std::to_string(id.value) +
                    (task->state == TaskState::cancelled ? " was" : " has") + " already " +
                    std::string(name(task->state)),
                "leave it out");
  }
  return cancellation(id, *task, reason);
}

EventBody crashed(const State& state, TaskId id, HandBackReason reason, AttemptEnd end,
                  Arena& memory) {
  const Task& task = *state.tasks.all.find(id);
  const std::uint32_t* known = state.tasks.crashes.find(id);
  const auto crashes = (known == nullptr ? 0 : *known) + 1;
  const auto said = terms_of(state.tasks, id).crashes_max;
  const auto crashes_max = said == 0 ? crashes_max_default : said;
  if (crashes < crashes_max) {
    return TaskHandedBack{
        .id = id, .lease = task.lease, .reason = reason, .crashes = crashes, .end = end};
  }
  end.message = memory.text("crash " + std::to_string(crashes) + " of " +
                            std::to_string(crashes_max) + ": " + std::string(end.message));
  return TaskFailed{id, task.lease, end, crashes};
}

Result<void> check_version(const State& state, TaskId id, std::optional<Position> expected) {
  const Task* task = expected ? state.tasks.all.find(id) : nullptr;
  if (task == nullptr || task->changed == *expected) return {};
  return fail(ErrorCode::conflict,
              "task " + std::to_string(id.value) + " was changed by event " +
                  std::to_string(task->changed.value) + ", and event " +
                  std::to_string(expected->value) + " was expected",
              "look at it again, and decide anew");
}

Result<Decision> decide_one(const State& state, const CancelTask& command,
                            const DecideContext& context) {
  if (auto checked = check_version(state, command.id, command.expected); !checked) {
    return std::unexpected(checked.error());
  }
  auto event = cancel(state, command.id, command.reason);
  if (!event) return std::unexpected(event.error());
  if (!*event) return Decision{{}, CancelOutcome::stopping};
  const bool stops = std::holds_alternative<TaskCancelRequested>(**event);
  return decision_of(context.now, std::move(**event),
                     stops ? CancelOutcome::stopping : CancelOutcome::cancelled);
}

Result<Decision> decide_one(const State& state, const FinishAttempt& command,
                            const DecideContext& context) {
  auto held = find_attempt(state, command.id, command.token, context);
  if (!held) return std::unexpected(held.error());
  const Task& task = **held;
  auto end = view(command.outcome);
  if (task.state == TaskState::cancelling) {
    return decision_of(context.now, TaskCancelled{.id = command.id,
                                                  .lease = command.token.lease,
                                                  .reason = "cancelled while it ran",
                                                  .end = end});
  }
  if (command.outcome.snooze_until != Time()) {
    auto decision =
        decision_of(context.now, TaskSnoozed{command.id, command.token.lease,
                                             std::max(command.outcome.snooze_until, context.now)});
    if (command.outcome.rate_limited) add_rate_limits(state, command, context, decision.events);
    return decision;
  }
  if (end.status == AttemptStatus::succeeded) {
    auto stored = store_memories(state, command, context);
    if (stored) {
      auto decision = decision_of(context.now, TaskSucceeded{command.id, command.token.lease, end});
      std::ranges::move(*stored, std::back_inserter(decision.events));
      return decision;
    }
    end = {.status = AttemptStatus::error,
           .message = context.memory.text(unstorable(stored.error()))};
  }
  if (command.outcome.crashed) {
    return decision_of(context.now,
                       crashed(state, command.id, HandBackReason::crashed, end, context.memory));
  }
  if (const auto over = fail_over(state, command.id, end, context)) {
    return decision_of(context.now, *over);
  }
  auto failures = task.failures + 1;
  if (end.permanent || failures >= task.attempts_max) {
    return decision_of(context.now, TaskFailed{command.id, command.token.lease, end});
  }
  auto delay = retry_delay(task.backoff, {.policy = terms_of(state.tasks, command.id).retry_policy,
                                          .seed = state.engine.seed,
                                          .id = command.id,
                                          .failures = failures});
  return decision_of(context.now,
                     TaskAttemptFailed{command.id, command.token.lease,
                                       retry_time(command.outcome, context.now, delay), end});
}

Result<Decision> decide_one(const State& state, const HandBackAttempt& command,
                            const DecideContext& context) {
  auto held = find_attempt(state, command.id, command.token, context);
  if (!held) return std::unexpected(held.error());
  if ((*held)->state == TaskState::cancelling) {
    return decision_of(context.now, TaskCancelled{.id = command.id,
                                                  .lease = command.token.lease,
                                                  .reason = "cancelled while it ran"});
  }
  return decision_of(context.now,
                     TaskHandedBack{command.id, command.token.lease, HandBackReason::stopping});
}

Result<Decision> decide_one(const State& state, const ReportProgress& command,
                            const DecideContext& context) {
  auto held = find_attempt(state, command.id, command.token, context);
  if (!held) return std::unexpected(held.error());
  const TaskProgress* last = state.tasks.progress.find(command.id);
  const bool is_soon =
      last != nullptr && context.now - last->at < limits::progress_interval && !command.is_last;
  if (is_soon) return Decision{};
  return decision_of(context.now, TaskProgressed{.id = command.id,
                                                 .lease = command.token.lease,
                                                 .permille = command.permille,
                                                 .message = command.message,
                                                 .partial = as_bytes(command.partial)});
}

namespace {

// Whether time has changed the rank that a task would have had at the time the ranks stand for.
bool has_changed_rank(const Tasks& tasks, TaskId id, Time now) {
  if (tasks.ranking.policies.empty()) return false;
  const auto changes_at = current_rank(tasks, id, *tasks.all.find(id)).changes_at;
  return changes_at && *changes_at <= now;
}

// Of the ready tasks, and of those that `readied` is about to make ready.
std::optional<TasksReranked> decide_reranked(const State& state, std::span<const Event> readied,
                                             Time now) {
  std::size_t due = 0;
  RankChange last;
  for (const RankChange& change : state.tasks.ranking.changes) {
    if (change.at > now) break;
    if (due++ == limits::reranked_per_turn) return TasksReranked{last.at, last.id};
    last = change;
  }
  const bool any =
      due > 0 || std::ranges::any_of(readied, [&](const Event& event) {
        return has_changed_rank(state.tasks, std::get<TaskReadied>(event.body).id, now);
      });
  return any ? std::optional(TasksReranked{.through = now}) : std::nullopt;
}

}  // namespace

std::vector<Event> decide_due(const State& state, const DecideContext& context) {
  std::vector<Event> events;
  for (const DueKey& key : state.tasks.due) {
    if (key.at > context.now || events.size() == limits::due_per_turn) break;
    events.push_back({.at = context.now, .body = TaskReadied{key.id}});
  }
  if (const auto reranked = decide_reranked(state, events, context.now)) {
    events.push_back({.at = context.now, .body = *reranked});
  }
  add_expired(state, context, events);
  std::size_t doomed = 0;
  for (const auto& [id, culprit] : state.tasks.doomed) {
    if (doomed++ == limits::doomed_per_turn) break;
    events.push_back(
        {.at = context.now,
         .body = TaskCancelled{.id = id,
                               .dependency = culprit,
                               .reason = context.memory.text(doom_text(state, culprit))}});
  }
  return events;
}

}  // namespace almanac
