#include <almanac/log/events_codec.h>

namespace almanac::codec {

void write(const GroupOpened& from, schema::GroupOpened::Builder to, NameTable&) {
  to.setId(from.id.value);
  set_text(from.name, [&](unsigned size) { return to.initName(size); });
}

GroupOpened read(schema::GroupOpened::Reader from, const Names&) {
  return {GroupId(from.getId()), view(from.getName())};
}

void write(const GroupClosed& from, schema::GroupClosed::Builder to, NameTable&) {
  to.setId(from.id.value);
}

GroupClosed read(schema::GroupClosed::Reader from, const Names&) { return {GroupId(from.getId())}; }

}  // namespace almanac::codec
