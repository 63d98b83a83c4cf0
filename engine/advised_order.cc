#include <almanac/engine/advised_order.h>

#include <algorithm>

namespace almanac {

AdvisedOrder::AdvisedOrder(const State& state, Time now, const Advice* advice,
                           const std::function<bool(const Lane&)>& takes)
    : state_(state), now_(now), advice_(advice), ready_(state, [&](const Lane& lane) {
        const bool is_open = takes(lane);
        if (is_open && advice_ != nullptr) open_.insert(lane);
        return is_open;
      }) {}

std::optional<AdvisedOrder::Next> AdvisedOrder::next() {
  if (advice_ == nullptr) {
    const auto next = ready_.next();
    return next ? std::optional(Next{next->lane, next->id}) : std::nullopt;
  }
  const ReadyQueue::Next* first = front();
  if (first == nullptr) return std::nullopt;
  if (const Time until = patient_until(first->id); now_ < until) {
    if (const auto advised = next_advised()) return give(*advised);
    if (advice_->holds_back) {
      due_ = until;
      return std::nullopt;
    }
  }
  return give({first->lane, first->id});
}

void AdvisedOrder::close_lane() {
  if (advice_ == nullptr) return ready_.close_lane();
  open_.erase(last_);
}

// A lane may have been closed, and a task given, since it was looked at.
const ReadyQueue::Next* AdvisedOrder::front() {
  while (true) {
    if (!front_) front_ = ready_.next();
    if (!front_) return nullptr;
    if (!open_.contains(front_->lane)) {
      ready_.close_lane();
    } else if (!given_.contains(front_->id)) {
      return &*front_;
    }
    front_.reset();
  }
}

std::optional<AdvisedOrder::Next> AdvisedOrder::next_advised() {
  while (advised_ < advice_->order.size()) {
    const TaskId id = advice_->order[advised_++];
    const Task* task = state_.tasks.all.find(id);
    if (task == nullptr || task->state != TaskState::ready || given_.contains(id)) continue;
    const Lane lane = lane_of(state_.tasks, id, *task);
    if (open_.contains(lane)) return Next{lane, id, true};
  }
  return std::nullopt;
}

Time AdvisedOrder::patient_until(TaskId id) const {
  const Task& task = *state_.tasks.all.find(id);
  return std::max(task.enqueued_at, task.run_at) + advice_->overtaking_max;
}

AdvisedOrder::Next AdvisedOrder::give(const Next& next) {
  given_.insert(next.id);
  last_ = next.lane;
  return next;
}

}  // namespace almanac
