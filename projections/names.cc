#include <almanac/projections/names.h>

namespace almanac {

std::optional<NameId> Names::find(std::string_view name) const {
  const auto number = table_.find(name);
  return number ? std::optional(NameId{number->value}) : std::nullopt;
}

void Names::hash_into(StateHasher& hasher) const {
  hasher.number(size());
  for (std::uint32_t id = 0; id < size(); ++id) hasher.text(text({id}));
}

}  // namespace almanac
