#include <almanac/tools/event_scan.h>
#include <almanac/tools/log_commands.h>
#include <almanac/tools/print_event.h>

#include <almanac/engine/engine.h>
#include <almanac/log/log.h>

#include <cstdio>

namespace almanac {

ExitCode log_cat(const LogCatCommand& command) {
  auto filter = make_filter(command.filter, system_time());
  if (!filter) return report(filter.error());
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  EventPrinter printer(*filter, command.json);
  auto scanned =
      scan_events(**log, *filter, {.limit = command.limit, .reverse = command.reverse},
                  [&](const RecordedEvent& event) -> Result<bool> { return printer.print(event); });
  if (!scanned) return report(scanned.error());
  printer.hint();
  return ExitCode::ok;
}

}  // namespace almanac
