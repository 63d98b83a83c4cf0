// What can be typed behind `almanac submit`.
#include <almanac/tools/command_line.h>
#include <almanac/tools/commands.h>

namespace almanac {
namespace {

// When it may run.
void add_conditions(OptionSet& options, SubmitCommand& command) {
  options.text("--delay", command.delay, {"TIME", "Not before this long from now"});
  options.text("--run-at", command.run_at, {"MOMENT", "Not before, such as 2026-11-21T10:00:00Z"});
  options.exclude("--run-at", "--delay");
  options.texts("--after", command.after,
                {"ID[:WHEN]",
                 "A task that must succeed first, or end as WHEN\n"
                 "says: end, failure, success_in_the_end; may be\nrepeated"});
  options.text("--deadline", command.deadline,
               {"MOMENT", "When it should have ended, such as \"in 2 hours\""});
  options.text("--expires", command.expires, {"TIME", "Not begun any more so long from now"});
  options.text("--expires-at", command.expires_at, {"MOMENT", "Not begun any more from then on"});
  options.exclude("--expires-at", "--expires");
}

}  // namespace

void add_submit_command(CommandGroup& root) {
  auto [options, command] = root.add<SubmitCommand>(
      {"submit", "Add one command for the next `almanac run`",
       "almanac submit --name backup --attempts 3 -- tar czf home.tgz /home\n"
       "  almanac run"},
      submit);
  add_command_task(options, command.task);
  add_unique_options(options, command.unique);
  add_group_options(options, command.groups);
  options.text("-n,--name", command.name, {"TEXT", "What to call it; when left out, the command"});
  options.text("--key", command.key, {"TEXT", "Idempotency key: the same key submits once"});
  add_conditions(options, command);
}

}  // namespace almanac
