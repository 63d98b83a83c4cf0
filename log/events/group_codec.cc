#include <almanac/log/events_codec.h>

namespace almanac::codec {

void write(const GroupOpened& from, BodyBuilder body, NameTable&) {
  auto to = body.initGroupOpened();
  to.setId(from.id.value);
  set_text(from.name, [&](unsigned size) { return to.initName(size); });
}

GroupOpened read(schema::GroupOpened::Reader from, const Names&) {
  return {GroupId(from.getId()), view(from.getName())};
}

void write(const GroupClosed& from, BodyBuilder body, NameTable&) {
  body.initGroupClosed().setId(from.id.value);
}

GroupClosed read(schema::GroupClosed::Reader from, const Names&) { return {GroupId(from.getId())}; }

bool read_group_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::GROUP_OPENED: to = read(body.getGroupOpened(), names); return true;
    case Which::GROUP_CLOSED: to = read(body.getGroupClosed(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
