#include <almanac/engine/recurrence.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace almanac {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* examples =
    "write it as 'every 15 minutes', 'daily at 02:30', 'weekly on sunday at 03:00', "
    "'daily at 02:30 Europe/Paris' or '30 2 * * MON-FRI'";

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

// The words of a text; digits and what follows them are words of their own, so that 30s is two.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  [[nodiscard]] CronWord peek() const {
    const auto begin = std::min(text_.find_first_not_of(' ', at_), text_.size());
    auto end = std::min(text_.find(' ', begin), text_.size());
    if (begin < end && is_digit(text_[begin])) {
      const auto behind = text_.find_first_not_of("0123456789:", begin);
      end = std::min(behind, end);
    }
    return {text_.substr(begin, end - begin), begin + 1};
  }
  CronWord take() {
    const CronWord word = peek();
    at_ = word.column - 1 + word.text.size();
    return word;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::unexpected<Error> wrong(const CronWord& word, const std::string& what) {
  return fail(ErrorCode::invalid,
              "column " + std::to_string(word.column) + " of the recurrence: " + what, examples);
}

std::unexpected<Error> expected(const CronWord& word, const std::string& what) {
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

// UTC where there is no word.
Result<TimeZone> find_zone(const CronWord& name) {
  if (name.text.empty() || name.text == "UTC") return TimeZone();
  auto zone = TimeZone::find(name.text);
  if (zone) return zone;
  Error error = zone.error();
  error.message = "column " + std::to_string(name.column) + " of the recurrence: " + error.message;
  return std::unexpected(std::move(error));
}

// "@daily" and the others, as they always were.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> nicknames = {{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
}};

std::vector<CronWord> split(std::string_view text) {
  std::vector<CronWord> words;
  for (std::size_t end = 0; end < text.size();) {
    const auto begin = std::min(text.find_first_not_of(' ', end), text.size());
    end = std::min(text.find(' ', begin), text.size());
    if (begin < end) words.push_back({text.substr(begin, end - begin), begin + 1});
  }
  return words;
}

// Whether what stands behind five fields is the name of a zone, and not that of a weekday.
bool is_zone(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::string letters(text.begin(), std::ranges::find_if_not(text, is_letter));
  std::ranges::transform(letters, letters.begin(),
                         [](char c) { return c < 'a' ? char(c + 32) : c; });
  return !letters.empty() && std::ranges::none_of(weekdays, [&](std::string_view day) {
    return day.substr(0, 3) == letters;
  });
}

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

}  // namespace

class Recurrence::Parser {
 public:
  explicit Parser(std::string_view text) : words_(text) {}

  Result<Recurrence> parse() {
    const CronWord first = words_.take();
    Result<Rule> rule = expected(first, "every, daily, weekly or a cron expression");
    if (first.text == "every") rule = interval();
    if (first.text == "daily") rule = time_of_day({});
    if (first.text == "weekly") rule = weekly();
    if (!rule) return std::unexpected(rule.error());
    if (const CronWord rest = words_.take(); !rest.text.empty()) return expected(rest, "the end");
    return Recurrence(std::move(*rule));
  }

 private:
  // "15 minutes", "30s", "hour"
  Result<Rule> interval() {
    const CronWord number = words_.peek();
    std::uint32_t count = 1;
    if (!number.text.empty() && is_digit(number.text.front())) {
      const auto read = number_in(words_.take().text);
      if (!read || *read == 0)
        return wrong(number, "'" + std::string(number.text) + "' is no number of units");
      count = *read;
    }
    const CronWord word = words_.take();
    const auto unit = std::ranges::find_if(units, [&](const Unit& each) {
      const bool is_plural =
          word.text.ends_with('s') && word.text.substr(0, word.text.size() - 1) == each.name;
      return word.text == each.name || is_plural ||
             (!word.text.empty() &&
              std::ranges::find(each.short_names, word.text) != each.short_names.end());
    });
    if (unit == units.end()) return expected(word, "seconds, minutes, hours or days");
    if (count > limits::recurrence_interval_max / unit->length) {
      return wrong(number, "an interval is at most " +
                               std::to_string(limits::recurrence_interval_max / days(1)) + " days");
    }
    return Interval{count * unit->length};
  }

  Result<Rule> weekly() {
    if (const CronWord on = words_.take(); on.text != "on") return expected(on, "'on'");
    const CronWord day = words_.take();
    const auto found = std::ranges::find(weekdays, day.text);
    if (found == weekdays.end()) return expected(day, "a day such as sunday");
    return time_of_day(std::chrono::weekday(static_cast<unsigned>(found - weekdays.begin())));
  }

  // "at 02:30", "at 02:30 Europe/Paris"
  Result<Rule> time_of_day(std::optional<std::chrono::weekday> weekday) {
    if (const CronWord at = words_.take(); at.text != "at") return expected(at, "'at'");
    const CronWord time = words_.take();
    const auto colon = std::min(time.text.find(':'), time.text.size());
    const auto hour = number_in(time.text.substr(0, colon));
    const auto minute = number_in(time.text.substr(std::min(colon + 1, time.text.size())));
    if (!hour || !minute || time.text.size() != 5 || *hour > 23 || *minute > 59) {
      return expected(time, "a time of day such as 02:30");
    }
    auto zone = find_zone(words_.take());
    if (!zone) return std::unexpected(zone.error());
    return Calendar{Cron::at(hours(*hour) + minutes(*minute), weekday), std::move(*zone)};
  }

