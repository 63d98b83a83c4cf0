// What queues have of their own: slots, and how long their ended tasks are kept. A queue exists as
// soon as a task names it. Its policy is in ranking.h, where the order is that hangs on it.
#pragma once

#include <almanac/log/events/queue.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>

namespace almanac {

// A value; O(1) copy. Changed by fold() alone.
struct Queues {
  PersistentMap<NameId, std::uint32_t> slots;       // 0 = as many as the engine has
  PersistentMap<NameId, QueueRetention> retention;  // of those that have some of their own

  void hash_into(StateHasher& hasher) const;
};

// What it has of its own.
[[nodiscard]] QueueRetention retention_of(const Queues& queues, NameId queue);

bool fold(Queues& queues, Names& names, const QueueConfigured& event);

}  // namespace almanac
