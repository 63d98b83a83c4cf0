// What must happen outside once events are durable. Computed when they are decided, carried out
// when they are published.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/state.h>

#include <variant>
#include <vector>

namespace almanac {

struct BeginAttempt {
  TaskId id;
  Lease lease;
  std::uint32_t attempt = 0;
  Time deadline;      // not set = none
  Position enqueued;  // the event that holds kind and payload
};

struct CancelAttempt {
  Lease lease;
};

using Effect = std::variant<BeginAttempt, CancelAttempt>;

// The effects of one event; `after` is the state with it folded in.
void add_effects(const State& after, const RecordedEvent& event, std::vector<Effect>& effects);

}  // namespace almanac
