// Every kind, queue and tag once, with a small number to refer to it by. Numbers are given in
// order of first appearance in the log, so they are the same wherever the log is folded.
#pragma once

#include <almanac/projections/state_hasher.h>
#include <almanac/projections/text_table.h>

#include <compare>
#include <cstdint>
#include <optional>
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
  NameId intern(std::string_view name) { return NameId{table_.intern(name).value}; }
  // O(log n); allocates nothing.
  [[nodiscard]] std::optional<NameId> find(std::string_view name) const;
  // Lives as long as this value, or a copy of it. The number must be one of this table's.
  [[nodiscard]] std::string_view text(NameId id) const { return table_.text({id.value}); }
  [[nodiscard]] bool contains(NameId id) const { return id.value < size(); }
  [[nodiscard]] std::size_t size() const { return table_.size(); }

  void hash_into(StateHasher& hasher) const;

 private:
  TextTable table_;
};

}  // namespace almanac
