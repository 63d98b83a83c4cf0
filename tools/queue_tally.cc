#include <almanac/tools/queue_tally.h>

#include <almanac/projections/persistent/diff.h>

#include <algorithm>

namespace almanac {

// Comparing costs some three times what counting does, for each entry that it comes to.
void QueueTally::move_to(const State& state) {
  const std::uint64_t apart = std::max(position_.value, state.position.value) -
                              std::min(position_.value, state.position.value);
  if (apart > state.tasks.all.size() / 4) {
    counts_.clear();
    for (const auto& [id, task] : state.tasks.all) {
      ++counts_[task.queue][static_cast<std::size_t>(task.state)];
    }
  } else {
    diff(tasks_, state.tasks.all, [&](TaskId, const Task* was, const Task* is) {
      if (was != nullptr) --counts_[was->queue][static_cast<std::size_t>(was->state)];
      if (is != nullptr) ++counts_[is->queue][static_cast<std::size_t>(is->state)];
    });
  }
  position_ = state.position;
  tasks_ = state.tasks.all;
}

std::map<std::string_view, QueueCounts> QueueTally::of(const State& state) {
  const std::lock_guard guard(mutex_);
  if (state.position != position_) move_to(state);
  std::map<std::string_view, QueueCounts> named;
  for (const auto& [queue, slots] : state.queues.slots) named[state.names.text(queue)] = {};
  for (const auto& [queue, policy] : state.tasks.ranking.policies) {
    named[state.names.text(queue)] = {};
  }
  for (const auto& [queue, counts] : counts_) {
    if (counts != QueueCounts{}) named[state.names.text(queue)] = counts;
  }
  return named;
}

}  // namespace almanac
