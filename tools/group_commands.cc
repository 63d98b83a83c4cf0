// What can be typed behind `almanac group`.
#include <almanac/tools/group_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_group_name(OptionSet& options, std::string& name) {
  options.text("name", name, {"", "Name of the group"});
  options.require("name");
}

}  // namespace

void add_group_commands(CommandGroup& group) {
  auto [list_options, list] = group.add<GroupListCommand>(
      {"list", "List groups and how far they are", "almanac group list"}, group_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] = group.add<GroupShowCommand>(
      {"show", "Show one, and what waits for it", "almanac group show import"}, group_show);
  add_group_name(show_options, show.name);
  show_options.text("--at", show.at, at_help);
  auto [create_options, create] =
      group.add<GroupChangeCommand>({"create", "Open one, for tasks of many submissions",
                                     "almanac group create import\n"
                                     "  almanac submit --after-group import:end -- ./report\n"
                                     "  almanac submit --group import -- ./load part-1\n"
                                     "  almanac group close import"},
                                    group_create);
  add_group_name(create_options, create.name);
  auto [close_options, close] = group.add<GroupChangeCommand>(
      {"close", "Close one: no more tasks come, and what comes\nafter it runs when all have ended",
       "almanac group close import"},
      group_close);
  add_group_name(close_options, close.name);
  auto [cancel_options, cancel] = group.add<GroupChangeCommand>(
      {"cancel", "Close one and cancel its tasks", "almanac group cancel import"}, group_cancel);
  add_group_name(cancel_options, cancel.name);
  cancel_options.text("--reason", cancel.reason, {"TEXT", "Why, for the record"});
}

}  // namespace almanac
