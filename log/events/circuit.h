// The events of the circuit domain as C++ sees them: services that are not asked while they fail.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <string_view>

namespace almanac {

// Why a circuit moved.
enum class CircuitCause : std::uint8_t {
  failure_rate,          // too many of the requests in the window have failed
  consecutive_failures,  // so many, without a success in between
  probe_failed,
  probe_late,  // a program did not say what became of its probe
  cooled_down,
  probes_succeeded,
  forced,  // by an operator
  reset,   // by an operator: it goes by its setting again
};
inline constexpr int circuit_cause_count = 8;
[[nodiscard]] std::string_view name(CircuitCause cause);

// How the circuit of a service moves from now on. Without probes the setting is lifted.
struct CircuitConfigured {
  std::string_view service;
  std::uint32_t requests_min = 0;          // in the window, before their failure rate counts
  std::uint16_t failure_permille = 0;      // at which it opens
  std::uint32_t consecutive_failures = 0;  // at which it opens; 0 = at no number
  Duration window{0};
  Duration cooldown{0};
  Duration cooldown_max{0};
  std::uint16_t probes = 0;  // that it admits when it is half open
};

// What requests of programs came to, gathered. Those of tasks are the ends of their attempts.
struct CircuitObserved {
  std::string_view service;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t trailing_failures = 0;  // since the last success
  Duration took{0};                     // all of them together
  Position probe;                       // the event that admitted it; none = it was no probe
};

// A program's request is admitted while the circuit is half open. The position of this event is
// the probe's identity.
struct CircuitProbed {
  std::string_view service;
};

struct CircuitOpened {
  std::string_view service;
  CircuitCause cause = CircuitCause::failure_rate;
  Time until;                  // not set = until an operator resets it
  std::uint64_t requests = 0;  // in the window
  std::uint64_t failures = 0;  // of them
  std::uint32_t consecutive_failures = 0;
  std::string_view reason;  // an operator's
};

struct CircuitHalfOpened {
  std::string_view service;
  std::uint16_t probes = 0;
};

struct CircuitClosed {
  std::string_view service;
  CircuitCause cause = CircuitCause::probes_succeeded;
  std::uint64_t paced = 0;  // so many starts of its tasks go by the pace of a recovery
  std::string_view reason;  // an operator's
};

}  // namespace almanac
