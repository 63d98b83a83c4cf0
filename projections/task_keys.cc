#include <almanac/projections/task_keys.h>

namespace almanac {

void TaskKeys::hash_into(StateHasher& hasher) const {
  hasher.number(size());
  for (const auto& [key, keyed] : *this) {
    hasher.text(key);
    hasher.number(keyed.id.value);
    hasher.number(keyed.content_hash);
  }
}

}  // namespace almanac
