// What can be typed to look at the state, now or in the past.
#include <almanac/tools/past_commands.h>

#include <almanac/tools/command_line.h>

namespace almanac {
namespace {

void add_at(OptionSet& options, std::string& at) { options.text("--at", at, at_help); }

void add_queues(CommandGroup& root) {
  auto [options, command] =
      root.add<QueuesCommand>({"queues", "Show the queues, their slots and their tasks",
                               "almanac queues --at \"2 hours ago\""},
                              queues);
  add_at(options, command.at);
}

void add_recommend(CommandGroup& root) {
  auto [options, command] = root.add<RecommendCommand>(
      {"recommend", "Show which tasks should be done next, and why",
       "almanac recommend --owner ann --limit 3\n  almanac recommend --queue mail --json"},
      recommend);
  options.text("-q,--queue", command.queue, {"NAME", "Only of this queue"});
  options.text("--owner", command.owner, {"NAME", "Only of this owner"});
  options.number("--limit", command.limit, {.min = 1}, {"NUMBER", "At most so many"});
  add_at(options, command.at);
}

void add_stats(CommandGroup& root) {
  auto [options, command] = root.add<StatsCommand>(
      {"stats", "Count tasks, their rates, waits and ends",
       "almanac stats --since \"1 day ago\"\n  almanac stats --by owner --json"},
      stats);
  options.text("--by", command.by, {"GROUP", "queue (the default), kind or owner"});
  options.text("--since", command.since,
               {"MOMENT", "What happened since; the beginning when left out"});
  add_at(options, command.at);
}

void add_limits(CommandGroup& root) {
  constexpr auto uint32_max = std::numeric_limits<std::uint32_t>::max();
  auto [options, command] = root.add<LimitsCommand>(
      {"limits", "Show the limits and who waits for them, or set one",
       "almanac limits\n"
       "  almanac limits --set memory --units 64\n"
       "  almanac limits --set api --per-minute 600 --burst 20\n"
       "  almanac limits --lift memory\n"
       "  Tasks ask for a limit by its name. kind:NAME is asked for by every task of\n"
       "  the kind, FAMILY:* sets all limits FAMILY:… that are not set, * all others."},
      resource_limits);
  add_at(options, command.at);
  options.text("--set", command.set, {"NAME", "The limit to set"});
  options.number("--units", command.units, {}, {"NUMBER", "In use at once; 0 = any number"});
  options.number("--per-minute", command.per_minute, {.max = uint32_max},
                 {"NUMBER", "Tokens that come back in a minute; 0 = no rate"});
  options.number("--burst", command.burst, {.max = uint32_max},
                 {"NUMBER", "Tokens at most; with a rate, 1 when left out"});
  options.text("--lift", command.lift, {"NAME", "The limit to lift: it holds nobody any more"});
  options.exclude("--set", "--lift");
  options.exclude("--set", "--at");
  options.exclude("--lift", "--at");
}

void add_backups(CommandGroup& root) {
  auto [options, command] = root.add<BackupsCommand>(
      {"backups", "Show the backups that runs make, and how they went",
       "almanac run --repository /backup/build --snapshot 'every 15 minutes'\n"
       "  almanac backups"},
      backups);
  add_at(options, command.at);
}

void add_bisect(CommandGroup& root) {
  auto [options, command] = root.add<BisectCommand>(
      {"bisect", "Find the first position at which a condition holds",
       "almanac bisect --when \"tasks.failed > 100\"\n"
       "  almanac bisect --when 'exists(queue == \"web\" && age > 2h && !ended)'\n"
       "  The condition must not hold at the beginning and must hold at the end. When\n"
       "  it comes and goes in between, one of the positions at which it begins to\n"
       "  hold is found, which need not be the first."},
      bisect);
  options.text("--when", command.when,
               {"EXPRESSION", "About the state, such as tasks.failed > 100"});
  options.require("--when");
  options.text("--from", command.from, {"MOMENT", "Position or time where it does not hold yet"});
  options.text("--to", command.to, {"MOMENT", "Position or time where it holds"});
}

void add_task(OptionSet& options, std::uint64_t& id) {
  options.number("id", id, {.min = 1}, {"", "Number of the task"});
  options.require("id");
}

void add_history(CommandGroup& root) {
  auto [options, command] =
      root.add<HistoryCommand>({"history", "Print the events of a task and the time between",
                                "almanac history 7 --at \"2 hours ago\""},
                               history);
  add_task(options, command.id);
  add_at(options, command.at);
}

void add_why(CommandGroup& root) {
  auto [options, command] = root.add<WhyCommand>(
      {"why", "Tell why a task waited or waits, and what it did",
       "almanac why 7\n  almanac why 7 --tree\n  almanac why 7 --at 1200 --json"},
      why);
  add_task(options, command.id);
  add_at(options, command.at);
  options.flag("--tree", command.tree,
               "As a tree: what enqueued it, its waits and\nattempts, and what each caused, with "
               "what that\ncaused");
  options.number("--depth", command.depth, {.min = 1, .max = 100},
                 {"NUMBER", "Of the tree, in tasks"});
}

void add_diff(CommandGroup& root) {
  auto [options, command] =
      root.add<DiffCommand>({"diff", "Show what changed between two moments",
                             "almanac diff 1200 1300\n  almanac diff \"2 hours ago\" now --json"},
                            diff_states);
  options.text("before", command.before, {"MOMENT", "Position or time"});
  options.text("after", command.after, {"MOMENT", "Position or time"});
  options.require("before");
  options.require("after");
}

void add_replay(CommandGroup& root) {
  auto [options, command] =
      root.add<ReplayCommand>({"replay", "Print each event and what it changed",
                               "almanac replay --from 1200 --to 1300 --json\n"
                               "  almanac replay --from \"2 hours ago\" --speed 60\n"
                               "  almanac replay --step"},
                              replay);
  options.text("--from", command.from, {"MOMENT", "Position or time behind which it begins"});
  options.text("--to", command.to, {"MOMENT", "Position or time at which it ends"});
  options.number("--speed", command.speed, {},
                 {"NUMBER",
                  "So many times as fast as it happened, and\nnever silent for more than "
                  "2s; 0 = at once"});
  options.flag("--step", command.step,
               "On a terminal, forward and backward by keys:\narrows, g to go to a moment, q");
  options.exclude("--step", "--json");
  options.exclude("--step", "--speed");
}

void add_fork(CommandGroup& root) {
  auto [options, command] =
      root.add<ForkCommand>({"fork", "Make a new log that branches off at a moment",
                             "almanac fork --at 1200 --to try\n"
                             "  almanac run --dir try\n"
                             "  What was done before that moment is done, and is not done again."},
                            fork);
  add_at(options, command.at);
  options.text("--to", command.to, {"FOLDER", "Missing or empty; gets the new log"});
  options.require("--to");
  options.text("--running", command.running,
               {"cancel|requeue",
                "What becomes of tasks that ran at that moment:\ncancel (the default), or "
                "requeue: run them again"});
}

}  // namespace

void add_past_commands(CommandGroup& root) {
  add_queues(root);
  add_recommend(root);
  add_stats(root);
  add_limits(root);
  add_backups(root);
  add_why(root);
  add_history(root);
  add_diff(root);
  add_bisect(root);
  add_replay(root);
  add_fork(root);
}

void add_state_commands(CommandGroup& state) {
  auto [digest_options, digest] = state.add<StateDigestCommand>(
      {"digest", "Print the digest of the state", "almanac state digest --dir work --at 1200"},
      state_digest);
  add_at(digest_options, digest.at);
  auto [verify_options, verify] = state.add<StateVerifyCommand>(
      {"verify", "Check that the parts of the state fit together",
       "almanac state verify --at 2026-11-21T03:00:00Z\n"
       "  Ends with exit code 6 and a sentence for each promise that is broken."},
      state_verify);
  add_at(verify_options, verify.at);
}

}  // namespace almanac
