#include <almanac/engine/recorded_work.h>

#include <algorithm>

namespace almanac {
namespace {

TaskSpec spec_of(const TaskEnqueued& event) {
  TaskSpec spec{.kind = std::string(event.kind),
                .queue = std::string(event.queue),
                .label = std::string(event.label),
                .payload = {},  // no handler runs
                .priority = event.priority,
                .run_at = event.run_at,
                .attempts_max = event.attempts_max,
                .backoff = event.backoff,
                .timeout = event.timeout};
  for (std::size_t i = 0; i < event.tags.size(); ++i) spec.tags.emplace_back(event.tags[i]);
  return spec;
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

void WorkRecorder::end(TaskId id, AttemptStatus status) {
  RecordedTask* task = find(id);
  if (task == nullptr) return;
  Time& started = known_[id].started;
  task->attempts.push_back({now_ - started, status});
  started = Time();
}

void WorkRecorder::take(const TaskEnqueued& event) {
  if (position_ < from_) return;
  RecordedTask task{.arrived = now_, .spec = spec_of(event), .attempts = {}, .cancelled = {}};
  for (TaskId id : event.dependencies) {
    const auto known = known_.find(id);
    if (known == known_.end()) continue;
    task.spec.dependencies.emplace_back(TaskId(known->second.index + 1));
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

void WorkRecorder::take(const TaskCancelRequested& event) {
  if (RecordedTask* task = find(event.id)) task->cancelled = now_;
}

// Because of what it depends on, or because somebody asked: then it was running or not.
void WorkRecorder::take(const TaskCancelled& event) {
  RecordedTask* task = find(event.id);
  if (task == nullptr || event.dependency) return;
  if (!task->cancelled) task->cancelled = now_;
  task->stopping = now_ - *task->cancelled;
  if (event.lease) end(event.id, event.end.status);
}

void WorkRecorder::take(const QueueConfigured& event) {
  work_.settings.push_back({now_, {.queue = std::string(event.queue), .slots = event.slots}});
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
