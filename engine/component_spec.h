// The components that an engine keeps in working order: what each is made of, how one sees that it
// works, and what may be done when it does not. Nothing is done that is not said here.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/component.h>
#include <almanac/projections/components.h>

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace almanac {

// A program and its arguments, run in the component's folder. Never a shell, unless it is named.
using ComponentCommand = std::vector<std::string>;

class StrategySet {
 public:
  StrategySet() = default;
  StrategySet(std::initializer_list<RepairStrategy> strategies) {
    for (const RepairStrategy strategy : strategies) insert(strategy);
  }
  void insert(RepairStrategy strategy) { traits_ = traits_.with(strategy); }
  [[nodiscard]] bool contains(RepairStrategy strategy) const { return traits_.allows(strategy); }
  bool operator==(const StrategySet&) const = default;

 private:
  ImplementationTraits traits_;
};

// One way to do what the component does. Paths are relative to the component's folder and stay in
// it.
struct ComponentImplementation {
  std::string name;
  ComponentKind kind = ComponentKind::program;
  std::filesystem::path artifact;  // the shared library or the program; a builtin has none
  // What a build reads, files and folders: with these known a build that went well is kept, and
  // comes back when they are as they were then.
  std::vector<std::filesystem::path> sources;
  // Ends with 0 when the implementation can be used; the first line it writes is its version. None:
  // the artifact alone says so.
  ComponentCommand probe;
  std::string version;  // wanted: "1.4" takes 1.4 and 1.4.2; empty = any
  ComponentCommand build;
  ComponentCommand clean;
  ComponentCommand install_dependencies;
  ComponentCommand install_toolchain;
  std::vector<std::string> toolchain;  // programs that the commands need
  StrategySet allowed;
  std::function<Result<std::string>()> builtin_probe;  // of a builtin: its version; none = it works
};

struct ComponentSpec {
  std::string name;
  std::filesystem::path folder;  // what is done stays in here
  ComponentSetting setting;
  std::vector<ComponentImplementation> implementations;  // in order of preference
};

// What is used has changed.
struct ComponentSwitch {
  std::string component;
  std::string from;  // empty = none, as is
  std::string to;
  SwitchCause cause = SwitchCause::preferred;
};

[[nodiscard]] ImplementationTraits traits_of(const ComponentImplementation& implementation);

// Whether an engine can take these. Errors: invalid (names, paths that leave the folder, a strategy
// that is allowed without its command, numbers).
[[nodiscard]] Result<void> check(const std::vector<ComponentSpec>& components);

}  // namespace almanac
