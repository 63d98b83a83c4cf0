#include <almanac/projections/pauses.h>

namespace almanac {

// Where nothing is paused nothing is hashed, as before there was such a thing.
void Pauses::hash_into(StateHasher& hasher) const {
  if (all.empty()) return;
  constexpr std::uint64_t part = 0x7061757365;  // "pause"
  hasher.number(part);
  hasher.number(all.size());
  for (const PausedWork& work : all) {
    hasher.number(std::uint64_t(work.scope));
    hasher.number(work.name.value);
  }
}

bool fold(Pauses& pauses, Names& names, const WorkPaused& event) {
  return pauses.all.insert({event.scope, names.intern(event.name)});
}

bool fold(Pauses& pauses, Names& names, const WorkResumed& event) {
  const auto name = names.find(event.name);
  return name && pauses.all.erase({event.scope, *name});
}

}  // namespace almanac
