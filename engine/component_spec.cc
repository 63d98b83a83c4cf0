#include <almanac/engine/component_spec.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace almanac {
namespace {

std::unexpected<Error> wrong(const std::string& what, std::string next) {
  return fail(ErrorCode::invalid, what, std::move(next));
}

// "a/../../b" leaves as "../b" does.
bool stays_inside(const std::filesystem::path& path) {
  if (path.is_absolute()) return false;
  const auto normal = path.lexically_normal();
  return normal.empty() || *normal.begin() != "..";
}

// The command that a strategy runs; null where it needs none.
const ComponentCommand* command_of(const ComponentImplementation& one, RepairStrategy strategy) {
  switch (strategy) {
    case RepairStrategy::build:
    case RepairStrategy::clean_build:
    case RepairStrategy::rebuild:
    case RepairStrategy::free_memory: return &one.build;
    case RepairStrategy::install_dependencies: return &one.install_dependencies;
    case RepairStrategy::install_toolchain: return &one.install_toolchain;
    case RepairStrategy::fix_permissions:
    case RepairStrategy::restore: return nullptr;
  }
  return nullptr;
}

Result<void> check_strategies(const std::string& who, const ComponentImplementation& one) {
  for (int number = 0; number < repair_strategy_count; ++number) {
    const auto strategy = static_cast<RepairStrategy>(number);
    if (!one.allowed.contains(strategy)) continue;
    const std::string allows = who + " allows " + std::string(name(strategy));
    if (one.kind == ComponentKind::builtin) {
      return wrong(allows + ", but a builtin is part of the program", "allow nothing");
    }
    const ComponentCommand* command = command_of(one, strategy);
    if (command != nullptr && command->empty()) {
      return wrong(allows + " and says no command for it", "say one, or do not allow it");
    }
    if (strategy == RepairStrategy::clean_build && one.clean.empty()) {
      return wrong(allows + " and says no command to clean", "say one, or do not allow it");
    }
    if (strategy == RepairStrategy::restore && one.sources.empty()) {
      return wrong(allows + " and does not say what it is built from", "name its sources");
    }
  }
  return {};
}

Result<void> check_one(const std::string& who, const ComponentImplementation& one) {
  if (auto checked = check_name("implementation", one.name); !checked) return checked;
  if (one.kind != ComponentKind::builtin && one.artifact.empty()) {
    return wrong(who + " has no artifact", "say which file it is");
  }
  const bool tells_version = !one.probe.empty() || one.builtin_probe;
  if (!one.version.empty() && !tells_version) {
    return wrong(who + " wants a version and has no probe that says which it is", "say one");
  }
  const auto leaves = [](const auto& path) { return !stays_inside(path); };
  if (leaves(one.artifact) || std::ranges::any_of(one.sources, leaves)) {
    return wrong(who + " names a file outside of its component's folder",
                 "say paths that are relative to the folder and stay in it");
  }
  return check_strategies(who, one);
}

Result<void> check_setting(const std::string& who, const ComponentSetting& setting) {
  const Duration shortest = std::min(
      {setting.backoff, setting.backoff_max, setting.build_timeout, setting.check_interval});
  const Duration longest = std::max(
      {setting.backoff, setting.backoff_max, setting.build_timeout, setting.check_interval});
  if (shortest < limits::component_duration_min || longest > limits::duration_max) {
    return wrong(who + " has a time that is too short or too long", "say 10 ms to 100 years");
  }
  if (setting.attempts_max > limits::attempts_max) {
    return wrong(who + " is repaired over " + std::to_string(limits::attempts_max) + " times",
                 "stay within the limit");
  }
  return {};
}

}  // namespace

ImplementationTraits traits_of(const ComponentImplementation& implementation) {
  ImplementationTraits traits(implementation.kind);
  for (int number = 0; number < repair_strategy_count; ++number) {
    const auto strategy = static_cast<RepairStrategy>(number);
    if (implementation.allowed.contains(strategy)) traits = traits.with(strategy);
  }
  return traits;
}

Result<void> check(const std::vector<ComponentSpec>& components) {
  if (components.size() > limits::components_max) {
    return wrong(
        "an engine keeps at most " + std::to_string(limits::components_max) + " components",
        "keep fewer");
  }
  std::set<std::string_view> names;
  for (const ComponentSpec& component : components) {
    const std::string who = "the component '" + component.name + "'";
    if (auto checked = check_name("component", component.name); !checked) return checked;
    if (!names.insert(component.name).second) {
      return wrong("two components are called '" + component.name + "'",
                   "give each a name of its own");
    }
    if (component.folder.empty()) return wrong(who + " has no folder", "say where it is");
    if (component.implementations.empty() ||
        component.implementations.size() > limits::implementations_max) {
      return wrong(who + " has no implementation, or too many",
                   "say 1 to " + std::to_string(limits::implementations_max));
    }
    if (auto checked = check_setting(who, component.setting); !checked) return checked;
    std::set<std::string_view> ways;
    for (const ComponentImplementation& one : component.implementations) {
      const std::string of = "the implementation '" + one.name + "' of " + who;
      if (!ways.insert(one.name).second) return wrong(of + " is there twice", "remove one");
      if (auto checked = check_one(of, one); !checked) return checked;
    }
  }
  return {};
}

}  // namespace almanac
