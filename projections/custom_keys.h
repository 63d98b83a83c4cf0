// The idempotency keys of the events of the embedding program (CustomEvent), so that an engine that
// is given one again stores it once. The newest ones; all events are in the log.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/types.h>
#include <almanac/projections/persistent/map.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// The first half of the BLAKE2b of a key's text: what is kept of it, so that keys of any length
// take as little.
struct CustomKey {
  std::uint64_t front = 0;
  std::uint64_t back = 0;
  auto operator<=>(const CustomKey&) const = default;
};
// Of a key that is not empty. Some 200 nanoseconds.
[[nodiscard]] CustomKey custom_key(std::string_view text);

// What a key stands for.
struct CustomUse {
  Position position;               // of the first event that had it
  std::uint64_t content_hash = 0;  // of that event
  bool operator==(const CustomUse&) const = default;
};
// Of type and data.
[[nodiscard]] std::uint64_t content_hash_of(const CustomEvent& event);

// A value; O(1) copy. Changed by fold() alone. Bounded: the newest limits::custom_keys_max. Not
// part of a state's digest: archives have digests of such logs that were made before this was
// known.
struct CustomKeys {
  PersistentMap<CustomKey, CustomUse> uses;
  PersistentMap<Position, CustomKey> by_position;  // of the same

  // nullptr when it was not used, or too long ago. O(log n).
  [[nodiscard]] const CustomUse* find(std::string_view text) const {
    return uses.empty() ? nullptr : uses.find(custom_key(text));
  }
  [[nodiscard]] bool empty() const { return uses.empty(); }
};

struct EventPlace;

// Of a key that is known the first use stays. Always true: what the program tells of itself
// contradicts nothing.
bool fold(CustomKeys& keys, const EventPlace& place, const CustomEvent& event);

// What contradicts itself, in words. O(n log n).
[[nodiscard]] std::vector<std::string> broken_keys(const CustomKeys& keys, Position last);

}  // namespace almanac
