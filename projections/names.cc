#include <almanac/projections/names.h>

#include <almanac/log/error.h>

namespace almanac {

NameId Names::intern(std::string_view name) {
  if (auto known = find(name)) return *known;
  NameId id{static_cast<std::uint32_t>(texts_.size())};
  ids_.set(std::string(name), id);
  texts_.set(id.value, std::string(name));
  return id;
}

std::optional<NameId> Names::find(std::string_view name) const {
  const NameId* id = ids_.find(name);
  return id == nullptr ? std::nullopt : std::optional(*id);
}

std::string_view Names::text(NameId id) const {
  const std::string* text = texts_.find(id.value);
  ALMANAC_CHECK(text != nullptr);
  return *text;
}

void Names::hash_into(Hasher& hasher) const {
  hasher.number(texts_.size());
  for (const auto& [id, text] : texts_) hasher.text(text);
}

}  // namespace almanac
