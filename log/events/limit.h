// The events of the limit domain as C++ sees them.
#pragma once

#include <almanac/log/events/task.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <string_view>

namespace almanac {

// How much there is of something that tasks ask for while they run. With nothing set the limit is
// lifted.
struct LimitConfigured {
  std::string_view name;
  std::uint64_t units = 0;       // in use at once; 0 = any number
  std::uint32_t per_minute = 0;  // tokens that come back; 0 = at no rate
  std::uint32_t burst = 0;       // tokens at most
};

// By the program, without a task.
struct TokensTaken {
  std::string_view limit;
  std::uint32_t tokens = 0;
  Time until;  // set: the service has said that there are none before
};

// What the first task of a lane waits for.
enum class LaneBlock : std::uint8_t {
  slots,        // of the engine
  queue_slots,  // of its queue
  units,        // of a limit
  tokens,       // of a limit
  too_large,    // it asks for more than the limit has
  behind,       // what is left of a limit is kept for a task in front of it
  handler,      // nothing in this engine runs its kind, and no worker asks for it
  unavailable,  // nothing that runs its kind can be used
  circuit,      // of a service it needs is not closed
  version,      // what runs its kind runs other versions
  model,        // is not loaded, or gives way to another
  gpu_memory,   // no GPU has as much as it asks for, or that is kept for another
};
inline constexpr int lane_block_count = 12;
[[nodiscard]] std::string_view name(LaneBlock block);

// What the tasks of one queue, kind, set of demands and version wait for has changed.
struct LaneBlocked {
  std::string_view queue;
  std::string_view kind;
  DemandListView demands;
  LaneBlock reason = LaneBlock::slots;
  std::string_view limit;  // the one that is short, the service or the model; empty = none is
  Time next;               // when it can change at the earliest; not set = when something ends
  std::uint32_t version = 0;
};

}  // namespace almanac
