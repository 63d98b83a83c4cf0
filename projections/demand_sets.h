// What tasks ask for beside a slot: sets of limits and units, each set once, with a small number to
// refer to it by. Numbers are given in order of first appearance in the log; 0 is the empty set.
#pragma once

#include <almanac/projections/names.h>
#include <almanac/projections/text_table.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

struct DemandsId {
  std::uint32_t value = 0;
  auto operator<=>(const DemandsId&) const = default;
  explicit operator bool() const { return value != 0; }
};

struct LimitDemand {
  NameId limit;
  std::uint32_t units = 0;
  auto operator<=>(const LimitDemand&) const = default;
};

// A value; O(1) copy.
class DemandSets {
 public:
  // In any order; those of one limit are added up, to UINT32_MAX, and those of 0 units left out.
  DemandsId intern(std::vector<LimitDemand> demands);
  [[nodiscard]] std::optional<DemandsId> find(std::vector<LimitDemand> demands) const;
  // By limit, each once. The number must be one of these.
  [[nodiscard]] std::vector<LimitDemand> of(DemandsId id) const;
  [[nodiscard]] bool contains(DemandsId id) const { return id.value == 0 || id.value < size(); }

  // Number 0 included, once there is another.
  [[nodiscard]] std::size_t size() const { return table_.size(); }
  // As they are stored and hashed: 8 bytes for each demand.
  [[nodiscard]] std::string_view text(DemandsId id) const { return table_.text({id.value}); }
  // The next one, of text(). False when that is none.
  bool add_text(std::string_view text);

 private:
  TextTable table_;
};

}  // namespace almanac
