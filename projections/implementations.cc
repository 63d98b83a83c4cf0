#include <almanac/projections/implementations.h>

#include <almanac/projections/tasks.h>

#include <array>

namespace almanac {
namespace {

using Places = PersistentMap<ImplementationPlace, ImplementationStatus>;

auto place_of(const Places& all, NameId kind, NameId name) {
  auto entry = all.lower_bound({kind, 0});
  while (entry != all.end() && entry->key.kind == kind && entry->value.name != name) ++entry;
  return entry != all.end() && entry->key.kind == kind ? entry : all.end();
}

// Sets since when the implementation that an event names cannot be used.
bool mark(Implementations& implementations, const Names& names, std::string_view kind,
          std::string_view implementation, const EventPlace& left) {
  const auto of = names.find(kind);
  const auto name = names.find(implementation);
  if (!of || !name) return false;
  const auto found = place_of(implementations.all, *of, *name);
  if (found == implementations.all.end()) return false;
  if (bool(found->value.left) == bool(left.position)) return false;
  ImplementationStatus& status = *implementations.all.edit(ImplementationPlace(found->key));
  status.left = left.position;
  status.left_at = left.at;
  return true;
}

void hash_all(StateHasher& hasher,
              const PersistentMap<ImplementationPlace, ImplementationStatus>& all) {
  constexpr std::uint64_t part = 0x696d706c;  // "impl"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [place, status] : all) {
    hasher.numbers(std::array{
        std::uint64_t{place.kind.value}, std::uint64_t{place.place},
        std::uint64_t{status.name.value}, std::uint64_t{status.attempts}, status.left.value,
        static_cast<std::uint64_t>(status.left_at.time_since_epoch().count())});
  }
}

void hash_versions(StateHasher& hasher, const PersistentMap<NameId, VersionRange>& versions) {
  constexpr std::uint64_t part = 0x6b76657273;  // "kvers"
  hasher.number(part);
  hasher.number(versions.size());
  for (const auto& [kind, range] : versions) {
    hasher.numbers(
        std::array{std::uint64_t{kind.value}, std::uint64_t{range.min}, std::uint64_t{range.max}});
  }
}

}  // namespace

const ImplementationStatus* Implementations::find(NameId kind, NameId name) const {
  const auto found = place_of(all, kind, name);
  return found == all.end() ? nullptr : &found->value;
}

std::optional<NameId> Implementations::usable(NameId kind, std::optional<NameId> after) const {
  bool is_behind = !after || find(kind, *after) == nullptr;
  for (auto entry = all.lower_bound({kind, 0}); entry != all.end() && entry->key.kind == kind;
       ++entry) {
    const ImplementationStatus& status = entry->value;
    if (is_behind && !status.left) return status.name;
    if (status.name == after) is_behind = true;
  }
  return std::nullopt;
}

VersionRange Implementations::versions_of(NameId kind) const {
  const VersionRange* range = versions.find(kind);
  return range == nullptr ? VersionRange() : *range;
}

bool Implementations::hold_back(NameId kind) const {
  if (all.empty()) return false;
  const auto first = all.lower_bound({kind, 0});
  return first != all.end() && first->key.kind == kind && !usable(kind);
}

// Where there are none nothing is hashed, as before there was such a thing.
void Implementations::hash_into(StateHasher& hasher) const {
  if (!all.empty()) hash_all(hasher, all);
  if (!versions.empty()) hash_versions(hasher, versions);
}

bool fold(Implementations& implementations, Names& names, const EventPlace&,
          const ImplementationsSet& event) {
  const NameId kind = names.intern(event.kind);
  const Implementations before = implementations;
  std::uint32_t place = 0;
  for (; place < event.implementations.size(); ++place) {
    const auto [name, attempts] = event.implementations[place];
    ImplementationStatus status{.name = names.intern(name), .attempts = attempts};
    if (const auto* known = before.find(kind, status.name)) {
      status.left = known->left;
      status.left_at = known->left_at;
    }
    implementations.all.set({kind, place}, status);
  }
  while (implementations.all.erase({kind, place})) ++place;
  if (event.versions == VersionRange()) {
    implementations.versions.erase(kind);
  } else {
    implementations.versions.set(kind, event.versions);
  }
  return true;
}

bool fold(Implementations& implementations, Names& names, const EventPlace& place,
          const ImplementationLeft& event) {
  return mark(implementations, names, event.kind, event.implementation, place);
}

bool fold(Implementations& implementations, Names& names, const EventPlace&,
          const ImplementationReturned& event) {
  return mark(implementations, names, event.kind, event.implementation, {});
}

}  // namespace almanac
