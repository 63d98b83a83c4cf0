#include <almanac/log/events_codec.h>

namespace almanac::codec {

void write(const EngineStarted& from, schema::EngineStarted::Builder to, NameTable&) {
  set_text(from.version, [&](unsigned size) { return to.initVersion(size); });
  to.setProcessId(from.process_id);
  to.setSlots(from.slots);
  to.setSeed(from.seed);
}

EngineStarted read(schema::EngineStarted::Reader from, const Names&) {
  return {view(from.getVersion()), from.getProcessId(), from.getSlots(), from.getSeed()};
}

void write(const EngineStopped&, schema::EngineStopped::Builder, NameTable&) {}

EngineStopped read(schema::EngineStopped::Reader, const Names&) { return {}; }

}  // namespace almanac::codec
