#include <almanac/log/events_codec.h>

namespace almanac::codec {

void write(const QueueConfigured& from, schema::QueueConfigured::Builder to, NameTable& names) {
  to.setQueue(names.index(from.queue));
  to.setSlots(from.slots);
}

QueueConfigured read(schema::QueueConfigured::Reader from, const Names& names) {
  return {names.at(from.getQueue()), from.getSlots()};
}

}  // namespace almanac::codec
