// What the program that embeds Almanac says about a projection of its own. Used by projection.h and
// by the engine's inline projections.
#pragma once

#include <almanac/snapshots/projected_value.h>

#include <any>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

// What a projection is. `fold` is pure and total, as the scheduler's own is: it is called again for
// the same events whenever a value is rebuilt, on any thread, and must give the same. A changed
// `fold`, or changed bytes, ask for another version.
//
// A value is copied each time it is published and when it is asked for: make it of the containers
// in projections/persistent, of which a copy costs a pointer, when it grows large.
template <std::copyable Value>
struct ProjectionSpec {
  std::string name;           // letters, digits, '-' and '_'; at most 64
  std::uint32_t version = 1;  // not 0
  Value initial{};            // before the first event
  std::function<void(Value&, const RecordedEvent&)> fold;
  // For checkpoints. Without both of them every start folds the log from its first event.
  std::function<std::vector<std::byte>(const Value&)> encode = {};
  std::function<Result<Value>(Bytes)> decode = {};
};

// A value with its spec, as those see it that do not know its type.
template <std::copyable Value>
class HeldValue final : public ProjectedValue {
 public:
  explicit HeldValue(ProjectionSpec<Value> spec)
      : spec_(std::make_shared<const ProjectionSpec<Value>>(std::move(spec))),
        value_(spec_->initial) {}

  void fold(const RecordedEvent& event) override { spec_->fold(value_, event); }
  [[nodiscard]] std::any copy() const override { return std::make_shared<const Value>(value_); }
  [[nodiscard]] std::unique_ptr<ProjectedValue> initial() const override {
    auto other = std::make_unique<HeldValue>(*this);
    other->value_ = spec_->initial;
    return other;
  }
  [[nodiscard]] std::unique_ptr<ProjectedValue> clone() const override {
    return std::make_unique<HeldValue>(*this);
  }
  [[nodiscard]] bool has_bytes() const override { return spec_->encode && spec_->decode; }
  [[nodiscard]] std::vector<std::byte> encode() const override { return spec_->encode(value_); }
  [[nodiscard]] Result<void> decode(Bytes bytes) override {
    auto value = spec_->decode(bytes);
    if (!value) return std::unexpected(value.error());
    value_ = std::move(*value);
    return {};
  }

 private:
  std::shared_ptr<const ProjectionSpec<Value>> spec_;
  Value value_;
};

}  // namespace almanac
