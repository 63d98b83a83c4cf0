#include <almanac/projections/queues.h>

namespace almanac {

void Queues::hash_into(StateHasher& hasher) const {
  hasher.number(slots.size());
  for (const auto& [queue, count] : slots) {
    hasher.number(queue.value);
    hasher.number(count);
  }
  // Came later: without any the digest is what it was.
  if (retention.empty()) return;
  constexpr std::uint64_t part = 0x72657461696e;  // "retain"
  hasher.number(part);
  hasher.number(retention.size());
  for (const auto& [queue, kept] : retention) {
    hasher.number(queue.value);
    for (const Duration time : {kept.succeeded, kept.failed, kept.cancelled}) {
      hasher.number(static_cast<std::uint64_t>(time.count()));
    }
  }
}

QueueRetention retention_of(const Queues& queues, NameId queue) {
  const QueueRetention* found = queues.retention.find(queue);
  return found == nullptr ? QueueRetention() : *found;
}

bool fold(Queues& queues, Names& names, const QueueConfigured& event) {
  const NameId queue = names.intern(event.queue);
  queues.slots.set(queue, event.slots);
  if (event.retention == QueueRetention()) {
    queues.retention.erase(queue);
  } else {
    queues.retention.set(queue, event.retention);
  }
  return true;
}

}  // namespace almanac
