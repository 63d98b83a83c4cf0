// What the oracle knows of tasks that are the same work: of which there may not be two.
#include <almanac/tests/simulation/oracle.h>

namespace almanac::test {
// A cancel for the sake of the task that comes next, which is known by the same.
bool Oracle::is_replaced(TaskId id, std::string_view reason) {
  if (reason != "replaced by " + text(TaskId(tasks_.size() + 1))) return false;
  const TaskIdentity& identity = record(id).unique.identity;
  require(identity && (!replaced_ || replaced_ == identity), text(id) + " is replaced by another");
  replaced_ = identity;
  return true;
}

void Oracle::judge_unique(const TaskEnqueued& event) {
  const auto& [identity, until, within] = event.unique;
  require(!replaced_ || replaced_ == identity, text(event.id) + " replaces what it is not");
  replaced_.reset();
  if (!identity) return;
  const bool may_overlap = until == UniqueUntil::started || until == UniqueUntil::enqueued;
  const Record* last = nullptr;
  for (const auto& [id, other] : tasks_) {
    if (id == event.id || other.unique.identity != identity) continue;
    last = &other;
    if (other.ended || until == UniqueUntil::enqueued) continue;
    const bool runs = may_overlap && other.lease;
    const bool awaits = other.must_be_cancelled && tasks_[event.id].dependencies.contains(id);
    require(runs || awaits, text(event.id) + " is the same work as " + text(id));
  }
  if (last == nullptr || last->forgotten || replacing_.contains(std::string(event.label))) return;
  require(now_.event.at - last->enqueued_at >= within,
          text(event.id) + " is enqueued within the time of the last one");
  require(until != UniqueUntil::succeeded || last->ended != TaskState::failed,
          text(event.id) + " is enqueued though the last one has failed");
}

// Unless they may overlap, it is the only one.
void Oracle::judge_alone(TaskId id, const Record& task) const {
  const auto until = task.unique.until;
  if (!task.unique || until == UniqueUntil::started || until == UniqueUntil::enqueued) return;
  for (const auto& [other, record] : tasks_) {
    const bool is_earlier = other < id && record.unique.identity == task.unique.identity;
    require(!is_earlier || !record.lease, text(id) + " starts while " + text(other) + " runs");
  }
}

void Oracle::judge_retry(TaskId id, const Record& task) const {
  for (const auto& [other, record] : tasks_) {
    const bool is_same =
        other != id && task.unique && record.unique.identity == task.unique.identity;
    require(!is_same || record.ended, text(id) + " is retried beside " + text(other));
  }
}

}  // namespace almanac::test
