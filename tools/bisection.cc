#include <almanac/tools/bisection.h>

#include <almanac/tools/event_json.h>

#include <fmt/core.h>

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

}  // namespace

Result<Bisected> find_first(const PastStates& past, const Query& query, PastRange range) {
  Search search{.past = past, .query = query};
  auto at_start = search.holds(range.from);
  if (!at_start) return std::unexpected(at_start.error());
  if (*at_start) {
    return fail(ErrorCode::refused,
                fmt::format("it holds at position {} already", range.from.value),
                "begin where it does not hold, with --from, or ask for its opposite: !(…)");
  }
  auto at_end = search.holds(range.to);
  if (!at_end) return std::unexpected(at_end.error());
  if (!*at_end) {
    return fail(ErrorCode::not_found,
                fmt::format("it does not hold at position {}", range.to.value),
                "if it held before that, end there with --to");
  }
  auto found = first_of(search, range);
  if (!found) return std::unexpected(found.error());
  return Bisected{.position = *found, .states = search.states};
}

Result<std::string> bisected_json(const Log& log, const Bisected& found) {
  std::string line = "null";
  if (found.position) {
    auto read = log.read_one(found.position, [&](const Event& event) {
      line = event_json(RecordedEvent{found.position, event});
    });
    if (!read) return std::unexpected(read.error());
  }
  return fmt::format("{{\"position\":{},\"states\":{},\"event\":{}}}", found.position.value,
                     found.states, line);
}

}  // namespace almanac
