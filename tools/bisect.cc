#include <almanac/tools/event_json.h>
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
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

struct Search {
  const PastStates& past;
  const Query& query;
  std::uint64_t states = 0;  // looked at

  Result<bool> holds(Position position) {
    ++states;
    auto state = past.at(position);
    if (!state) return std::unexpected(state.error());
    return query.holds(*state);
  }
};

// It does not hold at `range.from` and holds at `range.to`.
Result<Position> first_of(Search& search, PastRange range) {
  while (range.from.next() < range.to) {
    const Position middle(range.from.value + (range.to.value - range.from.value) / 2);
    auto holds = search.holds(middle);
    if (!holds) return std::unexpected(holds.error());
    (*holds ? range.to : range.from) = middle;
  }
  return range.to;
}

ExitCode print(const Log& log, const BisectCommand& command, Position found, std::uint64_t states) {
  std::string line;
  auto read = found ? log.read_one(found,
                                   [&](const Event& event) {
                                     const RecordedEvent recorded{found, event};
                                     line =
                                         command.json ? event_json(recorded) : event_line(recorded);
                                   })
                    : Result<void>();
  if (!read) return report(read.error());
  if (command.json) {
    fmt::print("{{\"position\":{},\"states\":{},\"event\":{}}}\n", found.value, states,
               line.empty() ? "null" : line);
    return ExitCode::ok;
  }
  fmt::print("first holds at position {}; looked at {}\n{}\n", found.value,
             counted(states, "state"),
             line.substr(std::min(line.find_first_not_of(' '), line.size())));
  return ExitCode::ok;
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
  Search search{.past = past, .query = *query};
  auto at_start = search.holds(range->from);
  if (!at_start) return report(at_start.error());
  if (*at_start) {
    return report({ErrorCode::refused,
                   fmt::format("it holds at position {} already", range->from.value),
                   "begin where it does not hold, with --from, or ask for its opposite: !(…)"});
  }
  auto at_end = search.holds(range->to);
  if (!at_end) return report(at_end.error());
  if (!*at_end) {
    return report({ErrorCode::not_found,
                   fmt::format("it does not hold at position {}", range->to.value),
                   "if it held before that, end there with --to"});
  }
  auto found = first_of(search, *range);
  if (!found) return report(found.error());
  return print(**log, command, *found, search.states);
}

}  // namespace almanac
