// What can be typed behind `almanac advisor`.
#include <almanac/tools/advisor_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {

void add_advisor_commands(CommandGroup& advisor) {
  auto [check_options, check] = advisor.add<AdvisorCheckCommand>(
      {"check", "Start the advisor of a file, and see whether it\nanswers as it should",
       "almanac advisor check ranker.toml"},
      advisor_check);
  check_options.text("file", check.file, {"FILE", "Where it is described"});
  check_options.require("file");
  auto [list_options, list] = advisor.add<AdvisorListCommand>(
      {"list", "List advisors of engines, and whether they advise", "almanac advisor list"},
      advisor_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] = advisor.add<AdvisorShowCommand>(
      {"show", "Show one, how often it was of no use and why,\nand what was last wrong with it",
       "almanac advisor show ranker"},
      advisor_show);
  show_options.text("advisor", show.advisor, {"", "Name of the advisor"});
  show_options.require("advisor");
  show_options.text("--at", show.at, at_help);
}

}  // namespace almanac