  Words words_;
};

// Fields, and the name of a zone behind them.
Result<Recurrence> Recurrence::parse_cron(std::string_view text) {
  std::vector<CronWord> words = split(text);
  CronWord name;
  const bool is_nickname = words.front().text.starts_with('@');
  if (words.size() > (is_nickname ? 1 : 5) && is_zone(words.back().text)) {
    name = words.back();
    words.pop_back();
  }
  if (is_nickname && words.size() == 1) {
    const auto nickname = std::ranges::find(nicknames, words.front().text,
                                            [](const auto& each) { return each.first; });
    if (nickname == nicknames.end()) {
      return expected(words.front(), "@hourly, @daily, @weekly, @monthly or @yearly");
    }
    words = split(nickname->second);
  }
  auto cron = Cron::parse(words);
  if (!cron) return std::unexpected(cron.error());
  auto zone = find_zone(name);
  if (!zone) return std::unexpected(zone.error());
  return Recurrence(Calendar{*cron, std::move(*zone)});
}

Result<Recurrence> Recurrence::parse(std::string_view text) {
  const auto first = text.substr(std::min(text.find_first_not_of(' '), text.size()));
  const bool is_cron = !first.empty() && std::string_view("@*?0123456789").find(first.front()) !=
                                             std::string_view::npos;
  return is_cron ? parse_cron(text) : Parser(text).parse();
}

std::string Recurrence::text() const {
  if (const auto* interval = std::get_if<Interval>(&rule_)) {
    const auto* unit = std::ranges::find_if(
        units, [&](const Unit& each) { return interval->length % each.length == Duration(0); });
    const auto count = interval->length / unit->length;
    if (count == 1) return "every " + std::string(unit->name);
    return "every " + std::to_string(count) + " " + std::string(unit->name) + "s";
  }
  const auto& [cron, zone] = std::get<Calendar>(rule_);
  std::string text;
  if (const auto time = cron.time_of_day()) {
    text =
        time->weekday ? "weekly on " + std::string(weekdays[time->weekday->c_encoding()]) : "daily";
    text +=
        " at " + two_digits(time->at / hours(1)) + ":" + two_digits((time->at % hours(1)).count());
  } else {
    text = cron.text();
  }
  return zone.name().empty() ? text : text + " " + zone.name();
}

// What clocks show first that counts in a period. What names every hour goes by what they show:
// nothing for what they skip, and twice what they show twice. All else goes on where they were
// changed: what they skipped is not lost, and what they show once more is not done once more.
LocalTime Recurrence::Calendar::first_shown(const TimeZone::Period& period) const {
  return LocalTime(period.begin.time_since_epoch() +
                   (cron.names_every_hour() ? period.offset : period.offset_before));
}

Time Recurrence::Calendar::next_after(Time time) const {
  auto period = zone.period(time);
  LocalTime behind = std::max(LocalTime(time.time_since_epoch() + period.offset),
                              first_shown(period) - Duration(1));
  while (true) {
    const LocalTime due = cron.next_after(behind);
    const Time instant(due.time_since_epoch() - period.offset);
    if (instant < period.end) return std::max(instant, period.begin);
    period = zone.period(period.end);
    behind = first_shown(period) - Duration(1);
  }
}

std::uint64_t Recurrence::Calendar::count(Time after, Time through) const {
  auto period = zone.period(after);
  LocalTime behind = std::max(LocalTime(after.time_since_epoch() + period.offset),
                              first_shown(period) - Duration(1));
  std::uint64_t found = 0;
  while (true) {
    const Time last = std::min(through, period.end - Duration(1));
    found += cron.count(behind, LocalTime(last.time_since_epoch() + period.offset));
    if (through < period.end) return found;
    period = zone.period(period.end);
    behind = first_shown(period) - Duration(1);
    const LocalTime begin(period.begin.time_since_epoch() + period.offset);
    if (behind >= begin) continue;
    // All that was skipped stands for one instant.
    found += std::min<std::uint64_t>(cron.count(behind, begin), 1);
    behind = begin;
  }
}

Time Recurrence::next_after(Time time) const {
  if (const auto* interval = std::get_if<Interval>(&rule_)) {
    return Time((time.time_since_epoch() / interval->length + 1) * interval->length);
  }
  return std::get<Calendar>(rule_).next_after(time);
}

Recurrence::Elapsed Recurrence::elapsed(Time first, Time now) const {
  if (const auto* interval = std::get_if<Interval>(&rule_)) {
    const auto steps = (now - first) / interval->length;
    return {.count = static_cast<std::uint64_t>(steps) + 1,
            .last = first + steps * interval->length};
  }
  // The last lies behind every time whose next one is not behind now.
  Time before = first - Duration(1);
  for (Time after = now; after - before > Duration(1);) {
    const Time middle = before + (after - before) / 2;
    (next_after(middle) <= now ? before : after) = middle;
  }
  const Time last = next_after(before);
  return {.count = std::get<Calendar>(rule_).count(first, last) + 1, .last = last};
}

}  // namespace almanac
