// The slots of queues that have some of their own. A queue exists as soon as a task names it. Its
// policy is in ranking.h, where the order is that hangs on it.
#pragma once

#include <almanac/log/events/queue.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>

namespace almanac {

// A value; O(1) copy. Changed by fold() alone.
struct Queues {
  PersistentMap<NameId, std::uint32_t> slots;  // 0 = as many as the engine has

  void hash_into(StateHasher& hasher) const;
};

bool fold(Queues& queues, Names& names, const QueueConfigured& event);

}  // namespace almanac
