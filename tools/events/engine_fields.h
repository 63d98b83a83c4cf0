// The fields of the engine's own events.
#pragma once

#include <almanac/log/events/engine.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<EngineStarted> auto& event) {
  fields("version", event.version);
  fields("process", event.process_id);
  fields("slots", event.slots);
  fields("seed", event.seed);
}

template <class Fields>
void describe(Fields&, Describes<EngineStopped> auto&) {}

}  // namespace almanac
