// The inline projections of one engine, kept where what is published is.
#pragma once

#include <almanac/engine/inline_projection.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/projection_checkpoints.h>

#include <filesystem>
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

  // Folds the next durable events and gives the values behind them.
  [[nodiscard]] std::vector<Publication::Value> fold(std::span<const RecordedEvent> events);
  [[nodiscard]] std::vector<Publication::Value> values() const;
  // Writes checkpoints of what has none. Says so when it cannot.
  void keep();

 private:
  struct One {
    AnyInlineProjection projection;
    ProjectionCheckpoints checkpoints;
    ReachedValue reached;
    Position kept = {};  // the newest checkpoint
    std::optional<Error> failure = {};
  };
  static void keep(One& one);

  std::vector<One> all_;
};

}  // namespace almanac
