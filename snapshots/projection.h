// A projection of the program that embeds Almanac: a value of its own, folded from the same log as
// the scheduler's state, with the same promises. It follows the log on a thread of its own, is kept
// in checkpoints so that a start costs only what is new, can be seen as it was at any position, and
// is built anew beside the old one when its version changes.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/projection_follower.h>
#include <almanac/snapshots/projection_spec.h>

#include <any>
#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <utility>

namespace almanac {

// A value and the last event in it.
template <class Value>
struct Projected {
  Value value;
  Position position;
  std::uint32_t version = 0;  // of the projection that made it
};

// Owned by the program; ends before its log does. Any thread may call.
template <std::copyable Value>
class Projection {
 public:
  // Begins to follow the log. Errors: invalid (the name, the version, no fold).
  [[nodiscard]] static Result<std::unique_ptr<Projection>> open(const Log& log,
                                                                ProjectionOptions options,
                                                                ProjectionSpec<Value> spec) {
    if (!spec.fold) return fail(ErrorCode::invalid, "a projection has no fold", "give it one");
    const ProjectionName name{spec.name, spec.version};
    auto follower = ProjectionFollower::open(log, std::move(options), name,
                                             std::make_unique<HeldValue<Value>>(std::move(spec)));
    if (!follower) return std::unexpected(follower.error());
    return std::unique_ptr<Projection>(new Projection(std::move(*follower)));
  }

  // What was published last: the initial value until there was something. Never goes back to an
  // earlier position, also when the version changes. O(1) beside the copy.
  [[nodiscard]] Projected<Value> now() const { return given(follower_->now()); }
  // Waits until what is published holds the event at `position`, it ends, or the time is up; true
  // in the first case.
  [[nodiscard]] bool wait_for(Position position, std::chrono::milliseconds wait_max) const {
    return follower_->wait_for(position, wait_max);
  }
  // As it was: from the newest checkpoint in front of it, or the log's first event. O(events on the
  // way). Errors: not_found (the log ends before, or was trimmed behind all that is kept), corrupt
  // (damage on the way; `fold` threw), those of Log::read.
  [[nodiscard]] Result<Projected<Value>> at(Position position) const {
    auto seen = follower_->at(position);
    if (!seen) return std::unexpected(seen.error());
    return given(*seen);
  }

  // Builds another version in the background, while this one is kept up to date. Once the new one
  // has come as far, now() gives it instead; when it fails, the old one stays. A third version
  // takes the place of one that is being built. Errors: invalid (another name, the same version).
  [[nodiscard]] Result<void> replace(ProjectionSpec<Value> spec) {
    if (!spec.fold) return fail(ErrorCode::invalid, "a projection has no fold", "give it one");
    const ProjectionName name{spec.name, spec.version};
    return follower_->replace(name, std::make_unique<HeldValue<Value>>(std::move(spec)));
  }

  // Why it does not follow any more, or the version that should replace it did not come to it.
  [[nodiscard]] std::optional<Error> failure() const { return follower_->failure(); }
  // Why the last checkpoint could not be written; it follows nevertheless.
  [[nodiscard]] std::optional<Error> checkpoint_failure() const {
    return follower_->checkpoint_failure();
  }

 private:
  explicit Projection(std::unique_ptr<ProjectionFollower> follower)
      : follower_(std::move(follower)) {}
  static Projected<Value> given(const ProjectionFollower::Seen& seen) {
    return {*std::any_cast<std::shared_ptr<const Value>>(seen.value), seen.position, seen.version};
  }

  std::unique_ptr<ProjectionFollower> follower_;
};

}  // namespace almanac
