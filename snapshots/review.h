// Review: tasks that went on behind the moment a log was restored to. Their work may have been
// done, so none of them runs before somebody has decided.
#pragma once

#include <almanac/projections/state.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
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
// to begin and for an event, and for each of these tasks that went on some 100 bytes. Events are
// taken at their word: those of a log that Almanac wrote do not contradict each other.
class Aftermath {
 public:
  explicit Aftermath(State moment) : moment_(std::move(moment)), live_(moment_.tasks.live()) {}

  // The events behind the moment, in order.
  void see(const RecordedEvent& event);
  // Whether all these tasks have ended: the events that are left tell nothing new.
  [[nodiscard]] bool is_complete() const { return live_ == 0; }
  // What else happened cannot be known: every task that had not ended may have gone on.
  void lose_sight() { is_all_ = false; }

  // Those to be reviewed, by number: they ran at the moment, or were started or ended behind it.
  // Not those that ended because what they depend on did: nothing was done for them. Nor those that
  // had been told to stop, for a cancel is final.
  [[nodiscard]] std::vector<TaskHeld> held() const;

 private:
  struct Later {
    Hold hold;    // says nothing when the task ended because what it depends on did
    Lease lease;  // of the attempt that was started last
    bool has_ended = false;
  };
  [[nodiscard]] bool is_live(TaskId id) const;
  void start(TaskId id, Position at);
  void end(TaskId id, std::optional<Lease> lease, Position at, TaskOutcome outcome);

  State moment_;
  std::uint64_t live_;  // tasks that had not ended then, and have not since
  std::unordered_map<TaskId, Later> later_;
  bool is_all_ = true;
};

// The first events of a log that was restored to `moment`: what had been told to stop is cancelled,
// `held` are held and, with a decision, not for long, and no engine runs. At the time `at`.
[[nodiscard]] std::vector<Event> review_events(const State& moment,
                                               const std::vector<TaskHeld>& held,
                                               std::optional<ReviewDecision> decision, Time at);

}  // namespace almanac
