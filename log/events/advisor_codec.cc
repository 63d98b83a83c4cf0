#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

AdvisorFault advisor_fault(schema::AdvisorFault from) {
  const auto number = static_cast<unsigned>(from);
  KJ_REQUIRE(number < advisor_fault_count, "a fault this version does not know");
  return static_cast<AdvisorFault>(number);
}

AdvisorFellBack read(schema::AdvisorFellBack::Reader from, const Names& names) {
  return {names.at(from.getAdvisor()), advisor_fault(from.getFault()), from.getAttempts(),
          view(from.getEvidence()), from.getHoldsBack()};
}

AdvisorReturned read(schema::AdvisorReturned::Reader from, const Names& names) {
  return {names.at(from.getAdvisor())};
}

}  // namespace

void write(const AdvisorFellBack& from, BodyBuilder body, NameTable& names) {
  auto to = body.initAdvisorFellBack();
  to.setAdvisor(names.index(from.advisor));
  to.setFault(static_cast<schema::AdvisorFault>(from.fault));
  to.setAttempts(from.attempts);
  to.setHoldsBack(from.holds_back);
  set_text(from.evidence, [&](unsigned size) { return to.initEvidence(size); });
}

void write(const AdvisorReturned& from, BodyBuilder body, NameTable& names) {
  body.initAdvisorReturned().setAdvisor(names.index(from.advisor));
}

bool read_advisor_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::ADVISOR_FELL_BACK: to = read(body.getAdvisorFellBack(), names); return true;
    case Which::ADVISOR_RETURNED: to = read(body.getAdvisorReturned(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
