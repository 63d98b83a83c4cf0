#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

AuditDoor audit_door(schema::AuditDoor from) {
  const auto number = static_cast<unsigned>(from);
  KJ_REQUIRE(number < audit_door_count, "a door this version does not know");
  return static_cast<AuditDoor>(number);
}

RefusalReason refusal_reason(schema::RefusalReason from) {
  const auto number = static_cast<unsigned>(from);
  KJ_REQUIRE(number < refusal_reason_count, "a reason this version does not know");
  return static_cast<RefusalReason>(number);
}

RequestAudited read(schema::RequestAudited::Reader from, const Names& names) {
  return {from.getRequest(),      audit_door(from.getDoor()), names.at(from.getPrincipal()),
          view(from.getAction()), view(from.getSubject()),    view(from.getRemote()),
          from.getCount()};
}

RequestRefused read(schema::RequestRefused::Reader from, const Names& names) {
  return {from.getRequest(),
          audit_door(from.getDoor()),
          refusal_reason(from.getReason()),
          names.at(from.getPrincipal()),
          view(from.getAction()),
          view(from.getRemote()),
          from.getStatus(),
          from.getLeftOut()};
}

}  // namespace

void write(const RequestAudited& from, BodyBuilder body, NameTable& names) {
  auto to = body.initRequestAudited();
  to.setRequest(from.request);
  to.setDoor(static_cast<schema::AuditDoor>(from.door));
  to.setPrincipal(names.index(from.principal));
  set_text(from.action, [&](unsigned size) { return to.initAction(size); });
  set_text(from.subject, [&](unsigned size) { return to.initSubject(size); });
  set_text(from.remote, [&](unsigned size) { return to.initRemote(size); });
  to.setCount(from.count);
}

void write(const RequestRefused& from, BodyBuilder body, NameTable& names) {
  auto to = body.initRequestRefused();
  to.setRequest(from.request);
  to.setDoor(static_cast<schema::AuditDoor>(from.door));
  to.setReason(static_cast<schema::RefusalReason>(from.reason));
  to.setPrincipal(names.index(from.principal));
  set_text(from.action, [&](unsigned size) { return to.initAction(size); });
  set_text(from.remote, [&](unsigned size) { return to.initRemote(size); });
  to.setStatus(from.status);
  to.setLeftOut(from.left_out);
}

bool read_audit_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::REQUEST_AUDITED: to = read(body.getRequestAudited(), names); return true;
    case Which::REQUEST_REFUSED: to = read(body.getRequestRefused(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
