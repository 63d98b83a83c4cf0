// What can be typed behind `almanac context`.
#include <almanac/tools/context_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_user(OptionSet& options, std::string& user) {
  options.text("--user", user, {"USER", "Whose"});
  options.require("--user");
}

void add_context_set(CommandGroup& context) {
  auto [options, command] = context.add<ContextSetCommand>(
      {"set", "Change what is known of a user",
       "almanac context set --user ann --preference language=en --friendship 0.6\n"
       "  almanac context set --user ann --turn 'user:Hello' --version 17\n"
       "  A VALUE is true, false, a number or text; \"1\" in quotes is text. NAME= takes\n"
       "  it away. All of it is kept or nothing."},
      context_set);
  add_user(options, command.user);
  options.texts("--preference", command.preferences, {"NAME=VALUE", "May be repeated, as these"});
  options.texts("--field", command.fields, {"NAME=VALUE", "Of the program's own fields"});
  options.text("--friendship", command.friendship,
               {"NUMBER", "How well user and program know each other, 0 to 1"});
  options.texts(
      "--turn", command.turns,
      {"ROLE:TEXT", "Add to the conversation what user, assistant,\nsystem or tool said"});
  options.number("--version", command.version, {},
                 {"POSITION", "Only if that is what `get` shows; 0 = nothing is\nknown yet"});
}

}  // namespace

void add_context_commands(CommandGroup& context) {
  auto [get_options, get] = context.add<ContextGetCommand>(
      {"get", "Show what is known of a user", "almanac context get --user ann"}, context_get);
  add_user(get_options, get.user);
  get_options.number("--turns", get.turns, {}, {"NUMBER", "Last turns of the conversation; 20"});
  get_options.text("--at", get.at, at_help);
  add_context_set(context);
  auto [history_options, history] =
      context.add<ContextHistoryCommand>({"history", "List what was learned of a user, and when",
                                          "almanac context history --user ann"},
                                         context_history);
  add_user(history_options, history.user);
  history_options.text("--at", history.at, at_help);
  auto [forget_options, forget] =
      context.add<ContextForgetCommand>({"forget",
                                         "Destroy the key of a user: nothing of him can be "
                                         "read\nany more, in no copy, his memories neither",
                                         "almanac context forget --user ann"},
                                        context_forget);
  add_user(forget_options, forget.user);
  auto [export_options, exported] = context.add<ContextKeysCommand>(
      {"export-keys",
       "Write the keys of all users to a file: whoever has it\ncan read a copy of the log",
       "almanac context export-keys /safe/keys"},
      context_export_keys);
  export_options.text("file", exported.file, {"", "Its name; there must be none yet"});
  export_options.require("file");
  auto [import_options, imported] = context.add<ContextKeysCommand>(
      {"import-keys",
       "Bring keys to a log that was restored without them;\nwhat was destroyed stays so",
       "almanac context import-keys /safe/keys --dir restored"},
      context_import_keys);
  import_options.text("file", imported.file, {"", "That export-keys has made"});
  import_options.require("file");
}

}  // namespace almanac
