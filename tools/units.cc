#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <cmath>
#include <string>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

namespace almanac {
namespace {

using namespace std::chrono_literals;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front off `text`.
std::string_view take_digits(std::string_view& text) {
  auto end = std::ranges::find_if_not(text, is_digit);
  auto count = static_cast<std::size_t>(end - text.begin());
  auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// The number that up to 18 digits stand for.
std::int64_t number_of(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}
constexpr std::size_t digits_max = 18;

// The digits behind a point as a share of `whole`, cut.
std::int64_t fraction_of(std::string_view digits, std::int64_t whole) {
  std::int64_t fraction = 0;
  for (char digit : digits) {
    whole /= 10;
    fraction += (digit - '0') * whole;
    if (whole == 0) break;
  }
  return fraction;
}

// ---- Durations ----

struct Unit {
  std::string_view name;
  Duration length;
};
constexpr std::array units = {Unit{"d", 24h}, Unit{"h", 1h},   Unit{"m", 1min},
                              Unit{"s", 1s},  Unit{"ms", 1ms}, Unit{"us", 1us}};

// As a person may write it; none when it is no unit.
const Unit* find_unit(std::string_view name) {
  if (name == "µs") name = "us";
  auto unit = std::ranges::find(units, name, &Unit::name);
  return unit == units.end() ? nullptr : &*unit;
}

std::unexpected<Error> bad_duration(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("'{}' is not a duration{}", text, why),
              "write numbers with units, such as 250ms, 30s, 5m, 1h30m or 2d");
}

std::unexpected<Error> without_unit(std::string_view text) {
  return fail(
      ErrorCode::invalid, fmt::format("the duration '{}' has no unit", text),
      fmt::format("write {0}s for seconds, {0}ms for milliseconds or {0}m for minutes", text));
}

bool is_plain_number(std::string_view text) {
  return !text.empty() && is_digit(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
}

// One number with its unit.
struct Part {
  const Unit* unit;
  Duration length;
};

// Takes one part off the front; nothing when there is none.
std::optional<Part> take_part(std::string_view& text) {
  auto digits = take_digits(text);
  std::string_view decimals;
  bool has_point = text.starts_with('.');
  if (has_point) {
    text.remove_prefix(1);
    decimals = take_digits(text);
  }
  if (digits.empty() || digits.size() > digits_max || (has_point && decimals.empty())) return {};
  auto name =
      text.substr(0, static_cast<std::size_t>(std::ranges::find_if(text, is_digit) - text.begin()));
  text.remove_prefix(name.size());
  const Unit* unit = find_unit(name);
  if (unit == nullptr) return {};
  auto count = std::min(number_of(digits), duration_max / unit->length + 1);
  auto fraction = Duration(fraction_of(decimals, unit->length.count()));
  return Part{unit, count * unit->length + fraction};
}

// ---- Times ----

// Reads a text of fixed shape from its front; once something does not fit, nothing does.
class Shape {
 public:
  explicit Shape(std::string_view text) : rest_(text) {}

  [[nodiscard]] int number(std::size_t digits) {
    auto found = rest_.substr(0, digits);
    ok_ = ok_ && found.size() == digits && std::ranges::all_of(found, is_digit);
    if (!ok_) return 0;
    rest_.remove_prefix(digits);
    return static_cast<int>(number_of(found));
  }
  // Any one of these.
  char letter(std::string_view letters) {
    ok_ = ok_ && !rest_.empty() && letters.find(rest_.front()) != std::string_view::npos;
    if (!ok_) return '\0';
    char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  [[nodiscard]] Duration fraction() {
    if (!rest_.starts_with('.')) return Duration(0);
    rest_.remove_prefix(1);
    auto digits = take_digits(rest_);
    ok_ = ok_ && !digits.empty();
    return Duration(fraction_of(digits, Duration(1s).count()));
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::chrono::sys_days read_date(Shape& shape, bool& exists) {
  auto year = shape.number(4);
  shape.letter("-");
  auto month = shape.number(2);
  shape.letter("-");
  auto day = shape.number(2);
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                                   std::chrono::day(unsigned(day))};
  exists = date.ok();
  return exists ? std::chrono::sys_days(date) : std::chrono::sys_days();
}

Duration read_clock(Shape& shape, bool& exists) {
  auto hour = shape.number(2);
  shape.letter(":");
  auto minute = shape.number(2);
  shape.letter(":");
  auto second = shape.number(2);
  exists = exists && hour < 24 && minute < 60 && second < 60;
  return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

// How far ahead of UTC.
Duration read_zone(Shape& shape, bool& exists) {
  char sign = shape.letter("Zz+-");
  if (sign == 'Z' || sign == 'z' || sign == '\0') return Duration(0);
  auto hour = shape.number(2);
  shape.letter(":");
  auto minute = shape.number(2);
  exists = exists && hour < 24 && minute < 60;
  auto ahead = std::chrono::hours(hour) + std::chrono::minutes(minute);
  return sign == '-' ? -ahead : ahead;
}

std::unexpected<Error> bad_time(std::string_view text, std::string_view why) {
  return fail(ErrorCode::invalid, fmt::format("'{}' {}", text, why),
              "write date, time and zone, such as 2026-11-21T10:00:00Z or "
              "2026-11-21T11:00:00+01:00");
}

std::unexpected<Error> without_zone(std::string_view text) {
  return fail(ErrorCode::invalid, fmt::format("the time '{}' has no zone", text),
              fmt::format("write {0}Z when it is meant in UTC, else add the zone's offset, such as "
                          "{0}+01:00",
                          text));
}

// `count` units of `unit` and the rest in the unit below it.
std::string two_units(Duration duration, std::size_t unit) {
  const Unit& large = units[unit];
  const Unit& small = units[unit + 1];
  return fmt::format("{}{}{:02}{}", duration / large.length, large.name,
                     duration % large.length / small.length, small.name);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (is_plain_number(text)) return without_unit(text);
  if (text.starts_with('-')) return bad_duration(text, ": it cannot be negative");
  if (text.empty()) return bad_duration(text, "");
  Duration sum{0};
  const Unit* before = nullptr;
  for (auto rest = text; !rest.empty();) {
    auto part = take_part(rest);
    if (!part) return bad_duration(text, "");
    if (before != nullptr && part->unit <= before) {
      return bad_duration(text, ": each unit may stand in it once, the larger one first");
    }
    before = part->unit;
    sum += part->length;
    if (sum > duration_max) return bad_duration(text, ": it is longer than 100 years");
  }
  return sum;
}

std::string format_duration(Duration duration) {
  if (duration == Duration(0)) return "0s";
  std::string text = duration < Duration(0) ? "-" : "";
  auto rest = std::chrono::abs(duration);
  for (const Unit& unit : units) {
    if (rest >= unit.length) text += fmt::format("{}{}", rest / unit.length, unit.name);
    rest %= unit.length;
  }
  return text;
}

std::string format_compact(Duration duration) {
  if (duration < Duration(0)) return "-" + format_compact(std::chrono::abs(duration));
  if (duration == Duration(0)) return "0s";
  if (duration < 1ms) return fmt::format("{}µs", duration.count());
  if (duration < 1s) return fmt::format("{}ms", duration / 1ms);
  auto hundredths = duration / 10ms;
  if (duration < 10s) return fmt::format("{}.{:02}s", hundredths / 100, hundredths % 100);
  if (duration < 1min) return fmt::format("{}.{}s", hundredths / 100, hundredths % 100 / 10);
  if (duration < 1h) return two_units(duration, 2);
  if (duration < 24h) return two_units(duration, 1);
  return two_units(duration, 0);
}

Result<Time> parse_time(std::string_view text) {
  Shape shape(text);
  bool exists = true;
  Time time = read_date(shape, exists);
  shape.letter("Tt ");
  time += read_clock(shape, exists);
  time += shape.fraction();
  if (shape.ok() && shape.at_end()) return without_zone(text);
  time -= read_zone(shape, exists);
  if (!shape.ok() || !shape.at_end()) return bad_time(text, "is not a time");
  if (!exists) return bad_time(text, "is a time that does not exist");
  return time;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr std::array<std::string_view, 5> names = {"B", "KiB", "MiB", "GiB", "TiB"};
  const auto invalid = [&] {
    return fail(ErrorCode::invalid, "\"" + std::string(text) + "\" is not a size",
                "write a number with B, KiB, MiB, GiB or TiB, such as 512MiB");
  };
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0)) return invalid();
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  auto found = std::ranges::find(names, unit.empty() ? names[0] : unit);
  if (found == names.end()) return invalid();
  auto bytes = number * std::pow(1024.0, static_cast<double>(found - names.begin()));
  if (bytes >= 9e18) return invalid();
  return static_cast<std::uint64_t>(bytes);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 6> names = {"KiB", "MiB", "GiB",
                                                            "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  std::size_t unit = 0;
  for (; bytes >= 1024 * 1024; bytes /= 1024) ++unit;
  return fmt::format("{}.{} {}", bytes / 1024, bytes % 1024 * 10 / 1024, names[unit]);
}

}  // namespace almanac
