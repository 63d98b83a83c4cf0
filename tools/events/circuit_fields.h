// The fields of the circuit domain's events.
#pragma once

#include <almanac/log/events/circuit.h>
#include <almanac/tools/events/field_names.h>

namespace almanac {

template <class Fields>
void describe(Fields& fields, Describes<CircuitConfigured> auto& event) {
  fields("service", event.service);
  fields("requests_min", event.requests_min);
  fields("failure_permille", event.failure_permille);
  fields("consecutive_failures", event.consecutive_failures);
  fields("window_us", event.window);
  fields("cooldown_us", event.cooldown);
  fields("cooldown_max_us", event.cooldown_max);
  fields("probes", event.probes);
}

template <class Fields>
void describe(Fields& fields, Describes<CircuitObserved> auto& event) {
  fields("service", event.service);
  fields("successes", event.successes);
  fields("failures", event.failures);
  fields("trailing_failures", event.trailing_failures);
  fields("took_us", event.took);
  fields("probe", event.probe);
}

template <class Fields>
void describe(Fields& fields, Describes<CircuitProbed> auto& event) {
  fields("service", event.service);
}

template <class Fields>
void describe(Fields& fields, Describes<CircuitOpened> auto& event) {
  fields("service", event.service);
  fields.always("cause", event.cause);
  fields("until", event.until);
  fields("requests", event.requests);
  fields("failures", event.failures);
  fields("consecutive_failures", event.consecutive_failures);
  fields("reason", event.reason);
}

template <class Fields>
void describe(Fields& fields, Describes<CircuitHalfOpened> auto& event) {
  fields("service", event.service);
  fields("probes", event.probes);
}

template <class Fields>
void describe(Fields& fields, Describes<CircuitClosed> auto& event) {
  fields("service", event.service);
  fields.always("cause", event.cause);
  fields("paced", event.paced);
  fields("reason", event.reason);
}

}  // namespace almanac
