#include <almanac/log/events/component.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace almanac {
namespace {

template <std::size_t count>
std::string_view name_in(const std::array<std::string_view, count>& names, std::size_t number) {
  return number < count ? names[number] : "unknown";
}

constexpr std::array<std::string_view, component_issue_count> issue_names = {"none",
                                                                             "not_built",
                                                                             "build_failed",
                                                                             "missing_dependencies",
                                                                             "incompatible_version",
                                                                             "corrupt_binary",
                                                                             "missing_toolchain",
                                                                             "permission_error",
                                                                             "out_of_memory",
                                                                             "unexplained"};
constexpr std::array<std::string_view, repair_strategy_count> strategy_names = {
    "build",
    "clean_build",
    "install_dependencies",
    "rebuild",
    "install_toolchain",
    "fix_permissions",
    "free_memory",
    "restore"};
constexpr std::array<std::string_view, repair_outcome_count> outcome_names = {
    "done", "failed", "timed_out", "interrupted", "impossible"};
constexpr std::array<std::string_view, switch_cause_count> cause_names = {"preferred", "fallback",
                                                                          "forced", "released"};
constexpr std::array<std::string_view, health_trend_count> trend_names = {"steady", "slower",
                                                                          "failing_more"};
constexpr std::array<std::string_view, component_kind_count> kind_names = {"plugin", "program",
                                                                           "builtin"};

}  // namespace

std::string_view name(ComponentIssue issue) {
  return name_in(issue_names, static_cast<std::size_t>(issue));
}
std::string_view name(RepairStrategy strategy) {
  return name_in(strategy_names, static_cast<std::size_t>(strategy));
}
std::string_view name(RepairOutcome outcome) {
  return name_in(outcome_names, static_cast<std::size_t>(outcome));
}
std::string_view name(SwitchCause cause) {
  return name_in(cause_names, static_cast<std::size_t>(cause));
}
std::string_view name(HealthTrend trend) {
  return name_in(trend_names, static_cast<std::size_t>(trend));
}
std::string_view name(ComponentKind kind) {
  return name_in(kind_names, static_cast<std::size_t>(kind));
}

std::string to_text(ImplementationTraits traits) {
  std::string text(name(traits.kind()));
  char separator = ':';
  for (std::size_t i = 0; i < strategy_names.size(); ++i) {
    if (!traits.allows(static_cast<RepairStrategy>(i))) continue;
    text += std::exchange(separator, ',');
    text += strategy_names[i];
  }
  return text;
}

std::optional<ImplementationTraits> parse_traits(std::string_view text) {
  const auto colon = std::min(text.find(':'), text.size());
  const auto kind = std::ranges::find(kind_names, text.substr(0, colon));
  if (kind == kind_names.end()) return std::nullopt;
  ImplementationTraits traits(static_cast<ComponentKind>(kind - kind_names.begin()));
  for (std::size_t begin = colon + 1; begin < text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto strategy = std::ranges::find(strategy_names, text.substr(begin, end - begin));
    if (strategy == strategy_names.end()) return std::nullopt;
    traits = traits.with(static_cast<RepairStrategy>(strategy - strategy_names.begin()));
    begin = end + 1;
  }
  return traits;
}

}  // namespace almanac
