#include <almanac/tools/moment.h>

#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <string>

namespace almanac {
namespace {

struct LongUnit {
  std::string_view name;
  std::string_view unit;  // of parse_duration
};
constexpr std::array long_units = {LongUnit{"day", "d"},     LongUnit{"days", "d"},
                                   LongUnit{"hour", "h"},    LongUnit{"hours", "h"},
                                   LongUnit{"minute", "m"},  LongUnit{"minutes", "m"},
                                   LongUnit{"min", "m"},     LongUnit{"second", "s"},
                                   LongUnit{"seconds", "s"}, LongUnit{"sec", "s"}};

// "1 day 6 hours" as "1d6h": without blanks, and with the units parse_duration knows.
std::string in_short(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
    auto letters =
        static_cast<std::size_t>(std::ranges::find_if_not(text, is_letter) - text.begin());
    auto word = text.substr(0, std::max<std::size_t>(letters, 1));
    text.remove_prefix(word.size());
    auto unit = std::ranges::find(long_units, word, &LongUnit::name);
    if (word != " ") result += unit == long_units.end() ? word : unit->unit;
  }
  return result;
}

// Without a zone, as all that Almanac prints is meant; seconds or the time of day may be missing.
std::optional<Time> parse_in_utc(std::string_view text) {
  for (const std::string_view rest : {"Z", ":00Z", "T00:00:00Z"}) {
    if (auto time = parse_time(std::string(text).append(rest))) return *time;
  }
  return std::nullopt;
}

}  // namespace

Result<Time> parse_moment(std::string_view text, Time now) {
  constexpr std::string_view ago = " ago";
  if (text == "now") return now;
  constexpr std::string_view in = "in ";
  if (text.starts_with(in)) {
    auto duration = parse_duration(in_short(text.substr(in.size())));
    if (duration) return now + *duration;
    return fail(ErrorCode::invalid, fmt::format("'{}' is not a time", text),
                "write how far it is, such as \"in 2 hours\" or \"in 90m\"");
  }
  if (text.ends_with(ago)) {
    auto duration = parse_duration(in_short(text.substr(0, text.size() - ago.size())));
    if (duration) return now - *duration;
    return fail(ErrorCode::invalid, fmt::format("'{}' is not a time", text),
                "write how long ago it was, such as \"2 hours ago\" or \"90m ago\"");
  }
  auto time = parse_time(text);
  if (time) return time;
  if (auto in_utc = parse_in_utc(text)) return *in_utc;
  auto error = time.error();
  if (parse_duration(in_short(text))) {
    error.next_step = fmt::format("write \"{} ago\" for a time that long before now", text);
  } else {
    error.next_step += ", or \"2 hours ago\"";
  }
  return std::unexpected(std::move(error));
}

std::optional<Position> parse_position(std::string_view text) {
  const bool is_number =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return std::nullopt;
  std::uint64_t number = UINT64_MAX;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return Position(number);
}

}  // namespace almanac
