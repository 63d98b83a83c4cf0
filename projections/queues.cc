#include <almanac/projections/queues.h>

namespace almanac {

void Queues::hash_into(StateHasher& hasher) const {
  hasher.number(slots.size());
  for (const auto& [queue, count] : slots) {
    hasher.number(queue.value);
    hasher.number(count);
  }
}

bool fold(Queues& queues, Names& names, const QueueConfigured& event) {
  queues.slots.set(names.intern(event.queue), event.slots);
  return true;
}

}  // namespace almanac
