// Everything known at one position, as a value: folded from the log, never stored as the truth.
// Copying a state costs the same however much it holds; a copy never changes again and may be
// read on any thread.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/advisors.h>
#include <almanac/projections/audits.h>
#include <almanac/projections/backups.h>
#include <almanac/projections/circuits.h>
#include <almanac/projections/components.h>
#include <almanac/projections/contexts.h>
#include <almanac/projections/custom_keys.h>
#include <almanac/projections/engines.h>
#include <almanac/projections/gpu.h>
#include <almanac/projections/health.h>
#include <almanac/projections/implementations.h>
#include <almanac/projections/memory.h>
#include <almanac/projections/models.h>
#include <almanac/projections/names.h>
#include <almanac/projections/pauses.h>
#include <almanac/projections/pools.h>
#include <almanac/projections/queues.h>
#include <almanac/projections/resource_limits.h>
#include <almanac/projections/schedules.h>
#include <almanac/projections/tasks.h>

namespace almanac {

struct State {
  Position position;  // of the last event folded in
  Time time;          // of that event
  Names names;
  Tasks tasks;
  Queues queues;
  ResourceLimits limits;
  EngineInfo engine;
  Backups backups;
  Schedules schedules;
  Pauses pauses;
  Implementations implementations;
  Circuits circuits;
  Components components;
  Pools pools;
  HealthRecord health;
  Gpu gpu;
  Advisors advisors;
  Contexts contexts;
  // Events that contradicted the state and changed nothing. A log written by Almanac has none.
  std::uint64_t ignored = 0;
  Memories memories;
  Models models;
  Audits audits;
  CustomKeys custom_keys;
};

// The only way a state changes. Pure and total: no clock, no chance, no refusal. The event's
// position must be the one behind the state's. O(log n). Copy the state first to keep the old one.
[[nodiscard]] State fold(State state, const RecordedEvent& event);
// The same in place, for loops over many events: moving a state about costs as much as a small
// event does.
void fold_into(State& state, const RecordedEvent& event);

// The same for the same events on every build; state_hasher.h says how it is made. O(n): some 30 ms
// for a million tasks.
[[nodiscard]] Digest digest(const State& state);

}  // namespace almanac
