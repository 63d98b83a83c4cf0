#include <almanac/log/events_codec.h>

#include <kj/debug.h>

namespace almanac::codec {
namespace {

CircuitCause cause(schema::CircuitCause from) {
  const auto number = static_cast<unsigned>(from);
  KJ_REQUIRE(number < circuit_cause_count, "a cause this version does not know");
  return static_cast<CircuitCause>(number);
}

}  // namespace

void write(const CircuitConfigured& from, schema::CircuitConfigured::Builder to, NameTable& names) {
  to.setService(names.index(from.service));
  to.setRequestsMin(from.requests_min);
  to.setFailurePermille(from.failure_permille);
  to.setConsecutiveFailures(from.consecutive_failures);
  to.setWindow(from.window.count());
  to.setCooldown(from.cooldown.count());
  to.setCooldownMax(from.cooldown_max.count());
  to.setProbes(from.probes);
}

CircuitConfigured read(schema::CircuitConfigured::Reader from, const Names& names) {
  return {.service = names.at(from.getService()),
          .requests_min = from.getRequestsMin(),
          .failure_permille = from.getFailurePermille(),
          .consecutive_failures = from.getConsecutiveFailures(),
          .window = Duration(from.getWindow()),
          .cooldown = Duration(from.getCooldown()),
          .cooldown_max = Duration(from.getCooldownMax()),
          .probes = from.getProbes()};
}

void write(const CircuitObserved& from, schema::CircuitObserved::Builder to, NameTable& names) {
  to.setService(names.index(from.service));
  to.setSuccesses(from.successes);
  to.setFailures(from.failures);
  to.setTrailingFailures(from.trailing_failures);
  to.setTook(from.took.count());
  to.setProbe(from.probe.value);
}

CircuitObserved read(schema::CircuitObserved::Reader from, const Names& names) {
  return {.service = names.at(from.getService()),
          .successes = from.getSuccesses(),
          .failures = from.getFailures(),
          .trailing_failures = from.getTrailingFailures(),
          .took = Duration(from.getTook()),
          .probe = Position(from.getProbe())};
}

void write(const CircuitProbed& from, schema::CircuitProbed::Builder to, NameTable& names) {
  to.setService(names.index(from.service));
}

CircuitProbed read(schema::CircuitProbed::Reader from, const Names& names) {
  return {names.at(from.getService())};
}

void write(const CircuitOpened& from, schema::CircuitOpened::Builder to, NameTable& names) {
  to.setService(names.index(from.service));
  to.setCause(static_cast<schema::CircuitCause>(from.cause));
  to.setUntil(micros(from.until));
  to.setRequests(from.requests);
  to.setFailures(from.failures);
  to.setConsecutiveFailures(from.consecutive_failures);
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

CircuitOpened read(schema::CircuitOpened::Reader from, const Names& names) {
  return {.service = names.at(from.getService()),
          .cause = cause(from.getCause()),
          .until = time(from.getUntil()),
          .requests = from.getRequests(),
          .failures = from.getFailures(),
          .consecutive_failures = from.getConsecutiveFailures(),
          .reason = view(from.getReason())};
}

void write(const CircuitHalfOpened& from, schema::CircuitHalfOpened::Builder to, NameTable& names) {
  to.setService(names.index(from.service));
  to.setProbes(from.probes);
}

CircuitHalfOpened read(schema::CircuitHalfOpened::Reader from, const Names& names) {
  return {names.at(from.getService()), from.getProbes()};
}

void write(const CircuitClosed& from, schema::CircuitClosed::Builder to, NameTable& names) {
  to.setService(names.index(from.service));
  to.setCause(static_cast<schema::CircuitCause>(from.cause));
  to.setPaced(from.paced);
  set_text(from.reason, [&](unsigned size) { return to.initReason(size); });
}

CircuitClosed read(schema::CircuitClosed::Reader from, const Names& names) {
  return {.service = names.at(from.getService()),
          .cause = cause(from.getCause()),
          .paced = from.getPaced(),
          .reason = view(from.getReason())};
}

bool read_circuit_body(schema::Event::Body::Reader body, const Names& names, EventBody& to) {
  using Which = schema::Event::Body::Which;
  switch (body.which()) {
    case Which::CIRCUIT_CONFIGURED: to = read(body.getCircuitConfigured(), names); return true;
    case Which::CIRCUIT_OBSERVED: to = read(body.getCircuitObserved(), names); return true;
    case Which::CIRCUIT_PROBED: to = read(body.getCircuitProbed(), names); return true;
    case Which::CIRCUIT_OPENED: to = read(body.getCircuitOpened(), names); return true;
    case Which::CIRCUIT_HALF_OPENED: to = read(body.getCircuitHalfOpened(), names); return true;
    case Which::CIRCUIT_CLOSED: to = read(body.getCircuitClosed(), names); return true;
    default: return false;
  }
}

}  // namespace almanac::codec
