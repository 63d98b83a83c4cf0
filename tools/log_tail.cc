#include <almanac/tools/event_scan.h>
#include <almanac/tools/interrupt.h>
#include <almanac/tools/log_commands.h>
#include <almanac/tools/log_follow.h>
#include <almanac/tools/print_event.h>

#include <almanac/engine/engine.h>
#include <almanac/log/log.h>

#include <csignal>
#include <optional>

namespace almanac {
namespace {

// The position of the first of the last `count` events that match; none when nothing does.
Result<Position> first_of_last(const Log& log, const EventFilter& filter, std::uint64_t count) {
  Position first;
  auto scanned = scan_events(log, filter, {.limit = count, .reverse = true},
                             [&](const RecordedEvent& event) -> Result<bool> {
                               first = event.position;
                               return true;
                             });
  if (!scanned) return std::unexpected(scanned.error());
  return first;
}

// Prints the last events as the log stands, and answers where it ended then.
Result<Position> print_last(const Log& log, const LogTailCommand& command,
                            const EventFilter& filter, EventPrinter& printer) {
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  auto there = filter;
  if (!there.to || there.to > tail->last) there.to = tail->last;
  if (command.count == 0 || !tail->last) return tail->last;
  auto first = first_of_last(log, there, command.count);
  if (!first) return std::unexpected(first.error());
  if (!*first) return tail->last;
  there.from = *first;
  auto scanned = scan_events(log, there, {}, [&](const RecordedEvent& event) -> Result<bool> {
    return printer.print(event);
  });
  if (!scanned) return std::unexpected(scanned.error());
  return tail->last;
}

}  // namespace

ExitCode log_tail(const LogTailCommand& command) {
  auto filter = make_filter(command.filter, system_time());
  if (!filter) return report(filter.error());
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  std::optional<Interrupt> interrupt;
  if (command.follow) {
    interrupt.emplace();
    std::signal(SIGPIPE, SIG_IGN);
  }
  EventPrinter printer(*filter, command.json);
  auto through = print_last(**log, command, *filter, printer);
  if (!through) return report(through.error());
  if (!command.follow) {
    if (command.count > 0) printer.hint();
    return ExitCode::ok;
  }
  auto visit = [&](const RecordedEvent& event) -> Result<bool> {
    if (filter->to && event.position > filter->to) return false;
    if (filter->matches(event) && !printer.print(event)) return false;
    return event.position != filter->to;
  };
  auto followed = follow_log(**log, through->next(), *interrupt, visit);
  return followed ? ExitCode::ok : report(followed.error());
}

}  // namespace almanac
