// The subcommands of `almanac component` and `almanac heal`.
#pragma once

#include <almanac/tools/exit_code.h>

#include <filesystem>
#include <string>

namespace almanac {

struct ComponentListCommand {
  std::filesystem::path folder;
  std::string at;  // position or time; empty = now
  bool json = false;
};
ExitCode component_list(const ComponentListCommand& command);

struct ComponentShowCommand {
  std::filesystem::path folder;
  std::string component;
  std::string at;
  bool json = false;
};
// Ends with not_found when nothing is known of the component.
ExitCode component_show(const ComponentShowCommand& command);

struct HealStatusCommand {
  std::filesystem::path folder;
  std::string at;
  bool json = false;
};
ExitCode heal_status(const HealStatusCommand& command);

struct HealDiagnoseCommand {
  std::filesystem::path folder;
  std::string components;  // the file that describes them, as is
  bool json = false;
};
// Only looks; ends with work_failed when something is wrong.
ExitCode heal_diagnose(const HealDiagnoseCommand& command);

// Those that let an engine do it, and wait until it has done what it can. They end with work_failed
// where a component is left without an implementation that can be used. Where a daemon holds the
// log, it does it, with those that it keeps.
struct HealCommand {
  std::filesystem::path folder;
  std::string components;
  std::string component;       // empty = all
  std::string implementation;  // empty = all
};
ExitCode heal_check(const HealCommand& command);
ExitCode heal_fix(const HealCommand& command);
ExitCode heal_clean_build(const HealCommand& command);
// An empty implementation: by order of preference again.
ExitCode component_switch(const HealCommand& command);

}  // namespace almanac
