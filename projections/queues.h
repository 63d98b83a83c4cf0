// The settings of queues that have some. A queue exists as soon as a task names it.
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
