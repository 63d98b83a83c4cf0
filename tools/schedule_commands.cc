// What can be typed behind `almanac schedule`.
#include <almanac/tools/schedule_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_schedule_name(OptionSet& options, std::string& name) {
  options.text("name", name, {"", "Name of the schedule"});
  options.require("name");
}

void add_add(CommandGroup& schedule) {
  auto [options, command] = schedule.add<ScheduleAddCommand>(
      {"add", "Add a command that is enqueued again and again",
       "almanac schedule add nightly 'daily at 02:30 Europe/Paris' -- make backup\n"
       "  almanac schedule add report '0 9 * * MON-FRI' --overlap queue -- ./report\n"
       "  almanac run --forever"},
      schedule_add);
  add_schedule_name(options, command.name);
  options.text("recurrence", command.recurrence,
               {"",
                "When: 'every 15 minutes', 'daily at 02:30',\n'weekly on sunday at 03:00' or "
                "a cron expression\nsuch as '0 9 * * MON-FRI', in UTC or in a zone\nthat is "
                "named behind it"});
  options.require("recurrence");
  add_command_task(options, command.task);
  options.text("--missed", command.missed,
               {"once|skip|all",
                "What becomes of times that nothing ran at: the\nnewest is made up for (the "
                "default), none is, or\nall are that --window reaches back to"});
  options.text("--window", command.window, {"TIME", "Of --missed all, such as 6h"});
  options.text("--overlap", command.overlap,
               {"skip|allow|queue|replace",
                "While the last task has not ended: do not enqueue\n(the default), enqueue all "
                "the same, wait for its\nend, or cancel it"});
  options.flag("--change", command.change, "Change the one of that name, if there is one");
}

void add_changes(CommandGroup& schedule) {
  auto [pause_options, pause] = schedule.add<SchedulePauseCommand>(
      {"pause", "Let its times pass until it is resumed",
       "almanac schedule pause nightly --reason 'the disk is being changed'"},
      schedule_pause);
  add_schedule_name(pause_options, pause.name);
  pause_options.text("--reason", pause.reason, {"TEXT", "Why, for the record"});
  auto [resume_options, resume] = schedule.add<ScheduleChangeCommand>(
      {"resume", "Go on with one that is paused", "almanac schedule resume nightly"},
      schedule_resume);
  add_schedule_name(resume_options, resume.name);
  auto [remove_options, remove] = schedule.add<ScheduleChangeCommand>(
      {"remove", "Remove one; what it has enqueued stays", "almanac schedule remove nightly"},
      schedule_remove);
  add_schedule_name(remove_options, remove.name);
}

void add_schedule_readers(CommandGroup& schedule) {
  auto [list_options, list] = schedule.add<ScheduleListCommand>(
      {"list", "List schedules, and when each is due", "almanac schedule list --at '2 hours ago'"},
      schedule_list);
  list_options.text("--at", list.at, at_help);
  auto [show_options, show] = schedule.add<ScheduleShowCommand>(
      {"show", "Show one, and what became of its times", "almanac schedule show nightly"},
      schedule_show);
  add_schedule_name(show_options, show.name);
  show_options.text("--at", show.at, at_help);
  auto [next_options, next] = schedule.add<ScheduleNextCommand>(
      {"next", "Print the times one is due at, or would be",
       "almanac schedule next nightly\n"
       "  almanac schedule next --recurrence '30 2 * * * Europe/Paris' --at 2026-03-28"},
      schedule_next);
  next_options.text("name", next.name, {"", "Name of the schedule"});
  next_options.text("--recurrence", next.recurrence, {"TEXT", "Of this, without a schedule"});
  next_options.exclude("name", "--recurrence");
  next_options.text("--at", next.at, at_help);
  next_options.number("--count", next.count, {.min = 1, .max = 10'000}, {"NUMBER", "So many"});
}

}  // namespace

void add_schedule_commands(CommandGroup& schedule) {
  add_add(schedule);
  add_schedule_readers(schedule);
  add_changes(schedule);
}

}  // namespace almanac
