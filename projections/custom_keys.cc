#include <almanac/projections/custom_keys.h>

#include <almanac/log/hash.h>
#include <almanac/projections/limits.h>
#include <almanac/projections/tasks.h>

namespace almanac {
namespace {

// Little-endian, so that it is the same number everywhere.
std::uint64_t custom_number_at(const Digest& digest, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    number |= std::to_integer<std::uint64_t>(digest[at + i]) << (8 * i);
  }
  return number;
}

}  // namespace

CustomKey custom_key(std::string_view text) {
  const Digest digest = blake2b(as_bytes(text));
  return {custom_number_at(digest, 0), custom_number_at(digest, 8)};
}

std::uint64_t content_hash_of(const CustomEvent& event) {
  Hasher hasher;
  hasher.text(event.type);
  hasher.bytes(event.data);
  return custom_number_at(hasher.finish(), 0);
}

bool fold(CustomKeys& keys, const EventPlace& place, const CustomEvent& event) {
  if (place.idempotency_key.empty()) return true;
  const CustomKey key = custom_key(place.idempotency_key);
  if (!keys.uses.insert(key, {place.position, content_hash_of(event)})) return true;
  keys.by_position.set(place.position, key);
  if (keys.uses.size() <= limits::custom_keys_max) return true;
  const auto oldest = *keys.by_position.first();
  const Position position = oldest.key;
  keys.uses.erase(CustomKey(oldest.value));
  keys.by_position.erase(position);
  return true;
}

std::vector<std::string> broken_keys(const CustomKeys& keys, Position last) {
  std::vector<std::string> broken;
  const auto at = [](Position position) {
    return "the key of custom event " + std::to_string(position.value);
  };
  if (keys.uses.size() != keys.by_position.size() || keys.uses.size() > limits::custom_keys_max) {
    broken.push_back("there are " + std::to_string(keys.uses.size()) + " keys of custom events, " +
                     std::to_string(keys.by_position.size()) + " of them in order");
  }
  for (const auto& [position, key] : keys.by_position) {
    const CustomUse* use = keys.uses.find(key);
    if (use == nullptr || use->position != position) {
      broken.push_back(at(position) + " stands for another event");
    }
    if (position > last) broken.push_back(at(position) + " is yet to be used");
  }
  return broken;
}

}  // namespace almanac
