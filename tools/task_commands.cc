// What can be typed to change tasks.
#include <almanac/tools/task_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_choice(OptionSet& options, TaskChoice& choice) {
  options.numbers("id", choice.ids, {.min = 1}, {"", "Numbers of the tasks"});
  options.text("--where", choice.where,
               {"EXPRESSION",
                "All for which this holds and that can be\nchanged so, as for `almanac list`"});
  options.flag("--dry-run", choice.dry_run, "Say how many these are, and change nothing");
  options.exclude("id", "--where");
}

void add_reason(OptionSet& options, std::string& reason) {
  options.text("--reason", reason, {"TEXT", "Why, for the record"});
}

void add_pause_options(OptionSet& options, PauseCommand& command) {
  add_choice(options, command.choice);
  options.text("--queue", command.queue, {"NAME", "A queue: of its tasks none begins"});
  options.text("--kind", command.kind, {"NAME", "A kind: of its tasks none begins"});
  options.exclude("--queue", "--kind");
}

}  // namespace

void add_task_commands(CommandGroup& root) {
  auto [cancel_options, cancelling] =
      root.add<CancelCommand>({"cancel", "Cancel tasks that have not ended",
                               "almanac cancel 7 8\n"
                               "  almanac cancel --where 'queue == \"mail\" && !ended' --dry-run"},
                              cancel);
  add_choice(cancel_options, cancelling.choice);
  add_reason(cancel_options, cancelling.reason);

  auto [retry_options, retrying] = root.add<RetryCommand>(
      {"retry", "Run failed tasks again, with all their attempts",
       "almanac retry 7 8\n"
       "  almanac retry --where 'last_code == 75 && ended_at > timestamp(\"2026-11-21\")'"},
      retry);
  add_choice(retry_options, retrying.choice);
  add_reason(retry_options, retrying.reason);

  auto [pause_options, pausing] = root.add<PauseCommand>(
      {"pause", "Hold tasks, or all of a queue or a kind",
       "almanac pause 7 8\n  almanac pause --queue mail\n  What runs goes on."},
      pause);
  add_pause_options(pause_options, pausing);

  auto [resume_options, resuming] = root.add<PauseCommand>(
      {"resume", "Let go on what was paused", "almanac resume --queue mail"}, resume);
  add_pause_options(resume_options, resuming);
}

}  // namespace almanac
