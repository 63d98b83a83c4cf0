#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

Health health(schema::Health from) {
  const auto number = static_cast<unsigned>(from);
  KJ_REQUIRE(number < health_count, "a health this version does not know");
  return static_cast<Health>(number);
}

}  // namespace

void write(const HealthChanged& from, schema::Event::Body::Builder body, NameTable&) {
  auto to = body.initHealthChanged();
  to.setFrom(static_cast<schema::Health>(from.from));
  to.setTo(static_cast<schema::Health>(from.to));
  set_text(from.reasons, [&](unsigned size) { return to.initReasons(size); });
}

bool read_health_body(schema::Event::Body::Reader body, const Names&, EventBody& to) {
  if (body.which() != schema::Event::Body::HEALTH_CHANGED) return false;
  const auto from = body.getHealthChanged();
  to = HealthChanged{health(from.getFrom()), health(from.getTo()), view(from.getReasons())};
  return true;
}

}  // namespace almanac::codec
