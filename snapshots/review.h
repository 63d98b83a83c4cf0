// Review: tasks that went on behind the moment a log was restored to. Their work may have been
// done, so none of them runs before somebody has decided.
#pragma once

#include <almanac/projections/state.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

enum class ReviewDecision : std::uint8_t {
  run,     // as if it had not gone on
  skip,    // it counts as succeeded where it had succeeded, else it is cancelled
  accept,  // it counts as succeeded
};
inline constexpr int review_decision_count = 3;
[[nodiscard]] std::string_view name(ReviewDecision decision);
[[nodiscard]] std::optional<ReviewDecision> review_decision_from(std::string_view name);

// The event that carries a decision out. Its views live for ever.
[[nodiscard]] EventBody reviewed(TaskId id, const Hold& hold, ReviewDecision decision);

// What became, in the log that a state is of, of the tasks that had not ended then. A value; O(1)
// to begin, what folding costs for an event.
class Aftermath {
 public:
  explicit Aftermath(State moment) : moment_(std::move(moment)), now_(moment_) {}

  // The events behind the moment, in order.
  void see(const RecordedEvent& event);
  // Behind the last of them.
  [[nodiscard]] const State& now() const { return now_; }
  // What else happened cannot be known: every task that had not ended may have gone on.
  void lose_sight() { is_all_ = false; }

  // Those to be reviewed, by number: they ran at the moment, or were started or ended behind it.
  // Not those that ended because what they depend on did: nothing was done for them. Nor those that
  // had been told to stop, for a cancel is final.
  [[nodiscard]] std::vector<TaskHeld> held() const;

 private:
  [[nodiscard]] bool is_live(TaskId id) const;
  void end(TaskId id, Position at, TaskOutcome outcome);

  State moment_;
  State now_;
  std::map<TaskId, Hold> later_;
  bool is_all_ = true;
};

// The first events of a log that was restored to `moment`: what had been told to stop is cancelled,
// `held` are held and, with a decision, not for long, and no engine runs. At the time `at`.
[[nodiscard]] std::vector<Event> review_events(const State& moment,
                                               const std::vector<TaskHeld>& held,
                                               std::optional<ReviewDecision> decision, Time at);

}  // namespace almanac
