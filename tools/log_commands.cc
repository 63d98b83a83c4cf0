// What can be typed behind `almanac log`.
#include <almanac/tools/log_commands.h>

#include <almanac/tools/command_line.h>
#include <almanac/tools/limits.h>

namespace almanac {
namespace {

// Which events: the same for every command that prints some.
void add_filter(OptionSet& options, FilterOptions& filter) {
  options.number("--from", filter.from, {.min = 1}, {"POSITION", "First position"});
  options.number("--to", filter.to, {}, {"POSITION", "Last position; 0 = the end"});
  options.text("--since", filter.since,
               {"TIME", "Not older, such as 2026-11-21T10:00:00Z\nor \"2 hours ago\""});
  options.text("--until", filter.until, {"TIME", "Not younger"});
  options.text("--stream", filter.stream, {"NAME", "Only of this stream"});
  options.texts("--type", filter.types,
                {"NAME",
                 "Only of this type, such as TaskFailed, or of\nthis custom type; may be "
                 "repeated"});
  options.number("--correlation", filter.correlation, {},
                 {"POSITION", "Only the event there and those that belong to it"});
}

void add_order(OptionSet& options, std::uint64_t& limit, bool& reverse) {
  options.number("--limit", limit, {}, {"NUMBER", "At most so many; 0 = all"});
  options.flag("--reverse", reverse, "Newest first");
}

void add_cat(CommandGroup& log) {
  auto [options, command] =
      log.add<LogCatCommand>({"cat", "Print events",
                              "almanac log cat --from 100 --to 120 --json\n"
                              "  almanac log cat --type TaskFailed --since \"2 hours ago\""},
                             log_cat);
  add_filter(options, command.filter);
  add_order(options, command.limit, command.reverse);
}

void add_tail(CommandGroup& log) {
  auto [options, command] =
      log.add<LogTailCommand>({"tail", "Print the last events, and those that come",
                               "almanac log tail -n 20 -f --type TaskFailed"},
                              log_tail);
  options.number("-n,--lines", command.count, {}, {"NUMBER", "How many"});
  options.flag("-f,--follow", command.follow, "Go on with each event that comes, until Ctrl-C");
  add_filter(options, command.filter);
}

void add_grep(CommandGroup& log) {
  auto [options, command] =
      log.add<LogGrepCommand>({"grep", "Print the events that hold a text",
                               "almanac log grep \"disk full\" --since \"1 day ago\"\n"
                               "  almanac log grep -E 'time(d )?out' -i -c\n"
                               "  Ends with exit code 1 when nothing is found."},
                              log_grep);
  options.text(
      "pattern", command.pattern,
      {"PATTERN", "What to find in keys, streams, labels, messages,\npayloads and outputs"});
  options.require("pattern");
  options.flag("-E,--extended-regexp", command.extended,
               "The pattern is an extended regular expression");
  options.flag("-i,--ignore-case", command.ignore_case, "a is A, for ASCII letters");
  options.flag("-c,--count", command.count, "Print only how many there are");
  add_filter(options, command.filter);
  add_order(options, command.limit, command.reverse);
}

void add_export(CommandGroup& log) {
  auto [options, command] = log.add<LogExportCommand>(
      {"export", "Write the log as JSON Lines",
       "almanac log export --output log.jsonl\n"
       "  almanac log export --type TaskFailed | jq .message\n"
       "  Without a filter `almanac log import` makes the same log of it again."},
      log_export);
  options.text("-o,--output", command.output,
               {"FILE", "A new file; when left out, standard output"});
  add_filter(options, command.filter);
  add_order(options, command.limit, command.reverse);
}

void add_import(CommandGroup& log) {
  auto [options, command] = log.add<LogImportCommand>(
      {"import", "Make a log of what was exported", "almanac log import log.jsonl --dir new"},
      log_import);
  options.text("file", command.file, {"FILE", "What to read, - for standard input"});
  options.require("file");
}

void add_stat(CommandGroup& log) {
  log.add<LogStatCommand>(
      {"stat", "Tell how large the log is and what is in it", "almanac log stat --dir work"},
      log_stat);
}

void add_log_verify(CommandGroup& log) {
  auto [options, command] =
      log.add<LogVerifyCommand>({"verify", "Check every checksum, digest, link and event",
                                 "almanac log verify --dir work\n"
                                 "  Stopped with Ctrl-C, it goes on from there the next time."},
                                log_verify);
  options.number("-j,--jobs", command.jobs, {.min = 0, .max = limits::verify_jobs_max},
                 {"NUMBER", "Threads; 0 = one for each processor"});
  options.flag("--from-start", command.from_start, "Do not go on where an earlier run stopped");
}

void add_trim(CommandGroup& log) {
  auto [options, command] =
      log.add<LogTrimCommand>({"trim", "Remove the front of the log, below its checkpoint",
                               "almanac log trim --older-than \"30 days ago\"\n"
                               "  almanac log trim --keep 2GiB\n"
                               "  What the checkpoint does not cover stays, whatever is asked."},
                              log_trim);
  options.number("--before", command.before, {}, {"POSITION", "Events in front of this one"});
  options.text("--older-than", command.older_than,
               {"TIME", "Events older than this, such as\n\"30 days ago\""});
  options.text("--keep", command.keep, {"SIZE", "All but the newest so many bytes"});
}

void add_repair(CommandGroup& log) {
  auto [options, command] = log.add<LogRepairCommand>(
      {"repair", "Keep what is whole of a damaged log", "almanac log repair --dry-run"},
      log_repair);
  options.flag("--dry-run", command.dry_run, "Only say what would be kept and cut");
}

void add_compact(CommandGroup& log) {
  log.add<LogCompactCommand>({"compact", "Copy the log into a file without unused pages",
                              "almanac log compact --dir work"},
                             log_compact);
}

}  // namespace

void add_log_commands(CommandGroup& log) {
  add_cat(log);
  add_tail(log);
  add_grep(log);
  add_stat(log);
  add_log_verify(log);
  add_export(log);
  add_import(log);
  add_trim(log);
  add_repair(log);
  add_compact(log);
}

}  // namespace almanac
