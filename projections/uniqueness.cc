#include <almanac/projections/uniqueness.h>

#include <array>

namespace almanac {

std::vector<TaskId> UniqueTasks::of(const TaskIdentity& identity) const {
  std::vector<TaskId> ids;
  for (auto entry = known.lower_bound(IdentityKey{identity});
       entry != known.end() && entry->identity == identity; ++entry) {
    ids.push_back(entry->id);
  }
  return ids;
}

void UniqueTasks::enter(TaskId id) {
  if (const Uniqueness* unique = all.find(id)) known.insert({unique->identity, id});
}

void UniqueTasks::leave(TaskId id) {
  if (const Uniqueness* unique = all.find(id)) known.erase(IdentityKey{unique->identity, id});
}

void UniqueTasks::end(TaskId id) {
  const Uniqueness* unique = all.find(id);
  if (unique != nullptr && known.lower_bound(IdentityKey{unique->identity})->id != id) leave(id);
}

// Where no task is unique nothing is hashed, as before there was such a thing.
void UniqueTasks::hash_into(StateHasher& hasher) const {
  if (empty()) return;
  constexpr std::uint64_t part = 0x756e69717565;  // "unique"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, unique] : all) {
    hasher.numbers(std::array{id.value, unique.identity.high, unique.identity.low,
                              std::uint64_t(unique.until), std::uint64_t(unique.within.count())});
  }
  hasher.number(known.size());
  for (const IdentityKey& key : known) {
    hasher.numbers(std::array{key.identity.high, key.identity.low, key.id.value});
  }
}

}  // namespace almanac
