#include <almanac/engine/tasks.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <limits>
#include <string>

namespace almanac {
namespace {

// One round of SplitMix64 (S. Vigna's public-domain generator): spreads every bit of its input.
std::uint64_t mix(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

AttemptEnd view(const AttemptOutcome& outcome) {
  return {.status = outcome.status,
          .code = outcome.code,
          .output_dropped = outcome.output_dropped,
          .message = outcome.message,
          .result = as_bytes(outcome.result),
          .output = as_bytes(outcome.output)};
}

// The task whose attempt has this token.
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

Decision decision_of(Time now, EventBody body, Answer answer = {}) {
  Decision decision;
  decision.events.push_back({.at = now, .body = std::move(body)});
  decision.answer = std::move(answer);
  return decision;
}

}  // namespace

Duration retry_delay(const Backoff& backoff, const RetryDraw& draw) {
  constexpr std::uint32_t doublings_max = 40;
  auto initial = std::min(backoff.initial, backoff.max).count();
  auto doublings = std::min(draw.failures - 1, doublings_max);
  auto whole = backoff.max.count();
  if (initial < (whole >> doublings)) whole = initial << doublings;
  auto half = static_cast<std::uint64_t>(whole) / 2;
  auto drawn = mix(mix(mix(draw.seed) ^ draw.id.value) ^ draw.failures);
  return Duration(whole - static_cast<std::int64_t>(half == 0 ? 0 : drawn % (half + 1)));
}

std::optional<EventBody> cancellation(TaskId id, const Task& task, std::string_view reason) {
  if (has_ended(task.state) || task.state == TaskState::cancelling) return {};
  if (task.state == TaskState::running) return TaskCancelRequested{id, reason};
  return TaskCancelled{.id = id, .reason = reason};
}

Result<Decision> decide_one(const State& state, const CancelTask& command,
                            const DecideContext& context) {
  const Task* task = state.tasks.all.find(command.id);
  auto number = std::to_string(command.id.value);
  if (task == nullptr) {
    return fail(ErrorCode::not_found, "there is no task " + number,
                "`almanac list` shows those there are");
  }
  if (has_ended(task->state)) {
    return fail(ErrorCode::conflict,
                "task " + number + (task->state == TaskState::cancelled ? " was" : " has") +
                    " already " + std::string(name(task->state)),
                "leave it out");
  }
  const auto outcome =
      holds_lease(task->state) ? CancelOutcome::stopping : CancelOutcome::cancelled;
  auto event = cancellation(command.id, *task, command.reason);
  if (!event) return Decision{{}, outcome};
  return decision_of(context.now, std::move(*event), outcome);
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
  if (end.status == AttemptStatus::succeeded) {
    return decision_of(context.now, TaskSucceeded{command.id, command.token.lease, end});
  }
  auto failures = task.failures + 1;
  if (failures >= task.attempts_max) {
    return decision_of(context.now, TaskFailed{command.id, command.token.lease, end});
  }
  auto delay = retry_delay(task.backoff, {state.engine.seed, command.id, failures});
  return decision_of(context.now,
                     TaskAttemptFailed{command.id, command.token.lease, context.now + delay, end});
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
  std::size_t doomed = 0;
  for (const auto& [id, culprit] : state.tasks.doomed) {
    if (doomed++ == limits::doomed_per_turn) break;
    auto ended = name(state.tasks.all.find(culprit)->state);
    auto reason = "depends on task " + std::to_string(culprit.value) + ", which " +
                  (ended == "failed" ? "failed" : "was cancelled");
    events.push_back({.at = context.now,
                      .body = TaskCancelled{
                          .id = id, .dependency = culprit, .reason = context.memory.text(reason)}});
  }
  return events;
}

}  // namespace almanac
