// Frames one behind the other in one value of the store, which wastes less of its pages than a
// value for each. Internal to the store.
#pragma once

#include <almanac/log/store.h>
#include <almanac/log/types.h>

#include <optional>
#include <span>
#include <vector>

namespace almanac {

// Goes through the frames of a value. Borrows it. What does not say where it ends, because it is
// damaged, is given as one frame with all that is behind it.
class Pack {
 public:
  Pack(Position first, Bytes value) : first_(first), rest_(value) {}

  [[nodiscard]] std::optional<Store::Frame> next();

 private:
  Position first_;
  Bytes rest_;
};

[[nodiscard]] std::vector<Store::Frame> frames_of(const Store::Frame& value);
[[nodiscard]] Store::Frame last_of(const Store::Frame& value);

// How many of these frames, from the first on, the next value takes.
[[nodiscard]] std::size_t pack_length(std::span<const Store::Frame> frames);

}  // namespace almanac
