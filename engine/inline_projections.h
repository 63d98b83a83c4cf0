// The inline projections of one engine, kept where what is published is.
#pragma once

#include <almanac/engine/inline_projection.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/checkpoint_policy.h>
#include <almanac/snapshots/projection_checkpoints.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <future>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

// Owned by the engine. One thread at a time: the one that opens it, then the loop's.
class InlineProjections {
 public:
  InlineProjections() = default;  // of an engine that has none
  // Brings them to `through`; the log must outlive it. One that does not come there has failed,
  // and the others serve. Errors: invalid (a name, a version, no fold, a name twice).
  [[nodiscard]] static Result<InlineProjections> open(
      const Log& log, const std::filesystem::path& folder,
      std::span<const AnyInlineProjection> projections, Position through);
  // From now on fold() has checkpoints written as well, by the events and the period of the policy:
  // one at a time, on a thread of its own.
  void keep_by(const CheckpointPolicy& policy) { policy_ = policy; }

  // Folds the next durable events and gives the values behind them.
  [[nodiscard]] std::vector<Publication::Value> fold(std::span<const RecordedEvent> events);
  [[nodiscard]] std::vector<Publication::Value> values() const;
  // Writes checkpoints of what has none. Says so when it cannot.
  void keep();

 private:
  using Clock = std::chrono::steady_clock;
  struct One {
    AnyInlineProjection projection;
    ProjectionCheckpoints checkpoints;
    ReachedValue reached;
    Position kept = {};  // the newest checkpoint, or one that could not be written
    std::optional<Error> failure = {};
    Clock::time_point kept_at = Clock::now();
  };
  static void keep(One& one);
  [[nodiscard]] bool is_due(const One& one, Clock::time_point now) const;
  void keep_due();
  void finish_writing();

  std::vector<One> all_;
  std::optional<CheckpointPolicy> policy_;  // none: nothing is written but by keep()
  std::future<Result<void>> writing_;       // of that one:
  std::size_t written_ = 0;
  Position kept_before_;
};

}  // namespace almanac
