// The circuits of services: what requests to them came to, and whether they are asked at all. How a
// circuit moves is one table, which the fold asks before every move, from which the guide's picture
// is printed, and which the simulation's oracle holds every log against.
//
// A service's name may have a key in it, "search:eu": "search:*" is the setting of all of those
// that have none of their own, "*" that of all other services.
#pragma once

#include <almanac/log/events/circuit.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// The numbers are in digests and checkpoints: a new state comes last.
enum class CircuitState : std::uint8_t {
  closed,         // requests go through
  open,           // none does, until it has cooled down
  half_open,      // some go through to find out
  forced_open,    // by an operator, until it is reset
  forced_closed,  // the same
};
inline constexpr std::size_t circuit_state_count = 5;
[[nodiscard]] std::string_view name(CircuitState state);

struct CircuitEdge {
  CircuitState from;
  CircuitCause cause;
  CircuitState to;
};

inline constexpr std::array circuit_edges = {
    CircuitEdge{CircuitState::closed, CircuitCause::failure_rate, CircuitState::open},
    CircuitEdge{CircuitState::closed, CircuitCause::consecutive_failures, CircuitState::open},
    CircuitEdge{CircuitState::open, CircuitCause::cooled_down, CircuitState::half_open},
    CircuitEdge{CircuitState::half_open, CircuitCause::probes_succeeded, CircuitState::closed},
    CircuitEdge{CircuitState::half_open, CircuitCause::probe_failed, CircuitState::open},
    CircuitEdge{CircuitState::half_open, CircuitCause::probe_late, CircuitState::open},
    CircuitEdge{CircuitState::closed, CircuitCause::forced, CircuitState::forced_open},
    CircuitEdge{CircuitState::open, CircuitCause::forced, CircuitState::forced_open},
    CircuitEdge{CircuitState::half_open, CircuitCause::forced, CircuitState::forced_open},
    CircuitEdge{CircuitState::forced_closed, CircuitCause::forced, CircuitState::forced_open},
    CircuitEdge{CircuitState::closed, CircuitCause::forced, CircuitState::forced_closed},
    CircuitEdge{CircuitState::open, CircuitCause::forced, CircuitState::forced_closed},
    CircuitEdge{CircuitState::half_open, CircuitCause::forced, CircuitState::forced_closed},
    CircuitEdge{CircuitState::forced_open, CircuitCause::forced, CircuitState::forced_closed},
    CircuitEdge{CircuitState::open, CircuitCause::reset, CircuitState::closed},
    CircuitEdge{CircuitState::half_open, CircuitCause::reset, CircuitState::closed},
    CircuitEdge{CircuitState::forced_open, CircuitCause::reset, CircuitState::closed},
    CircuitEdge{CircuitState::forced_closed, CircuitCause::reset, CircuitState::closed},
};

// Whether the table has a row that leads from `from` because of `cause` to `to`.
[[nodiscard]] bool allows(CircuitState from, CircuitCause cause, CircuitState to);
// The table as a Mermaid state diagram.
[[nodiscard]] std::string circuit_picture();

struct CircuitSetting {
  std::uint32_t requests_min = 10;         // in the window, before their failure rate counts
  std::uint16_t failure_permille = 500;    // at which it opens
  std::uint32_t consecutive_failures = 5;  // at which it opens; 0 = at no number
  Duration window = std::chrono::minutes(1);
  Duration cooldown = std::chrono::seconds(30);      // doubles each time that probes fail, …
  Duration cooldown_max = std::chrono::minutes(10);  // … to this
  std::uint16_t probes = 1;  // that it admits when it is half open; 0 = the setting is lifted
  bool operator==(const CircuitSetting&) const = default;
};

// What requests came to within a window that slides by a tenth of itself.
struct CircuitWindow {
  struct Slice {
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
    bool operator==(const Slice&) const = default;
  };
  std::array<Slice, 10> slices{};
  std::int64_t last = 0;  // the slice of time that was added to last

  void add(const Slice& results, Duration window, Time at);
  [[nodiscard]] Slice sum() const;
  bool operator==(const CircuitWindow&) const = default;
};

