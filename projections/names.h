// Every kind, queue and tag once, with a small number to refer to it by. Numbers are given in
// order of first appearance in the log, so they are the same wherever the log is folded.
#pragma once

#include <almanac/log/hash.h>
#include <almanac/log/types.h>
#include <almanac/projections/persistent/map.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

struct NameId {
  std::uint32_t value = 0;
  auto operator<=>(const NameId&) const = default;
};

// A value; O(1) copy.
class Names {
 public:
  // The number of a name, a fresh one when it is new. O(log n).
  NameId intern(std::string_view name);
  [[nodiscard]] std::optional<NameId> find(std::string_view name) const;
  // Lives as long as this value is not changed. The number must be one of this table's.
  [[nodiscard]] std::string_view text(NameId id) const;
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

  void hash_into(Hasher& hasher) const;

 private:
  PersistentMap<std::string, NameId> ids_;
  PersistentMap<std::uint32_t, std::string> texts_;
};

}  // namespace almanac
