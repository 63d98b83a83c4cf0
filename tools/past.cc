#include <almanac/tools/past.h>

#include <almanac/tools/moment.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>
#include <almanac/snapshots/state_at.h>

#include <fmt/core.h>

namespace almanac {
namespace {

Result<Position> at_number(const Log& log, Position position, std::string_view text) {
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  if (position < base->last) {
    return fail(ErrorCode::refused,
                fmt::format("the log begins at position {}: what happened before was removed",
                            base->last.value + 1),
                "name a moment behind that");
  }
  if (position <= tail->last) return position;
  return fail(ErrorCode::not_found,
              fmt::format("the log ends at position {}, before {}", tail->last.value, text),
              "leave the position out to see how things stand at the end");
}

Result<Position> at_time(const Log& log, std::string_view text, Time now) {
  auto time = parse_moment(text, now);
  if (!time) return std::unexpected(time.error());
  auto behind = log.position_at(*time + Duration(1));
  if (!behind) return std::unexpected(behind.error());
  auto first = log.first();
  if (!first) return std::unexpected(first.error());
  if (*behind > *first) return Position(behind->value - 1);
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  if (!tail->last) return fail(ErrorCode::not_found, "the log is empty: it has no past");
  std::string began;
  auto read = log.read_one(*first, [&](const Event& event) { began = format_time(event.at); });
  if (!read) return std::unexpected(read.error());
  return fail(ErrorCode::not_found,
              fmt::format("'{}' lies before the first event of the log", printable(text)),
              fmt::format("that one, at position {}, is of {}", first->value, began));
}

}  // namespace

Result<std::optional<Position>> find_position(const Log& log, std::string_view text, Time now) {
  if (text.empty()) return std::nullopt;
  const auto number = parse_position(text);
  auto position = number ? at_number(log, *number, text) : at_time(log, text, now);
  if (!position) return std::unexpected(position.error());
  return *position;
}

Error with_first_state(Error error, const Log& log, const std::filesystem::path& folder,
                       std::optional<Position> asked) {
  if (error.code != ErrorCode::refused) return error;
  const auto first = first_state_position(log, folder);
  if (first && asked && *asked >= *first) return error;  // its checkpoint does not serve
  error.next_step = first ? fmt::format("name a moment from position {} on", first->value)
                          : first.error().next_step;
  return error;
}

Result<PastRange> find_range(const Log& log, const std::filesystem::path& folder,
                             const PastRangeText& text) {
  const auto now = system_time();
  auto from = find_position(log, text.from, now);
  if (!from) return std::unexpected(with_first_state(from.error(), log, folder));
  auto to = find_position(log, text.to, now);
  if (!to) return std::unexpected(with_first_state(to.error(), log, folder));
  auto first = *from ? Result<Position>(**from) : first_state_position(log, folder);
  if (!first) return std::unexpected(first.error());
  auto tail = log.tail();
  if (!tail) return std::unexpected(tail.error());
  const PastRange range{.from = *first, .to = to->value_or(tail->last)};
  if (range.from <= range.to) return range;
  if (text.from.empty()) {
    return fail(ErrorCode::refused,
                fmt::format("the first state there is, is that at position {}", first->value),
                "end behind it with --to");
  }
  return fail(ErrorCode::invalid, "--to lies before --from", "swap them");
}

}  // namespace almanac
