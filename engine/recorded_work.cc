#include <almanac/engine/recorded_work.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

// A name may have been given again.
std::string name_of(GroupId group) { return std::to_string(group.value); }

TaskSpec spec_of(const TaskEnqueued& event) {
  TaskSpec spec{.kind = std::string(event.kind),
                .queue = std::string(event.queue),
                .label = std::string(event.label),
                .payload = {},  // no handler runs
                .priority = event.priority,
                .run_at = event.run_at,
                .attempts_max = event.attempts_max,
                .backoff = event.backoff,
                .timeout = event.timeout,
                .retry_policy = event.retry_policy,
                .owner = std::string(event.owner),
                .deadline = event.deadline,
                .estimate = event.estimate,
                .expires_at = event.expires_at,
                .version = event.version};
  if (event.group) spec.group = name_of(event.group);
  if (event.after_group) {
    spec.after_group = AfterGroup{name_of(event.after_group), event.after_group_condition};
  }
  for (std::size_t i = 0; i < event.tags.size(); ++i) spec.tags.emplace_back(event.tags[i]);
  for (std::size_t i = 0; i < event.demands.size(); ++i) {
    const auto [limit, units] = event.demands[i];
    spec.demands.push_back({std::string(limit), units});
  }
  return spec;
}

// What leads to these settings from any others of the same queue.
ConfigureQueue settings_of(const QueueConfigured& event) {
  ConfigureQueue queue{
      .queue = std::string(event.queue), .slots = event.slots, .policy = event.policy};
  const bool is_urgency = event.policy == QueuePolicy::urgency;
  if (is_urgency || event.policy == QueuePolicy::priority) queue.ageing = event.ageing;
  if (is_urgency) queue.window = event.window;
  if (is_urgency) queue.short_work = event.short_work;
  for (std::size_t i = 0; i < event.weights.size(); ++i) {
    const auto [name, weight] = event.weights[i];
    queue.weights[std::string(name)] = weight;
  }
  return queue;
}

Duration middle(std::vector<Duration>& durations) {
  if (durations.empty()) return Duration(0);
  const auto half = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
  std::ranges::nth_element(durations, half);
  return *half;
}

}  // namespace

void RecordedWork::assume_attempts() {
  std::map<std::string_view, std::vector<Duration>> by_kind;
  std::vector<Duration> all;
  for (const RecordedTask& task : tasks) {
    for (const RecordedAttempt& attempt : task.attempts) {
      by_kind[task.spec.kind].push_back(attempt.took);
      all.push_back(attempt.took);
    }
  }
  std::map<std::string_view, Duration> usual;
  for (auto& [kind, durations] : by_kind) usual[kind] = middle(durations);
  const Duration otherwise = middle(all);
  for (RecordedTask& task : tasks) {
    if (!task.attempts.empty()) continue;
    const auto known = usual.find(task.spec.kind);
    task.attempts.push_back({.took = known == usual.end() ? otherwise : known->second});
    ++assumed;
  }
}

void WorkRecorder::see(const RecordedEvent& recorded) {
  now_ = recorded.event.at;
  position_ = recorded.position;
  std::visit([this](const auto& event) { take(event); }, recorded.event.body);
}

RecordedWork WorkRecorder::finish() {
  work_.assume_attempts();
  return std::move(work_);
}

RecordedTask* WorkRecorder::find(TaskId id) {
  const auto known = known_.find(id);
  return known == known_.end() ? nullptr : &work_.tasks[known->second.index];
}

void WorkRecorder::end(TaskId id, RecordedAttempt attempt) {
  RecordedTask* task = find(id);
  if (task == nullptr) return;
  attempt.took = now_ - std::exchange(known_[id].started, {});
  task->attempts.push_back(attempt);
}

void WorkRecorder::change(TaskId id, TaskChange change) {
  const auto known = known_.find(id);
  if (known == known_.end()) return;
  const TaskId task(known->second.index + 1);
  work_.changes.push_back(
      {now_, ChangeTasks{.ids = {task}, .change = change, .reason = {}, .skips = true}});
}

