// Inline projections: values of the program that embeds the engine, folded from the same events as
// the scheduler's state and published with it in one step, so that who sees the state at a position
// sees them at the same one. projection.h in snapshots/ has those that follow on a thread of their
// own.
//
//   const almanac::InlineProjection<Totals> totals({.name = "totals", .fold = …});
//   auto engine = almanac::Engine::open({.folder = "work", .projections = {totals}});
//   auto seen = (*engine)->published();
//   auto value = totals.in(*seen);  // at seen->state.position
//
// A compiled example is examples/inline_projection.cc.
#pragma once

#include <almanac/projections/state.h>
#include <almanac/snapshots/projection_spec.h>

#include <any>
#include <concepts>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {

// What the engine publishes in one step: the state, and at its position the values of inline
// projections, which InlineProjection::in gives out. Immutable; keep it as long as you like.
struct Publication {
  struct Value {
    std::shared_ptr<const void> projection;  // which one it is of
    std::any value;
    std::optional<Error> failure = {};  // then there is no value
  };

  State state;
  std::vector<Value> values;
};

// A projection of any type, as the engine takes it.
class AnyInlineProjection {
 public:
  struct Definition {
    ProjectionName name;
    std::unique_ptr<const ProjectedValue> initial;  // none when the spec has no fold
  };
  [[nodiscard]] const std::shared_ptr<const Definition>& definition() const { return definition_; }

 protected:
  explicit AnyInlineProjection(Definition definition)
      : definition_(std::make_shared<const Definition>(std::move(definition))) {}
  // Errors: invalid (the engine was not opened with it), and why it was given up.
  [[nodiscard]] Result<std::any> find_in(const Publication& published) const;

 private:
  std::shared_ptr<const Definition> definition_;
};

// Given to engines in EngineOptions::projections, and asked for its value in what they publish. A
// value that copies cheaply; any thread.
//
// The fold runs where Engine::open is called, for what the log has already, and then on the
// engine's thread, for events that are on disk: it must return soon and must not call the engine.
// Publishing copies the value, so make it of the containers in projections/persistent when it grows
// large.
//
// A fold that throws ends its projection, not the engine: from there on in() gives the error, until
// an engine is opened with one that takes every event.
//
// With `encode` and `decode`, checkpoints are kept in DIR/projections: by
// EngineOptions::checkpoints as events come, on a thread of their own that copies of the value are
// shown to; one when the engine ends, and one when it is opened with many events behind the last.
// An engine that was killed folds again what came behind. Where the log was trimmed, a projection
// without a checkpoint fails: not_found.
template <std::copyable Value>
class InlineProjection : public AnyInlineProjection {
 public:
  explicit InlineProjection(ProjectionSpec<Value> spec)
      : AnyInlineProjection(definition_of(std::move(spec))) {}

  // The value at published.state.position. O(inline projections). Errors: invalid (the engine was
  // not opened with this one), corrupt (`fold` threw, damage), not_found (see above).
  [[nodiscard]] Result<std::shared_ptr<const Value>> in(const Publication& published) const {
    auto found = find_in(published);
    if (!found) return std::unexpected(found.error());
    return std::any_cast<std::shared_ptr<const Value>>(*std::move(found));
  }

 private:
  static Definition definition_of(ProjectionSpec<Value> spec) {
    Definition definition{.name = {spec.name, spec.version}, .initial = nullptr};
    if (spec.fold) definition.initial = std::make_unique<HeldValue<Value>>(std::move(spec));
    return definition;
  }
};

}  // namespace almanac
