// What can be typed behind `almanac queue`.
#include <almanac/tools/queue_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {

void add_queue_commands(CommandGroup& queue) {
  auto [options, command] = queue.add<QueueSetCommand>(
      {"set", "Change the settings of a queue; what is not named\nstays as it is",
       "almanac queue set web --slots 8\n"
       "  almanac queue set mail --policy urgency --window 12h --weight overdue=100\n"
       "  almanac queue set shared --policy fair --weight ann=200 --weight bob=50\n"
       "  almanac queue set checks --retain-succeeded 1h --retain-failed 30d"},
      queue_set);
  options.text("queue", command.queue, {"", "Name of the queue"});
  options.require("queue");
  options.text("--slots", command.slots,
               {"NUMBER", "Attempts that may run at once; 0 = as many as the\nengine has"});
  options.text("--policy", command.policy,
               {"POLICY",
                "Which of its tasks runs next: priority, fifo,\nurgency, deadline or fair. "
                "Another policy begins\nwith its own settings"});
  options.text("--ageing", command.ageing,
               {"TIME", "Of priority and urgency: waiting so long counts\none point; 0s = none"});
  options.text("--window", command.window,
               {"TIME", "Of urgency: a deadline presses from so long before\nit on"});
  options.text("--short-work", command.short_work,
               {"TIME", "Of urgency: work is short up to this estimate"});
  options.texts("--weight", command.weights,
                {"NAME=NUMBER",
                 "Of urgency: low, medium, high, priority, deadline,\noverdue or short. Of fair: "
                 "an owner's share, where\n100 is that of the others. May be repeated"});
  options.text(
      "--retain-succeeded", command.retain_succeeded,
      {"TIME", "How long its succeeded tasks are kept, or forever;\n0s = as `almanac run` says"});
  options.text("--retain-failed", command.retain_failed, {"TIME", "The same of failed ones"});
  options.text("--retain-cancelled", command.retain_cancelled,
               {"TIME", "The same of cancelled ones"});
}

}  // namespace almanac
