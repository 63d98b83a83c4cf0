#include <almanac/engine/remote_attempts.h>

#include <type_traits>
#include <utility>
#include <variant>

namespace almanac {

void RemoteAttempts::adopt(const State& state, SteadyTime now) {
  for (const auto& [id, lease] : state.tasks.remote) add(state, id, now);
}

void RemoteAttempts::follow(const State& after, std::span<const RecordedEvent> events,
                            SteadyTime now) {
  for (const RecordedEvent& recorded : events) {
    std::visit(
        [&](const auto& event) {
          using Told = std::remove_cvref_t<decltype(event)>;
          if constexpr (std::is_same_v<Told, EngineStarted>) {
            adopt(after, now);
          } else if constexpr (std::is_same_v<Told, TaskStarted>) {
            if (!event.worker.empty()) add(after, event.id, now);
          } else if constexpr (requires { event.id, event.lease; }) {
            see(after, event.id, event.lease, now);
          } else if constexpr (std::is_same_v<Told, TaskCancelRequested>) {
            see(after, event.id, after.tasks.all.find(event.id)->lease, now);
          }
        },
        recorded.event.body);
  }
}

// As the state has it, in which it may be over already.
void RemoteAttempts::add(const State& state, TaskId id, SteadyTime now) {
  const RemoteLease* lease = state.tasks.remote.find(id);
  if (lease == nullptr) return;
  const Task& task = *state.tasks.all.find(id);
  Remote remote{.id = id,
                .lease_time = lease->time,
                .deadline = task.timeout > Duration(0) ? task.started_at + task.timeout : Time(),
                .until = now + lease->time,
                .is_cancelled = task.state == TaskState::cancelling};
  const auto [entry, added] = all_.try_emplace(task.lease, remote);
  if (!added) return;
  silent_.emplace(remote.until, task.lease);
  if (remote.deadline != Time()) deadlines_.emplace(remote.deadline, task.lease);
}

// An event that speaks of the attempt: it has ended, or is told to stop.
void RemoteAttempts::see(const State& after, TaskId id, Lease lease, SteadyTime now) {
  const auto entry = all_.find(lease);
  if (entry == all_.end()) return;
  const Task* task = after.tasks.all.find(id);
  if (task == nullptr || task->lease != lease) return remove(entry);
  Remote& remote = entry->second;
  if (task->state != TaskState::cancelling || remote.is_cancelled) return;
  remote.is_cancelled = true;
  extend(lease, remote, now + remote.lease_time);
}

LeaseStatus RemoteAttempts::heard(TaskId id, Lease lease, SteadyTime now) {
  if (!holds(id, lease)) return LeaseStatus::gone;
  Remote& remote = all_.find(lease)->second;
  if (remote.is_cancelled) return LeaseStatus::cancelled;
  extend(lease, remote, now + remote.lease_time);
  return LeaseStatus::held;
}

void RemoteAttempts::renew(SteadyTime now) {
  for (auto& [lease, remote] : all_) extend(lease, remote, now + remote.lease_time);
}

bool RemoteAttempts::holds(TaskId id, Lease lease) const {
  const auto entry = all_.find(lease);
  return entry != all_.end() && entry->second.id == id;
}

std::optional<RemoteAttempts::Over> RemoteAttempts::remove_over(Time now, SteadyTime steady_now) {
  const bool is_late = !deadlines_.empty() && deadlines_.begin()->first <= now;
  const bool is_silent = !silent_.empty() && silent_.begin()->first <= steady_now;
  if (!is_late && !is_silent) return std::nullopt;
  const auto entry = all_.find(is_late ? deadlines_.begin()->second : silent_.begin()->second);
  const Over over{entry->second.id, entry->first, is_late};
  remove(entry);
  return over;
}

std::optional<Time> RemoteAttempts::next_deadline() const {
  return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

std::optional<SteadyTime> RemoteAttempts::next_silence() const {
  return silent_.empty() ? std::nullopt : std::optional(silent_.begin()->first);
}

void RemoteAttempts::extend(Lease lease, Remote& remote, SteadyTime until) {
  auto entry = silent_.extract({remote.until, lease});
  entry.value().first = remote.until = until;
  silent_.insert(std::move(entry));
}

void RemoteAttempts::remove(All::iterator entry) {
  const auto& [lease, remote] = *entry;
  silent_.erase({remote.until, lease});
  deadlines_.erase({remote.deadline, lease});
  all_.erase(entry);
}

}  // namespace almanac
