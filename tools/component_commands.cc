// What can be typed behind `almanac component` and `almanac heal`.
#include <almanac/tools/component_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_file(OptionSet& options, std::string& components) {
  options.text("-c,--components", components, {"FILE", "Where they are described"});
  options.require("--components");
}

void add_heal(CommandGroup& heal, const CommandText& text,
              ExitCode (*function)(const HealCommand&)) {
  auto [options, command] = heal.add<HealCommand>(text, function);
  add_file(options, command.components);
  options.text("component", command.component, {"", "Name of the component; all of them"});
  options.text("implementation", command.implementation, {"", "One of its; all of them"});
}

}  // namespace

void add_component_commands(CommandGroup& component) {
  auto [list_options, list] = component.add<ComponentListCommand>(
      {"list", "List components, and what they are used by", "almanac component list"},
      component_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] = component.add<ComponentShowCommand>(
      {"show", "Show one with its implementations and repairs", "almanac component show parser"},
      component_show);
  show_options.text("component", show.component, {"", "Name of the component"});
  show_options.require("component");
  show_options.text("--at", show.at, at_help);
  auto [options, command] = component.add<HealCommand>(
      {"switch", "Use one of its implementations as long as it is\nhealthy, or the preferred again",
       "almanac component switch -c parts.toml parser plain\n"
       "  almanac component switch -c parts.toml parser"},
      component_switch);
  add_file(options, command.components);
  options.text("component", command.component, {"", "Name of the component"});
  options.require("component");
  options.text("implementation", command.implementation,
               {"", "One of its; without, by order of preference again"});
}

void add_heal_commands(CommandGroup& heal) {
  auto [status_options, status] = heal.add<HealStatusCommand>(
      {"status", "Show the last repairs, and what has helped how often", "almanac heal status"},
      heal_status);
  status_options.text("--at", status.at, at_help);
  auto [options, diagnose] =
      heal.add<HealDiagnoseCommand>({"diagnose", "Look what is wrong, and say what would be tried",
                                     "almanac heal diagnose -c parts.toml"},
                                    heal_diagnose);
  add_file(options, diagnose.components);
  add_heal(heal,
           {"check", "Look at components, and repair what is broken",
            "almanac heal check -c parts.toml"},
           heal_check);
  add_heal(heal,
           {"fix", "The same, also for what was given up",
            "almanac heal fix -c parts.toml parser native"},
           heal_fix);
  add_heal(heal,
           {"clean-build", "Clean and build anew, also what is healthy",
            "almanac heal clean-build -c parts.toml parser"},
           heal_clean_build);
}

}  // namespace almanac
