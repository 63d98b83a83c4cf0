#include <almanac/projections/demand_sets.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

namespace almanac {
namespace {

static_assert(sizeof(LimitDemand) == 8 && std::has_unique_object_representations_v<LimitDemand>);
static_assert(std::endian::native == std::endian::little, "as the log is, so that texts are equal");

std::string text_of(std::vector<LimitDemand> demands) {
  std::ranges::sort(demands);
  std::vector<LimitDemand> merged;
  for (const LimitDemand& demand : demands) {
    if (demand.units == 0) continue;
    if (merged.empty() || merged.back().limit != demand.limit) {
      merged.push_back(demand);
    } else {
      auto& units = merged.back().units;
      units += std::min(demand.units, std::numeric_limits<std::uint32_t>::max() - units);
    }
  }
  std::string text(merged.size() * sizeof(LimitDemand), '\0');
  if (!text.empty()) std::memcpy(text.data(), merged.data(), text.size());
  return text;
}

}  // namespace

DemandsId DemandSets::intern(std::vector<LimitDemand> demands) {
  const std::string text = text_of(std::move(demands));
  if (text.empty()) return {};
  if (table_.size() == 0) table_.intern("");
  return {table_.intern(text).value};
}

std::optional<DemandsId> DemandSets::find(std::vector<LimitDemand> demands) const {
  const std::string text = text_of(std::move(demands));
  if (text.empty()) return DemandsId();
  const auto number = table_.find(text);
  return number ? std::optional(DemandsId{number->value}) : std::nullopt;
}

std::vector<LimitDemand> DemandSets::of(DemandsId id) const {
  if (!id) return {};
  const std::string_view text = table_.text({id.value});
  std::vector<LimitDemand> demands(text.size() / sizeof(LimitDemand));
  std::memcpy(demands.data(), text.data(), text.size());
  return demands;
}

bool DemandSets::add_text(std::string_view text) {
  const bool is_set = text.size() % sizeof(LimitDemand) == 0 && text.empty() == (size() == 0);
  return is_set && table_.intern(text).value + 1 == size();
}

}  // namespace almanac
