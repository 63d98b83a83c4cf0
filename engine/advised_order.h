// The order of dispatch with what an advisor has said in front of it.
//
// What was advised goes first, as far as it is still ready and nothing stands in its way; then the
// built-in order. Advice overtakes nobody for ever: as long as the first of the built-in order has
// waited for `overtaking_max`, it goes before all advice. So a task begins no later than that after
// it, and what the built-in order has in front of it, came: from then on that order alone decides.
#pragma once

#include <almanac/engine/dispatch.h>
#include <almanac/log/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string_view>

namespace almanac {

// Views; die with what was asked for it.
struct Advice {
  std::string_view advisor;
  std::span<const TaskId> order;  // may name what is not ready any more
  Duration overtaking_max{0};     // since a task was submitted, or was due
  bool holds_back = false;        // there is no advice, and without it nothing begins
};

// Looks at the state while it lives. Without advice it is the ReadyQueue, and costs as much.
class AdvisedOrder {
 public:
  struct Next {
    Lane lane;
    TaskId id;
    bool is_advised = false;
  };

  // Of the lanes that `takes` does not leave out. Without advice: none.
  AdvisedOrder(const State& state, Time now, const Advice* advice,
               const std::function<bool(const Lane&)>& takes);
  // None when there are no more, or none that may begin.
  [[nodiscard]] std::optional<Next> next();
  // The lane of the one that was given last takes no further part.
  void close_lane();
  // When one that was held back may begin.
  [[nodiscard]] std::optional<Time> due() const { return due_; }

 private:
  [[nodiscard]] const ReadyQueue::Next* front();
  [[nodiscard]] std::optional<Next> next_advised();
  [[nodiscard]] Time patient_until(TaskId id) const;
  Next give(const Next& next);

  const State& state_;
  const Time now_;
  const Advice* const advice_;
  std::set<Lane> open_;  // this and what is below is of use where there is advice
  ReadyQueue ready_;
  std::optional<ReadyQueue::Next> front_;  // of the built-in order, of those not given
  std::size_t advised_ = 0;                // the next of the advice
  std::set<TaskId> given_;
  Lane last_;
  std::optional<Time> due_;
};

}  // namespace almanac