struct Circuit {
  CircuitState state = CircuitState::closed;
  Position changed;  // the event that made it so; none = it never moved
  Time since;
  Time until;            // of an open one: when it has cooled down
  Duration cooldown{0};  // the last one, from when it opened until it closes
  CircuitWindow window;  // what came since it closed, as is
  std::uint64_t consecutive_failures = 0;
  std::uint32_t probes = 0;  // of a half-open one: that it admits in all, and those that …
  std::uint32_t probes_succeeded = 0;
  std::uint32_t probes_failed = 0;
  std::uint64_t paced = 0;      // starts of its tasks that go by the pace of a recovery yet
  std::uint64_t successes = 0;  // in all, as are these
  std::uint64_t failures = 0;
  std::uint64_t trips = 0;  // times that it opened by itself
  Duration took{0};         // by all requests together

  [[nodiscard]] Duration average() const {
    const auto requests = static_cast<std::int64_t>(successes + failures);
    return requests == 0 ? Duration(0) : took / requests;
  }
  bool operator==(const Circuit&) const = default;
};

// One that is out: a task that runs, or a program's request, by the event that admitted it.
struct CircuitProbe {
  NameId service;
  TaskId task;
  Position admitted;
  auto operator<=>(const CircuitProbe&) const = default;
};

struct CircuitDue {
  Time at;
  NameId service;
  auto operator<=>(const CircuitDue&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Circuits {
  PersistentMap<NameId, CircuitSetting> settings;
  PersistentMap<NameId, Circuit> all;        // that had a request, or moved
  PersistentMap<CircuitProbe, Time> probes;  // that are out, and since when

  // Follow from these.
  PersistentSet<CircuitDue> due;  // circuits that move by themselves, and when
  std::uint64_t families = 0;     // settings of names that end in "*"

  [[nodiscard]] bool empty() const { return settings.empty() && all.empty(); }
  void hash_into(StateHasher& hasher) const;
};

// Its own setting, its family's, or that of all names; none where there is none. O(log settings).
[[nodiscard]] std::optional<CircuitSetting> setting_of(const Circuits& circuits, const Names& names,
                                                       NameId service);
// The same, or the default: for programs, which ask of their own accord. The name may be new.
[[nodiscard]] CircuitSetting setting_or_default(const Circuits& circuits, const Names& names,
                                                std::string_view service);
// Whether tasks that need the service go by a circuit: it has a setting, or was forced.
[[nodiscard]] bool guards(const Circuits& circuits, const Names& names, NameId service);
// As it is; a closed one where nothing is known of it.
[[nodiscard]] Circuit circuit_of(const Circuits& circuits, NameId service);
// Probes that are out. O(their number).
[[nodiscard]] std::uint32_t probes_out(const Circuits& circuits, NameId service);
// Requests that may begin: any number, none, or what is left of the probes. O(probes).
[[nodiscard]] std::uint64_t admits(const Circuits& circuits, NameId service);
// The limit that its tasks' starts go by after it has closed.
[[nodiscard]] std::string recovery_limit_of_circuit(std::string_view service);

// How a circuit moves by itself next, if nothing else happens before.
struct DueMove {
  CircuitCause cause = CircuitCause::cooled_down;
  Time at;
};
[[nodiscard]] std::optional<DueMove> due_move(const Circuits& circuits, const Names& names,
                                              NameId service);
// The cool-down of one that opens now.
[[nodiscard]] Duration next_cooldown(const Circuit& circuit, const CircuitSetting& setting);

// Enters a setting where it is found again, for fold() and for what reads a stored state.
void set_circuit(Circuits& circuits, const Names& names, NameId service,
                 const CircuitSetting& setting);
// Makes what follows anew, for the same.
void enter_due(Circuits& circuits, const Names& names);

// An attempt of a task that needs the service begins, or has ended.
enum class ServiceResult : std::uint8_t { none, success, failure };
void begin_attempt(Circuits& circuits, const Names& names, NameId service, TaskId task, Time at);
struct AttemptResult {
  ServiceResult result = ServiceResult::none;
  Duration took{0};
  Time at;
};
void end_attempt(Circuits& circuits, const Names& names, NameId service, TaskId task,
                 const AttemptResult& end);
// Those of programs died with the engine that admitted them.
void forget_program_probes(Circuits& circuits, const Names& names);

struct EventPlace;

bool fold(Circuits& circuits, Names& names, const EventPlace& place,
          const CircuitConfigured& event);
bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitObserved& event);
// What the table does not allow changes nothing and answers false, as does a probe too many.
bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitProbed& event);
bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitOpened& event);
bool fold(Circuits& circuits, Names& names, const EventPlace& place,
          const CircuitHalfOpened& event);
bool fold(Circuits& circuits, Names& names, const EventPlace& place, const CircuitClosed& event);

}  // namespace almanac
