// The events of the component domain as C++ sees them: what an engine keeps in working order, what
// was found wrong with it, and what was done about that.
#pragma once

#include <almanac/log/events/lists.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

enum class ComponentIssue : std::uint8_t {
  none,
  not_built,
  build_failed,
  missing_dependencies,
  incompatible_version,
  corrupt_binary,
  missing_toolchain,
  permission_error,
  out_of_memory,
  unexplained,  // its probe says no, and no rule says why
};
inline constexpr int component_issue_count = 10;
[[nodiscard]] std::string_view name(ComponentIssue issue);

enum class RepairStrategy : std::uint8_t {
  build,
  clean_build,  // clean and build
  install_dependencies,
  rebuild,
  install_toolchain,
  fix_permissions,
  free_memory,  // and build with one job at a time
  restore,      // what an earlier build of the same sources made
};
inline constexpr int repair_strategy_count = 8;
[[nodiscard]] std::string_view name(RepairStrategy strategy);

enum class RepairOutcome : std::uint8_t {
  done,  // what was to be run has run well
  failed,
  timed_out,
  interrupted,  // the engine stopped
  impossible,   // there was nothing to do it with: no attempt
};
inline constexpr int repair_outcome_count = 5;
[[nodiscard]] std::string_view name(RepairOutcome outcome);

enum class SwitchCause : std::uint8_t {
  preferred,  // one that is preferred can be used
  fallback,   // the one that was used cannot
  forced,     // by an operator
  released,   // by an operator: by order of preference again
};
inline constexpr int switch_cause_count = 4;
[[nodiscard]] std::string_view name(SwitchCause cause);

// What says that an implementation should be looked at earlier than usual.
enum class HealthTrend : std::uint8_t {
  steady,
  slower,        // its probe takes far longer than it did
  failing_more,  // it fails at shrinking intervals
};
inline constexpr int health_trend_count = 3;
[[nodiscard]] std::string_view name(HealthTrend trend);

enum class ComponentKind : std::uint8_t { plugin, program, builtin };
inline constexpr int component_kind_count = 3;
[[nodiscard]] std::string_view name(ComponentKind kind);

// What kind of implementation it is, and which strategies its component's file allows: one number
// in the log, the strategies in bits 0 to 15, the kind behind them.
class ImplementationTraits {
 public:
  ImplementationTraits() = default;
  explicit constexpr ImplementationTraits(std::uint32_t number) : number_(number) {}
  explicit constexpr ImplementationTraits(ComponentKind kind)
      : number_(static_cast<std::uint32_t>(kind) << kind_shift) {}

  [[nodiscard]] constexpr std::uint32_t number() const { return number_; }
  // Of a kind of a newer version: builtin, which nothing is done about.
  [[nodiscard]] constexpr ComponentKind kind() const {
    const auto kind = number_ >> kind_shift;
    return kind < component_kind_count ? static_cast<ComponentKind>(kind) : ComponentKind::builtin;
  }
  [[nodiscard]] constexpr bool allows(RepairStrategy strategy) const {
    return (number_ >> static_cast<unsigned>(strategy) & 1U) != 0;
  }
  [[nodiscard]] constexpr ImplementationTraits with(RepairStrategy strategy) const {
    return ImplementationTraits(number_ | 1U << static_cast<unsigned>(strategy));
  }
  bool operator==(const ImplementationTraits&) const = default;

 private:
  static constexpr unsigned kind_shift = 16;
  std::uint32_t number_ = 0;
};

// "plugin:build,restore", and back; none where it is nothing of the kind.
[[nodiscard]] std::string to_text(ImplementationTraits traits);
[[nodiscard]] std::optional<ImplementationTraits> parse_traits(std::string_view text);

struct DescribedImplementation {
  std::string_view name;
  ImplementationTraits traits;
};
using DescribedImplementationsView =
    NumberedNamesView<DescribedImplementation, ImplementationTraits>;

// By an engine when it starts: this is what it keeps, until the next engine does.
struct ComponentDescribed {
  std::string_view component;
  std::string_view folder;
  DescribedImplementationsView implementations;  // in order of preference
  std::uint16_t attempts_max = 0;                // to repair what is broken; 0 = none
  Duration backoff{0};                           // before the second; doubles with each, …
  Duration backoff_max{0};                       // … to this
  Duration build_timeout{0};
  Duration check_interval{0};
};

struct ComponentDiagnosed {
  std::string_view component;
  std::string_view implementation;
  ComponentIssue issue = ComponentIssue::none;
  std::string_view evidence;  // what was seen that says so
  std::string_view version;   // that its probe gave
  Duration took{0};
  HealthTrend trend = HealthTrend::steady;
  Time next;  // when it is looked at again
};

// In use.
struct ComponentFailed {
  std::string_view component;
  std::string_view implementation;
  std::string_view reason;
};

struct ComponentSwitched {
  std::string_view component;
  std::string_view from;  // empty = none, as is
  std::string_view to;
  SwitchCause cause = SwitchCause::preferred;
};

// By an operator: its attempts begin anew.
struct RepairRequested {
  std::string_view component;
  std::string_view implementation;
  std::optional<RepairStrategy> strategy;  // none = the engine chooses
};

struct RepairStarted {
  std::string_view component;
  std::string_view implementation;
  ComponentIssue issue = ComponentIssue::none;
  RepairStrategy strategy = RepairStrategy::build;
  std::uint16_t attempt = 0;
  Time deadline;
};

struct RepairEnded {
  std::string_view component;
  std::string_view implementation;
  Position repair;  // the event that started it
  RepairOutcome outcome = RepairOutcome::done;
  ComponentIssue left = ComponentIssue::none;  // as it was diagnosed afterwards
  Duration took{0};
  std::string_view message;
  Time next;  // when the next attempt begins; not set = none does
};

}  // namespace almanac
