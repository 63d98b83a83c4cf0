#include <almanac/tools/bisection.h>
#include <almanac/tools/event_text.h>
#include <almanac/tools/past.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/query_error.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>

#include <almanac/engine/engine.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/past_states.h>

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

Result<void> print_found(const Log& log, const Bisected& found) {
  std::string line;
  const auto take = [&](const Event& event) {
    line = event_line(RecordedEvent{found.position, event}, terminal_columns());
  };
  auto read = found.position ? log.read_one(found.position, take) : Result<void>();
  if (!read) return read;
  fmt::print("first holds at position {}; looked at {}\n{}\n", found.position.value,
             counted(found.states, "state"),
             line.substr(std::min(line.find_first_not_of(' '), line.size())));
  return {};
}

}  // namespace

ExitCode bisect(const BisectCommand& command) {
  auto query = parse_query(command.when, QuerySubject::state);
  if (!query) return report(query.error());
  auto log = Log::open(command.folder, {.access = Access::read});
  if (!log) return report(log.error());
  auto range = find_range(**log, command.folder, {command.from, command.to});
  if (!range) return report(range.error());
  const PastStates past(**log, command.folder, {.refused = tell_refused});
  auto found = find_first(past, *query, *range);
  if (!found) return report(found.error());
  if (!command.json) {
    auto printed = print_found(**log, *found);
    return printed ? ExitCode::ok : report(printed.error());
  }
  auto json = bisected_json(**log, *found);
  if (!json) return report(json.error());
  fmt::print("{}\n", *json);
  return ExitCode::ok;
}

}  // namespace almanac
