// Settings of things that have names: of one by its own name, of a family ("customer:*" of every
// "customer:…"), or of all ("*").
#pragma once

#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>

#include <string>
#include <string_view>

namespace almanac {

[[nodiscard]] inline bool is_family(std::string_view name) { return name.ends_with('*'); }

template <class Setting>
[[nodiscard]] const Setting* find_setting(const PersistentMap<NameId, Setting>& settings,
                                          const Names& names, std::string_view name) {
  const auto id = names.find(name);
  return id ? settings.find(*id) : nullptr;
}

// Of the family that a name is of; none where it is of none, or that has no setting.
template <class Setting>
[[nodiscard]] const Setting* find_family_setting(const PersistentMap<NameId, Setting>& settings,
                                                 const Names& names, std::string_view name) {
  const auto colon = name.find(':');
  if (colon == std::string_view::npos) return nullptr;
  return find_setting(settings, names, std::string(name.substr(0, colon + 1)) + "*");
}

}  // namespace almanac
