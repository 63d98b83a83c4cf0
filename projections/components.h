// The components that an engine keeps in working order: which of their implementations can be used,
// what is wrong with the others, what was done about that, and what has helped. How an
// implementation moves is one table, which the fold asks before every move.
#pragma once

#include <almanac/log/events/component.h>
#include <almanac/projections/names.h>
#include <almanac/projections/persistent/map.h>
#include <almanac/projections/persistent/set.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace almanac {

// The numbers are in digests and checkpoints: a new state comes last.
enum class ImplementationState : std::uint8_t {
  unknown,  // it was not looked at since the engine started, or has failed in use
  healthy,
  broken,
  repairing,
  given_up,  // broken, and no attempt helps: an operator is asked
};
inline constexpr std::size_t implementation_state_count = 5;
[[nodiscard]] std::string_view name(ImplementationState state);

enum class ImplementationStep : std::uint8_t {
  found_healthy,
  found_broken,
  failed_in_use,
  repair_started,
  healed,
  not_healed,
  gave_up,
};
[[nodiscard]] std::string_view name(ImplementationStep step);

struct ImplementationEdge {
  ImplementationState from;
  ImplementationStep step;
  ImplementationState to;
};

inline constexpr std::array implementation_edges = {
    ImplementationEdge{ImplementationState::unknown, ImplementationStep::found_healthy,
                       ImplementationState::healthy},
    ImplementationEdge{ImplementationState::healthy, ImplementationStep::found_healthy,
                       ImplementationState::healthy},
    ImplementationEdge{ImplementationState::broken, ImplementationStep::found_healthy,
                       ImplementationState::healthy},
    ImplementationEdge{ImplementationState::given_up, ImplementationStep::found_healthy,
                       ImplementationState::healthy},
    ImplementationEdge{ImplementationState::unknown, ImplementationStep::found_broken,
                       ImplementationState::broken},
    ImplementationEdge{ImplementationState::healthy, ImplementationStep::found_broken,
                       ImplementationState::broken},
    ImplementationEdge{ImplementationState::broken, ImplementationStep::found_broken,
                       ImplementationState::broken},
    ImplementationEdge{ImplementationState::given_up, ImplementationStep::found_broken,
                       ImplementationState::broken},  // by another issue; else it stays as it is
    ImplementationEdge{ImplementationState::unknown, ImplementationStep::failed_in_use,
                       ImplementationState::unknown},
    ImplementationEdge{ImplementationState::healthy, ImplementationStep::failed_in_use,
                       ImplementationState::unknown},
    ImplementationEdge{ImplementationState::unknown, ImplementationStep::repair_started,
                       ImplementationState::repairing},
    ImplementationEdge{ImplementationState::healthy, ImplementationStep::repair_started,
                       ImplementationState::repairing},
    ImplementationEdge{ImplementationState::broken, ImplementationStep::repair_started,
                       ImplementationState::repairing},
    ImplementationEdge{ImplementationState::given_up, ImplementationStep::repair_started,
                       ImplementationState::repairing},
    ImplementationEdge{ImplementationState::repairing, ImplementationStep::healed,
                       ImplementationState::healthy},
    ImplementationEdge{ImplementationState::repairing, ImplementationStep::not_healed,
                       ImplementationState::broken},
    ImplementationEdge{ImplementationState::repairing, ImplementationStep::gave_up,
                       ImplementationState::given_up},
};

// Where the table leads; none where it has no such row.
[[nodiscard]] std::optional<ImplementationState> next_state(ImplementationState from,
                                                            ImplementationStep step);
// The table as a Mermaid state diagram.
[[nodiscard]] std::string implementation_picture();

// What may help against an issue, the most promising first as long as nothing was learned.
[[nodiscard]] std::span<const RepairStrategy> strategies_for(ComponentIssue issue);

struct ComponentSetting {
  std::uint16_t attempts_max = 3;                  // to repair what is broken
  Duration backoff = std::chrono::seconds(10);     // before the second; doubles with each, …
  Duration backoff_max = std::chrono::minutes(5);  // … to this
  Duration build_timeout = std::chrono::minutes(10);
  Duration check_interval = std::chrono::minutes(5);
  bool operator==(const ComponentSetting&) const = default;
};

struct Component {
  std::string folder;
  ComponentSetting setting;
  bool kept = false;             // by the engine that runs or ran last
  std::optional<NameId> active;  // the implementation that is used
  std::optional<NameId> pinned;  // the one an operator wants
  Position switched;             // the event that made it active; none = none ever was
  std::uint64_t switches = 0;
  bool operator==(const Component&) const = default;
};

struct ComponentPlace {
  NameId component;
  std::uint32_t place = 0;  // 0 is preferred to 1
  auto operator<=>(const ComponentPlace&) const = default;
};

