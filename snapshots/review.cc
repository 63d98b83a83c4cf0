#include <almanac/snapshots/review.h>

#include <almanac/snapshots/branch.h>

#include <array>
#include <utility>

namespace almanac {
namespace {

constexpr std::array<std::string_view, review_decision_count> decision_names = {"run", "skip",
                                                                                "accept"};

std::string_view reason_to_cancel(TaskOutcome outcome) {
  switch (outcome) {
    case TaskOutcome::failed: return "skipped in review: it had failed";
    case TaskOutcome::cancelled: return "skipped in review: it had been cancelled";
    case TaskOutcome::unknown:
    case TaskOutcome::succeeded: break;
  }
  return "skipped in review";
}

Hold hold_of(const TaskHeld& held) {
  return {
      .reason = held.reason, .outcome = held.outcome, .started = held.started, .ended = held.ended};
}

}  // namespace

std::string_view name(ReviewDecision decision) {
  return decision_names[static_cast<std::size_t>(decision)];
}

std::optional<ReviewDecision> review_decision_from(std::string_view name) {
  for (std::size_t i = 0; i < decision_names.size(); ++i) {
    if (decision_names[i] == name) return static_cast<ReviewDecision>(i);
  }
  return std::nullopt;
}

EventBody reviewed(TaskId id, const Hold& hold, ReviewDecision decision) {
  if (decision == ReviewDecision::run) return TaskReleased{id};
  const bool was_done = hold.outcome == TaskOutcome::succeeded;
  if (decision == ReviewDecision::accept || was_done) return TaskAccepted{id};
  return TaskCancelled{.id = id, .reason = reason_to_cancel(hold.outcome)};
}

void Aftermath::see(const RecordedEvent& recorded) {
  const auto ignored = now_.ignored;
  fold_into(now_, recorded);
  if (now_.ignored != ignored) return;
  const EventBody& body = recorded.event.body;
  if (const auto* started = std::get_if<TaskStarted>(&body)) {
    if (is_live(started->id)) later_[started->id].started = recorded.position;
  } else if (const auto* succeeded = std::get_if<TaskSucceeded>(&body)) {
    end(succeeded->id, recorded.position, TaskOutcome::succeeded);
  } else if (const auto* accepted = std::get_if<TaskAccepted>(&body)) {
    end(accepted->id, recorded.position, TaskOutcome::succeeded);
  } else if (const auto* failed = std::get_if<TaskFailed>(&body)) {
    end(failed->id, recorded.position, TaskOutcome::failed);
  } else if (const auto* cancelled = std::get_if<TaskCancelled>(&body)) {
    if (!cancelled->dependency) end(cancelled->id, recorded.position, TaskOutcome::cancelled);
  }
}

std::vector<TaskHeld> Aftermath::held() const {
  std::map<TaskId, Hold> found = later_;
  for (const RunningKey& key : moment_.tasks.running) found.try_emplace(key.id);
  for (const auto& [id, task] : moment_.tasks.all) {
    if (is_all_) break;
    const bool is_held = task.state == TaskState::held;
    if (!has_ended(task.state) && !is_held) found.try_emplace(id);
  }
  std::vector<TaskHeld> held;
  for (const auto& [id, hold] : found) {
    const Task& task = *moment_.tasks.all.find(id);
    if (task.state == TaskState::cancelling) continue;
    held.push_back({.id = id,
                    .lease = task.lease,
                    .reason = hold.reason,
                    .outcome = hold.outcome,
                    .started = hold.started,
                    .ended = hold.ended});
  }
  return held;
}

bool Aftermath::is_live(TaskId id) const {
  const Task* task = moment_.tasks.all.find(id);
  return task != nullptr && !has_ended(task->state);
}

void Aftermath::end(TaskId id, Position at, TaskOutcome outcome) {
  if (!is_live(id)) return;
  Hold& hold = later_[id];
  hold.ended = at;
  hold.outcome = outcome;
}

std::vector<Event> review_events(const State& moment, const std::vector<TaskHeld>& held,
                                 std::optional<ReviewDecision> decision, Time at) {
  std::vector<Event> events;
  for (const RunningKey& key : moment.tasks.running) {
    if (moment.tasks.all.find(key.id)->state != TaskState::cancelling) continue;
    events.push_back({.at = at,
                      .body = TaskCancelled{.id = key.id,
                                            .reason = "it had been told to stop when the log was "
                                                      "restored"}});
  }
  for (const TaskHeld& event : held) {
    events.push_back({.at = at, .body = event});
    if (!decision) continue;
    events.push_back({.at = at, .body = reviewed(event.id, hold_of(event), *decision)});
  }
  stop_engine(moment, at, events);
  return events;
}

}  // namespace almanac
