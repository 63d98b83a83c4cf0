#include <almanac/projections/query_node.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace almanac::query {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t micros;
};
// The largest first, as they are written.
constexpr std::array units = {Unit{"d", 86'400'000'000}, Unit{"h", 3'600'000'000},
                              Unit{"m", 60'000'000},     Unit{"s", 1'000'000},
                              Unit{"ms", 1'000},         Unit{"us", 1}};

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

// Takes digits, `width` of them, or all there are when it is 0.
std::optional<std::int64_t> take_number(std::string_view& text, std::size_t width) {
  std::size_t digits = 0;
  while (digits < text.size() && is_decimal(text[digits]) && (width == 0 || digits < width))
    ++digits;
  if (digits == 0 || (width != 0 && digits != width)) return std::nullopt;
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Behind the seconds: up to six digits.
std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  const std::size_t before = text.size();
  auto fraction = take_number(text, 0);
  const std::size_t digits = before - text.size();
  if (!fraction || digits > 6) return std::nullopt;
  for (std::size_t i = digits; i < 6; ++i) *fraction *= 10;
  return fraction;
}

struct Field {
  std::size_t width;
  char behind;  // 0 = nothing
  std::int64_t max;
};

}  // namespace

std::optional<std::int64_t> duration_from(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t micros = 0;
  std::size_t next = 0;  // units come in their order, each once
  while (!text.empty()) {
    auto number = take_number(text, 0);
    std::size_t letters = 0;
    while (letters < text.size() && !is_decimal(text[letters])) ++letters;
    auto name = text.substr(0, letters);
    while (next < units.size() && units[next].name != name) ++next;
    std::int64_t part = 0;
    if (!number || next == units.size() ||
        __builtin_mul_overflow(*number, units[next].micros, &part) ||
        __builtin_add_overflow(micros, part, &micros)) {
      return std::nullopt;
    }
    ++next;
    text.remove_prefix(letters);
  }
  return micros;
}

std::optional<std::int64_t> time_from(std::string_view text) {
  constexpr std::array fields = {Field{4, '-', 9999}, Field{2, '-', 12}, Field{2, 'T', 31},
                                 Field{2, ':', 23},   Field{2, ':', 59}, Field{2, 0, 59}};
  std::array<std::int64_t, fields.size()> numbers{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto number = take_number(text, fields[i].width);
    if (!number || *number > fields[i].max) return std::nullopt;
    numbers[i] = *number;
    if (fields[i].behind != 0 && !take(text, fields[i].behind)) return std::nullopt;
  }
  auto fraction = take_fraction(text);
  if (!fraction || text != "Z") return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(numbers[0])),
                                        std::chrono::month(static_cast<unsigned>(numbers[1])),
                                        std::chrono::day(static_cast<unsigned>(numbers[2])));
  if (!day.ok()) return std::nullopt;
  const Time midnight = std::chrono::sys_days(day);
  const auto seconds = numbers[3] * 3'600 + numbers[4] * 60 + numbers[5];
  return midnight.time_since_epoch().count() + seconds * 1'000'000 + *fraction;
}

std::string duration_text(std::int64_t micros) {
  std::string text = micros < 0 ? "-" : "";
  if (micros < 0) micros = -micros;  // a literal is never the smallest number
  if (micros == 0) return "0s";
  for (const Unit& unit : units) {
    if (micros >= unit.micros) text += std::to_string(micros / unit.micros).append(unit.name);
    micros %= unit.micros;
  }
  return text;
}

std::string time_text(std::int64_t micros) {
  const Time time{Duration(micros)};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const auto rest = (time - midnight).count();
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int(day.year()),
                unsigned(day.month()), unsigned(day.day()), int(rest / 3'600'000'000),
                int(rest / 60'000'000 % 60), int(rest / 1'000'000 % 60), int(rest % 1'000'000));
  return text.data();
}

}  // namespace almanac::query