struct ImplementationHealth {
  NameId name;
  ImplementationTraits traits;
  ImplementationState state = ImplementationState::unknown;
  ComponentIssue issue = ComponentIssue::none;  // of the last diagnosis, as are these
  HealthTrend trend = HealthTrend::steady;
  Position diagnosed;  // the event; none = it was never looked at
  Time next_check;
  Duration took_average{0};  // by its probe while it was healthy; the newest counts an eighth
  // Of what was found wrong, until it is healthy again.
  Time repair_at;                    // when the next attempt begins; not set = none does
  std::uint32_t attempts = 0;        // at this issue, and …
  std::uint32_t attempts_total = 0;  // … at all that came one after the other
  std::uint32_t tried = 0;           // bits: strategies that did not help against this issue
  std::uint32_t requested = 0;       // by an operator: 1 + the strategy; 0 = the engine chooses
  std::uint64_t checks = 0;          // in all, and failures in use
  std::uint64_t failures = 0;        // of those, found broken or in use
  std::array<Time, 3> failed_at{};   // the last ones, the newest first

  // Of the checks those that it has passed.
  [[nodiscard]] std::uint16_t score_permille() const;
  bool operator==(const ImplementationHealth&) const = default;
};

struct Repair {
  NameId component;
  NameId implementation;
  ComponentIssue issue = ComponentIssue::none;
  ComponentIssue left = ComponentIssue::none;
  RepairStrategy strategy = RepairStrategy::build;
  RepairOutcome outcome = RepairOutcome::done;
  std::uint16_t attempt = 0;
  Time started_at;
  Time deadline;
  Position ended;  // the event; none = it runs
  Duration took{0};

  // Whether it says something of the strategy.
  [[nodiscard]] bool is_attempt() const {
    return outcome != RepairOutcome::interrupted && outcome != RepairOutcome::impossible;
  }
  // The issue that it was for is gone.
  [[nodiscard]] bool helped() const {
    return ended && outcome == RepairOutcome::done && left != issue;
  }
  bool operator==(const Repair&) const = default;
};

struct StrategyKey {
  ComponentIssue issue = ComponentIssue::none;
  RepairStrategy strategy = RepairStrategy::build;
  auto operator<=>(const StrategyKey&) const = default;
};

struct StrategyRecord {
  std::uint64_t helped = 0;
  std::uint64_t failed = 0;
  bool operator==(const StrategyRecord&) const = default;
};

struct RepairDue {
  Time at;
  ComponentPlace place;
  auto operator<=>(const RepairDue&) const = default;
};

// A value; O(1) copy. Changed by fold() alone.
struct Components {
  PersistentMap<NameId, Component> all;
  PersistentMap<ComponentPlace, ImplementationHealth> implementations;
  PersistentMap<Position, Repair> repairs;  // the last ones, by the events that started them
  PersistentMap<StrategyKey, StrategyRecord> strategies;

  // Follow from these, for what the engine keeps.
  PersistentSet<RepairDue> due;
  PersistentSet<NameId> unsettled;  // the active implementation is not the one it should be

  [[nodiscard]] bool empty() const { return all.empty(); }
  // The repair that runs; at most one does.
  [[nodiscard]] std::optional<Position> running() const;
  // O(implementations of the component), as are these.
  [[nodiscard]] std::optional<ComponentPlace> find(NameId component, NameId implementation) const;
  // The one that should be active: the pinned one if it is healthy, else the first that is.
  [[nodiscard]] std::optional<NameId> best(NameId component) const;

  void hash_into(StateHasher& hasher) const;
};

// How often a strategy has helped against an issue.
[[nodiscard]] StrategyRecord record_of(const Components& components, const StrategyKey& key);
// What is tried next: of what may help and is allowed, first what was not tried yet, and of that
// what has helped most often. None where nothing is allowed.
[[nodiscard]] std::optional<RepairStrategy> next_strategy(const Components& components,
                                                          const ImplementationHealth& health);

// Makes what follows anew, for what reads a stored state.
void enter_due(Components& components);
// An engine starts: what the one before kept it may not keep, until it says so.
void forget_kept(Components& components);

struct EventPlace;

// What stays of the implementations keeps what is known of it and is looked at anew.
bool fold(Components& components, Names& names, const EventPlace& place,
          const ComponentDescribed& event);
// What the table does not allow changes nothing and answers false.
bool fold(Components& components, Names& names, const EventPlace& place,
          const ComponentDiagnosed& event);
bool fold(Components& components, Names& names, const EventPlace& place,
          const ComponentFailed& event);
bool fold(Components& components, Names& names, const EventPlace& place,
          const RepairRequested& event);
bool fold(Components& components, Names& names, const EventPlace& place,
          const ComponentSwitched& event);
bool fold(Components& components, Names& names, const EventPlace& place,
          const RepairStarted& event);
bool fold(Components& components, Names& names, const EventPlace& place, const RepairEnded& event);

}  // namespace almanac
