#include <almanac/tools/event_scan.h>
#include <almanac/tools/event_text.h>
#include <almanac/tools/log_commands.h>
#include <almanac/tools/pattern.h>
#include <almanac/tools/print_event.h>

#include <almanac/engine/engine.h>
#include <almanac/log/log.h>

#include <fmt/core.h>

namespace almanac {
namespace {

bool contains(const Event& event, const Pattern& pattern) {
  bool found = pattern.is_in(type_name(event.body));
  visit_texts(event, [&](std::string_view text) { found = found || pattern.is_in(text); });
  return found;
}

}  // namespace

ExitCode log_grep(const LogGrepCommand& command) {
  auto filter = make_filter(command.filter, system_time());
  if (!filter) return report(filter.error());
  auto pattern = Pattern::make(command.pattern,
                               {.extended = command.extended, .ignore_case = command.ignore_case});
  if (!pattern) return report(pattern.error());
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  EventPrinter printer(*filter, command.json);
  std::uint64_t found = 0;
  auto visit = [&](const RecordedEvent& event) -> Result<bool> {
    if (!contains(event.event, *pattern)) return true;
    ++found;
    bool is_read = command.count || printer.print(event);
    return is_read && found != command.limit;
  };
  auto scanned = scan_events(**log, *filter, {.limit = 0, .reverse = command.reverse}, visit);
  if (!scanned) return report(scanned.error());
  if (command.count && command.json) {
    fmt::print("{{\"count\":{}}}\n", found);
  } else if (command.count) {
    fmt::print("{}\n", found);
  }
  return found > 0 ? ExitCode::ok : ExitCode::work_failed;
}

}  // namespace almanac
