#include <almanac/engine/schedule.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace almanac {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* examples =
    "write it as 'every 15 minutes', 'daily at 02:30', 'weekly on sunday at 03:00' or "
    "'daily at 02:30 Europe/Paris'";

struct Unit {
  Duration length;
  std::string_view name;  // of one
  std::array<std::string_view, 2> short_names;
};
constexpr std::array units = {
    Unit{days(1), "day", {"d", ""}},
    Unit{hours(1), "hour", {"h", ""}},
    Unit{minutes(1), "minute", {"m", "min"}},
    Unit{seconds(1), "second", {"s", "sec"}},
};

constexpr std::array<std::string_view, 7> weekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                      "thursday", "friday", "saturday"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Word {
  std::string_view text;  // empty behind the last one
  std::size_t column = 1;
};

// The words of a text; digits and what follows them are words of their own, so that 30s is two.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  [[nodiscard]] Word peek() const {
    const auto begin = std::min(text_.find_first_not_of(' ', at_), text_.size());
    auto end = std::min(text_.find(' ', begin), text_.size());
    if (begin < end && is_digit(text_[begin])) {
      const auto behind = text_.find_first_not_of("0123456789:", begin);
      end = std::min(behind, end);
    }
    return {text_.substr(begin, end - begin), begin + 1};
  }
  Word take() {
    const Word word = peek();
    at_ = word.column - 1 + word.text.size();
    return word;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::unexpected<Error> wrong(const Word& word, const std::string& what) {
  return fail(ErrorCode::invalid,
              "column " + std::to_string(word.column) + " of the schedule: " + what, examples);
}

std::unexpected<Error> expected(const Word& word, const std::string& what) {
  return wrong(word, (word.text.empty() ? std::string("it ends")
                                        : "'" + std::string(word.text) + "' stands") +
                         " where " + what + " is expected");
}

std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

}  // namespace

class Schedule::Parser {
 public:
  explicit Parser(std::string_view text) : words_(text) {}

  Result<Schedule> parse() {
    const Word first = words_.take();
    Result<Rule> rule = expected(first, "every, daily or weekly");
    if (first.text == "every") rule = interval();
    if (first.text == "daily") rule = time_of_day({});
    if (first.text == "weekly") rule = weekly();
    if (!rule) return std::unexpected(rule.error());
    if (const Word rest = words_.take(); !rest.text.empty()) return expected(rest, "the end");
    return Schedule(std::move(*rule));
  }

 private:
  // "15 minutes", "30s", "hour"
  Result<Rule> interval() {
    const Word number = words_.peek();
    std::uint32_t count = 1;
    if (!number.text.empty() && is_digit(number.text.front())) {
      const auto read = number_in(words_.take().text);
      if (!read || *read == 0)
        return wrong(number, "'" + std::string(number.text) + "' is no number of units");
      count = *read;
    }
    const Word word = words_.take();
    const auto unit = std::ranges::find_if(units, [&](const Unit& each) {
      const bool is_plural =
          word.text.ends_with('s') && word.text.substr(0, word.text.size() - 1) == each.name;
      return word.text == each.name || is_plural ||
             (!word.text.empty() &&
              std::ranges::find(each.short_names, word.text) != each.short_names.end());
    });
    if (unit == units.end()) return expected(word, "seconds, minutes, hours or days");
    if (count > limits::schedule_interval_max / unit->length) {
      return wrong(number, "an interval is at most " +
                               std::to_string(limits::schedule_interval_max / days(1)) + " days");
    }
    return Interval{count * unit->length};
  }

  Result<Rule> weekly() {
    if (const Word on = words_.take(); on.text != "on") return expected(on, "'on'");
    const Word day = words_.take();
    const auto found = std::ranges::find(weekdays, day.text);
    if (found == weekdays.end()) return expected(day, "a day such as sunday");
    return time_of_day(std::chrono::weekday(static_cast<unsigned>(found - weekdays.begin())));
  }

  // "at 02:30", "at 02:30 Europe/Paris"
  Result<Rule> time_of_day(std::optional<std::chrono::weekday> weekday) {
    if (const Word at = words_.take(); at.text != "at") return expected(at, "'at'");
    const Word time = words_.take();
    const auto colon = std::min(time.text.find(':'), time.text.size());
    const auto hour = number_in(time.text.substr(0, colon));
    const auto minute = number_in(time.text.substr(std::min(colon + 1, time.text.size())));
    if (!hour || !minute || time.text.size() != 5 || *hour > 23 || *minute > 59) {
      return expected(time, "a time of day such as 02:30");
    }
    TimeOfDay rule{.weekday = weekday, .at = hours(*hour) + minutes(*minute), .zone = {}};
    const Word name = words_.take();
    if (name.text.empty() || name.text == "UTC") return rule;
    auto zone = TimeZone::find(name.text);
    if (!zone) {
      return fail(
          zone.error().code,
          "column " + std::to_string(name.column) + " of the schedule: " + zone.error().message,
          zone.error().next_step);
    }
    rule.zone = std::move(*zone);
    return rule;
  }

  Words words_;
};

Result<Schedule> Schedule::parse(std::string_view text) { return Parser(text).parse(); }

std::string Schedule::text() const {
  if (const auto* interval = std::get_if<Interval>(&rule_)) {
    const auto* unit = std::ranges::find_if(
        units, [&](const Unit& each) { return interval->length % each.length == Duration(0); });
    const auto count = interval->length / unit->length;
    if (count == 1) return "every " + std::string(unit->name);
    return "every " + std::to_string(count) + " " + std::string(unit->name) + "s";
  }
  const auto& [weekday, at, zone] = std::get<TimeOfDay>(rule_);
  std::string text = "daily";
  if (weekday) text = "weekly on " + std::string(weekdays[weekday->c_encoding()]);
  text += " at " + two_digits(at / hours(1)) + ":" + two_digits((at % hours(1)).count());
  return zone.name().empty() ? text : text + " " + zone.name();
}

Time Schedule::next_after(Time time) const {
  if (const auto* interval = std::get_if<Interval>(&rule_)) {
    return Time((time.time_since_epoch() / interval->length + 1) * interval->length);
  }
  const auto& [weekday, at, zone] = std::get<TimeOfDay>(rule_);
  auto day = std::chrono::floor<days>(zone.local(time));
  while (true) {
    if (!weekday || std::chrono::weekday(day) == *weekday) {
      const Time instant = zone.instant(day + at);
      if (instant > time) return instant;
    }
    day += days(1);
  }
}

Schedule::Elapsed Schedule::elapsed(Time first, Time now) const {
  if (const auto* interval = std::get_if<Interval>(&rule_)) {
    const auto steps = (now - first) / interval->length;
    return {.count = static_cast<std::uint64_t>(steps) + 1,
            .last = first + steps * interval->length};
  }
  Elapsed elapsed{.count = 1, .last = first};
  for (Time next = next_after(first); next <= now; next = next_after(next)) {
    ++elapsed.count;
    elapsed.last = next;
  }
  return elapsed;
}

}  // namespace almanac
