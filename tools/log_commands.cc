// What can be typed behind `almanac log`.
#include <almanac/tools/command_line.h>
#include <almanac/tools/commands.h>

namespace almanac {
namespace {

void add_cat(CommandGroup& log) {
  auto [options, command] = log.add<LogCatCommand>(
      {"cat", "Print events", "almanac log cat --from 100 --to 120 --json"}, log_cat);
  options.number("--from", command.from, {.min = 1}, {"POSITION", "First position"});
  options.number("--to", command.to, {}, {"POSITION", "Last position; 0 = the end"});
}

void add_verify(CommandGroup& log) {
  log.add<LogVerifyCommand>(
      {"verify", "Check every checksum, digest, link and event", "almanac log verify --dir work"},
      log_verify);
}

}  // namespace

void add_log_commands(CommandGroup& log) {
  add_cat(log);
  add_verify(log);
}

}  // namespace almanac
