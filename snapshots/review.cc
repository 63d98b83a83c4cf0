#include <almanac/snapshots/review.h>

#include <almanac/snapshots/branch.h>

#include <algorithm>
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
  const EventBody& body = recorded.event.body;
  const Position at = recorded.position;
  if (const auto* started = std::get_if<TaskStarted>(&body)) {
    start(started->id, at);
  } else if (const auto* over = std::get_if<TaskFailedOver>(&body)) {
    start(over->id, at);
  } else if (const auto* succeeded = std::get_if<TaskSucceeded>(&body)) {
    end(succeeded->id, succeeded->lease, at, TaskOutcome::succeeded);
  } else if (const auto* accepted = std::get_if<TaskAccepted>(&body)) {
    end(accepted->id, {}, at, TaskOutcome::succeeded);
  } else if (const auto* failed = std::get_if<TaskFailed>(&body)) {
    end(failed->id, failed->lease, at, TaskOutcome::failed);
  } else if (const auto* cancelled = std::get_if<TaskCancelled>(&body)) {
    const bool was_asked_for = !cancelled->dependency;
    end(cancelled->id, {}, at, was_asked_for ? TaskOutcome::cancelled : TaskOutcome::unknown);
  }
}

void Aftermath::start(TaskId id, Position at) {
  if (!is_live(id)) return;
  Later& later = later_[id];
  later.lease = Lease(at.value);
  later.hold = {.started = at};
}

// What an attempt reports that runs no more is no end.
void Aftermath::end(TaskId id, std::optional<Lease> lease, Position at, TaskOutcome outcome) {
  if (!is_live(id)) return;
  const auto known = later_.find(id);
  const Lease runs =
      known == later_.end() ? moment_.tasks.all.find(id)->lease : known->second.lease;
  if (lease && lease != runs) return;
  Later& later = later_[id];
  // One that failed may have been re-driven: what is left may tell of that.
  later.has_ended = outcome != TaskOutcome::failed;
  if (later.has_ended) --live_;
  if (outcome == TaskOutcome::unknown) return;
  later.hold.outcome = outcome;
  later.hold.ended = at;
}

std::vector<TaskHeld> Aftermath::held() const {
  std::vector<TaskHeld> held;
  auto add = [&](TaskId id, const Hold& hold) {
    const Task& task = *moment_.tasks.all.find(id);
    if (task.state == TaskState::cancelling) return;
    held.push_back({.id = id,
                    .lease = task.lease,
                    .reason = hold.reason,
                    .outcome = hold.outcome,
                    .started = hold.started,
                    .ended = hold.ended});
  };
  for (const auto& [id, later] : later_) {
    if (later.hold != Hold()) add(id, later.hold);
  }
  if (is_all_ || is_complete()) {
    for (const RunningKey& key : moment_.tasks.running) {
      if (!later_.contains(key.id)) add(key.id, {});
    }
  } else {
    for (const auto& [id, task] : moment_.tasks.all) {
      const bool may_have_run = !has_ended(task.state) && task.state != TaskState::held;
      if (may_have_run && !later_.contains(id)) add(id, {});
    }
  }
  std::ranges::sort(held, {}, &TaskHeld::id);
  return held;
}

bool Aftermath::is_live(TaskId id) const {
  const Task* task = moment_.tasks.all.find(id);
  if (task == nullptr || has_ended(task->state)) return false;
  const auto later = later_.find(id);
  return later == later_.end() || !later->second.has_ended;
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