void WorkRecorder::pause(PauseScope scope, std::string_view name, bool pause) {
  work_.changes.push_back({now_, PauseWork{scope, std::string(name), pause}});
}

void WorkRecorder::take(const TaskEnqueued& event) {
  if (position_ < from_) return;
  RecordedTask task{.arrived = now_, .spec = spec_of(event), .attempts = {}, .cancelled = {}};
  for (std::size_t i = 0; i < event.dependencies.size(); ++i) {
    const auto known = known_.find(event.dependencies[i]);
    if (known == known_.end()) continue;
    task.spec.dependencies.emplace_back(TaskId(known->second.index + 1));
    if (!event.conditions.empty()) task.spec.conditions.push_back(event.conditions[i]);
  }
  known_[event.id] = {.index = work_.tasks.size(), .started = {}};
  work_.tasks.push_back(std::move(task));
}

void WorkRecorder::take(const TaskStarted& event) {
  if (find(event.id) != nullptr) known_[event.id].started = now_;
}

void WorkRecorder::take(const TaskHandedBack& event) {
  if (find(event.id) != nullptr) known_[event.id].started = Time();
}

void WorkRecorder::take(const TaskFailed& event) {
  end(event.id,
      {.status = event.end.status, .permanent = event.end.permanent || event.crashes > 0});
}

void WorkRecorder::take(const TaskSnoozed& event) {
  end(event.id, {.snoozed = event.until - now_});
}

void WorkRecorder::take(const TaskHeld& event) {
  if (event.reason == HoldReason::paused) change(event.id, TaskChange::pause);
}

void WorkRecorder::take(const TaskCancelRequested& event) {
  if (RecordedTask* task = find(event.id)) task->cancelled = now_;
}

// Because of what it depends on, because it had not begun in time, or because somebody asked: then
// it was running or not.
void WorkRecorder::take(const TaskCancelled& event) {
  RecordedTask* task = find(event.id);
  if (task == nullptr || event.dependency) return;
  const Time expires_at = task->spec.expires_at;
  if (!event.lease && expires_at != Time() && expires_at <= now_) return;
  if (!task->cancelled) task->cancelled = now_;
  task->stopping = now_ - *task->cancelled;
  if (event.lease) end(event.id, {.status = event.end.status});
}

void WorkRecorder::take(const QueueConfigured& event) {
  ConfigureQueue queue = settings_of(event);
  // An owner that is not named any more has the default weight again.
  const auto before =
      std::ranges::find(work_.settings.rbegin(), work_.settings.rend(), event.queue,
                        [](const auto& one) { return std::string_view(one.queue.queue); });
  if (event.policy == QueuePolicy::fair && before != work_.settings.rend() &&
      before->queue.policy == QueuePolicy::fair) {
    for (const auto& [owner, weight] : before->queue.weights) {
      queue.weights.try_emplace(owner, owner_weight_default);
    }
  }
  work_.settings.push_back({now_, std::move(queue)});
}

void WorkRecorder::take(const LimitConfigured& event) {
  const LimitSetting setting{event.units, event.per_minute, event.burst};
  work_.limits.push_back({now_, {.name = std::string(event.name), .setting = setting}});
}

void WorkRecorder::take(const TokensTaken& event) {
  if (position_ < from_) return;
  work_.changes.push_back({now_, TakeTokens{std::string(event.limit), event.tokens, now_}});
}

void WorkRecorder::take(const GroupOpened& event) {
  work_.changes.push_back({now_, OpenGroup{name_of(event.id)}});
}

void WorkRecorder::take(const GroupClosed& event) {
  work_.changes.push_back({now_, CloseGroup{name_of(event.id)}});
}

void WorkRecorder::take(const EngineStarted& event) {
  work_.slots = event.slots;
  work_.seed = event.seed;
}

Result<RecordedWork> read_work(const Log& log, Position from, Position to) {
  WorkRecorder recorder(from);
  auto read = log.read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    if (recorded.position > to) return false;
    recorder.see(recorded);
    return true;
  });
  if (!read) return std::unexpected(read.error());
  return recorder.finish();
}

}  // namespace almanac
