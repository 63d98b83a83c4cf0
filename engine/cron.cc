#include <almanac/engine/cron.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <utility>

namespace almanac {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::months;
using std::chrono::seconds;
using std::chrono::year_month;
using std::chrono::year_month_day;

// The calendar repeats itself after 400 years.
constexpr int months_of_calendar = 400 * 12;

constexpr std::array<std::string_view, 12> month_names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                          "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names = {"sun", "mon", "tue", "wed",
                                                           "thu", "fri", "sat"};

struct Range {
  unsigned min;
  unsigned max;
};

struct FieldKind {
  std::string_view name;
  Range range;                                   // of what may be written
  std::span<const std::string_view> names = {};  // of the smallest and those behind it
};
constexpr FieldKind second_kind{"second", {0, 59}};
constexpr FieldKind minute_kind{"minute", {0, 59}};
constexpr FieldKind hour_kind{"hour", {0, 23}};
constexpr FieldKind day_kind{"day", {1, 31}};
constexpr FieldKind month_kind{"month", {1, 12}, month_names};
constexpr FieldKind weekday_kind{"weekday", {0, 7}, weekday_names};  // 7 is sunday as well

constexpr std::uint64_t bit(unsigned number) { return std::uint64_t{1} << number; }
constexpr std::uint64_t bits(Range range) { return bit(range.max + 1) - bit(range.min); }

constexpr std::uint64_t all_hours = bits({0, 23});
constexpr std::uint64_t all_days = bits({1, 31});
constexpr std::uint64_t all_months = bits({1, 12});
constexpr std::uint64_t all_weekdays = bits({0, 6});

bool contains(std::uint64_t set, unsigned number) { return (set >> number & 1) != 0; }
// The smallest that is not below `number`.
std::optional<unsigned> first_from(std::uint64_t set, unsigned number) {
  const std::uint64_t rest = number < 64 ? set >> number << number : 0;
  if (rest == 0) return {};
  return static_cast<unsigned>(std::countr_zero(rest));
}
unsigned first_of(std::uint64_t set) { return static_cast<unsigned>(std::countr_zero(set)); }
std::uint64_t count_of(std::uint64_t set) { return static_cast<std::uint64_t>(std::popcount(set)); }
std::uint64_t count_below(std::uint64_t set, unsigned number) {
  return count_of(set & (bit(number) - 1));
}

unsigned days_in(year_month month) {
  return static_cast<unsigned>((month / std::chrono::last).day());
}
unsigned weekday_of_first(year_month month) {
  return std::chrono::weekday(std::chrono::local_days(month / 1)).c_encoding();
}

seconds time_of(unsigned hour, unsigned minute, unsigned second) {
  return hours(hour) + minutes(minute) + seconds(second);
}

// ---- Writing ----

// "*", "*/15", "1-5,10": of numbers from a range.
std::string text_of(std::uint64_t set, Range range) {
  if (set == bits(range)) return "*";
  if (count_of(set) > 2 && contains(set, range.min)) {
    const unsigned step = *first_from(set, range.min + 1) - range.min;
    std::uint64_t stepped = 0;
    for (unsigned number = range.min; number <= range.max; number += step) stepped |= bit(number);
    if (set == stepped) return "*/" + std::to_string(step);
  }
  std::string text;
  for (auto first = first_from(set, 0); first;) {
    unsigned last = *first;
    while (contains(set, last + 1)) ++last;
    if (last == *first + 1) last = *first;  // two in a row are written as two
    text += (text.empty() ? "" : ",") + std::to_string(*first);
    if (last > *first) text += "-" + std::to_string(last);
    first = first_from(set, last + 1);
  }
  return text;
}

void add_item(std::string& text, const std::string& item) {
  if (item.empty()) return;
  text += (text.empty() ? "" : ",") + item;
}

}  // namespace

// ---- Reading ----

class Cron::Parser {
 public:
  Result<Cron> parse(std::span<const CronWord> fields) {
    if (fields.size() < 5 || fields.size() > 6) {
      const CronWord& last = fields.empty() ? CronWord{} : fields.back();
      return wrong(last, "a cron expression has five fields, or six with seconds in front, not " +
                             std::to_string(fields.size()));
    }
    Result<void> read;
    if (fields.size() == 6) {
      read = numbers(fields.front(), second_kind, cron_.seconds_);
      fields = fields.subspan(1);
    } else {
      cron_.seconds_ = bit(0);
    }
    if (read) read = numbers(fields[0], minute_kind, cron_.minutes_);
    if (read) read = numbers(fields[1], hour_kind, cron_.hours_);
    if (read) read = items(fields[2], [this](const CronWord& item) { return day_item(item); });
    if (read) read = numbers(fields[3], month_kind, cron_.months_);
    if (read) read = items(fields[4], [this](const CronWord& item) { return weekday_item(item); });
    if (!read) return std::unexpected(read.error());
    if (!cron_.next_day(Day())) {
      return wrong(fields[2], "no month that is named has such a day, so it never comes");
    }
    return cron_;
  }

 private:
  static std::unexpected<Error> wrong(const CronWord& word, const std::string& what) {
    return fail(ErrorCode::invalid,
                "column " + std::to_string(word.column) + " of the recurrence: " + what,
                "write it as '30 2 * * *', minute hour day month weekday, or "
                "'*/15 9-17 * * MON-FRI'");
  }

  // What stands between commas.
  template <class Read>
  static Result<void> items(const CronWord& field, Read read) {
    for (std::size_t begin = 0; begin <= field.text.size();) {
      const auto end = std::min(field.text.find(',', begin), field.text.size());
      const CronWord item{field.text.substr(begin, end - begin), field.column + begin};
      if (item.text.empty()) return wrong(item, "a number is missing");
      if (auto taken = read(item); !taken) return taken;
      begin = end + 1;
    }
    return {};
  }

  static Result<void> numbers(const CronWord& field, const FieldKind& kind, std::uint64_t& set) {
    return items(field, [&](const CronWord& item) { return add_range(item, kind, set); });
  }

  // A number or a name.
  static Result<unsigned> number(const CronWord& word, const FieldKind& kind) {
    std::string lower(word.text);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    const auto named = std::ranges::find(kind.names, lower);
    if (named != kind.names.end()) {
      return kind.range.min + static_cast<unsigned>(named - kind.names.begin());
    }
    unsigned number = 0;
    const auto [end, error] =
        std::from_chars(word.text.data(), word.text.data() + word.text.size(), number);
    if (error == std::errc() && end == word.text.data() + word.text.size() &&
        number >= kind.range.min && number <= kind.range.max) {
      return number;
    }
    return wrong(word, "'" + std::string(word.text) + "' is no " + std::string(kind.name) +
                           " from " + std::to_string(kind.range.min) + " to " +
                           std::to_string(kind.range.max));
  }

  // "*", "*/5", "3", "3/5", "1-5", "22-4/2": a range may go round.
  static Result<void> add_range(const CronWord& item, const FieldKind& kind, std::uint64_t& set) {
    const auto slash = std::min(item.text.find('/'), item.text.size());
    const CronWord range{item.text.substr(0, slash), item.column};
    const auto bounds = bounds_of(range, kind, slash < item.text.size());
    if (!bounds) return std::unexpected(bounds.error());
    unsigned step = 1;
    if (slash < item.text.size()) {
      const FieldKind step_kind{"step", {1, kind.range.max}};
      const auto read = number({item.text.substr(slash + 1), item.column + slash + 1}, step_kind);
      if (!read) return std::unexpected(read.error());
      step = *read;
    }
    const bool is_weekday = kind.range.max == weekday_kind.range.max;
    const unsigned round = is_weekday ? 7 : kind.range.max - kind.range.min + 1;
    const unsigned last = bounds->max < bounds->min ? bounds->max + round : bounds->max;
    for (unsigned next = bounds->min; next <= last; next += step) {
      set |= bit((next - kind.range.min) % round + kind.range.min);
    }
    return {};
  }

  static Result<Range> bounds_of(const CronWord& range, const FieldKind& kind, bool has_step) {
    const bool may_be_any = kind.name == day_kind.name || kind.name == weekday_kind.name;
    if (range.text == "*" || (may_be_any && range.text == "?")) return kind.range;
    const auto dash = std::min(range.text.find('-'), range.text.size());
    const auto min = number({range.text.substr(0, dash), range.column}, kind);
    if (!min) return std::unexpected(min.error());
    if (dash == range.text.size()) return Range{*min, has_step ? kind.range.max : *min};
    const auto max = number({range.text.substr(dash + 1), range.column + dash + 1}, kind);
    if (!max) return std::unexpected(max.error());
    return Range{*min, *max};
  }

  // Beside ranges: "L", "L-3", "15W", "LW".
  Result<void> day_item(const CronWord& item) {
    const std::string_view text = item.text;
    if (text == "L") return add(cron_.days_from_end_, 0U);
    if (text == "LW") return add(cron_.weekdays_near_, 0U);
    if (text.starts_with("L-")) {
      return add(cron_.days_from_end_,
                 number({text.substr(2), item.column + 2}, {"number of days", {0, 30}}));
    }
    if (text.ends_with('W')) {
      return add(cron_.weekdays_near_,
                 number({text.substr(0, text.size() - 1), item.column}, day_kind));
    }
    return add_range(item, day_kind, cron_.days_);
  }

  // Beside ranges: "FRI#2", "5L".
  Result<void> weekday_item(const CronWord& item) {
    const std::string_view text = item.text;
    const auto hash = text.find('#');
    const bool is_last = text.size() > 1 && text.ends_with('L');
    if (hash == std::string_view::npos && !is_last) {
      return add_range(item, weekday_kind, cron_.weekdays_);
    }
    const auto day =
        number({text.substr(0, is_last ? text.size() - 1 : hash), item.column}, weekday_kind);
    if (!day) return std::unexpected(day.error());
    if (is_last) return add(cron_.last_weekdays_, *day % 7);
    const auto nth = number({text.substr(hash + 1), item.column + hash + 1}, {"week", {1, 5}});
    if (!nth) return std::unexpected(nth.error());
    return add(cron_.nth_weekdays_[*nth - 1], *day % 7);
  }

  static Result<void> add(std::uint64_t& set, const Result<unsigned>& number) {
    if (!number) return std::unexpected(number.error());
    set |= bit(*number);
    return {};
  }

  Cron cron_;
};

Result<Cron> Cron::parse(std::span<const CronWord> fields) { return Parser().parse(fields); }

Cron Cron::at(minutes time, std::optional<std::chrono::weekday> weekday) {
  Cron cron;
  cron.seconds_ = bit(0);
  cron.minutes_ = bit(static_cast<unsigned>(time.count() % 60));
  cron.hours_ = bit(static_cast<unsigned>(time.count() / 60));
  cron.days_ = all_days;
  cron.months_ = all_months;
  cron.weekdays_ = weekday ? bit(weekday->c_encoding()) : all_weekdays;
  return cron;
}

std::optional<Cron::TimeOfDay> Cron::time_of_day() const {
  TimeOfDay time{.at = hours(first_of(hours_)) + minutes(first_of(minutes_)), .weekday = {}};
  if (weekdays_ != all_weekdays && weekdays_ != 0) {
    time.weekday = std::chrono::weekday(first_of(weekdays_));
  }
  if (at(time.at, time.weekday) == *this) return time;
  return {};
}

std::string Cron::text() const {
  std::string day = days_ == 0 ? "" : text_of(days_, day_kind.range);
  for (unsigned number = 0; number <= 31; ++number) {
    const std::string digits = number == 0 ? "" : std::to_string(number);
    if (contains(days_from_end_, number)) add_item(day, number == 0 ? "L" : "L-" + digits);
    if (contains(weekdays_near_, number)) add_item(day, number == 0 ? "LW" : digits + "W");
  }
  std::string weekday = weekdays_ == 0 ? "" : text_of(weekdays_, {0, 6});
  for (unsigned number = 0; number <= 6; ++number) {
    const std::string digits = std::to_string(number);
    if (contains(last_weekdays_, number)) add_item(weekday, digits + "L");
    for (unsigned nth = 1; nth <= nth_weekdays_.size(); ++nth) {
      if (contains(nth_weekdays_[nth - 1], number)) {
        add_item(weekday, digits + "#" + std::to_string(nth));
      }
    }
  }
  const std::string second = seconds_ == bit(0) ? "" : text_of(seconds_, second_kind.range) + " ";
  return second + text_of(minutes_, minute_kind.range) + " " + text_of(hours_, hour_kind.range) +
         " " + day + " " + text_of(months_, month_kind.range) + " " + weekday;
}

// ---- Days ----

std::uint32_t Cron::by_day(year_month month) const {
  const unsigned length = days_in(month);
  std::uint64_t due = days_;
  for (auto from_end = first_from(days_from_end_, 0); from_end && *from_end < length;
       from_end = first_from(days_from_end_, *from_end + 1)) {
    due |= bit(length - *from_end);
  }
  for (auto near = first_from(weekdays_near_, 0); near && *near <= length;
       near = first_from(weekdays_near_, *near + 1)) {
    unsigned day = *near == 0 ? length : *near;
    const unsigned weekday = (weekday_of_first(month) + day - 1) % 7;
    // Never in another month.
    if (weekday == 6) day = day > 1 ? day - 1 : day + 2;
    if (weekday == 0) day = day < length ? day + 1 : day - 2;
    due |= bit(day);
  }
  return static_cast<std::uint32_t>(due & bits({1, length}));
}

std::uint32_t Cron::by_weekday(year_month month) const {
  const unsigned length = days_in(month);
  const unsigned first = weekday_of_first(month);
  std::uint64_t due = 0;
  for (unsigned day = 1; day <= length; ++day) {
    const unsigned weekday = (first + day - 1) % 7;
    const bool is_last = day + 7 > length && contains(last_weekdays_, weekday);
    const bool is_nth = contains(nth_weekdays_[(day - 1) / 7], weekday);
    if (contains(weekdays_, weekday) || is_last || is_nth) due |= bit(day);
  }
  return static_cast<std::uint32_t>(due);
}

std::uint32_t Cron::days_of(year_month month) const {
  if (!contains(months_, static_cast<unsigned>(month.month()))) return 0;
  if (weekdays_ == all_weekdays) return by_day(month);
  if (days_ == all_days) return by_weekday(month);
  return by_day(month) | by_weekday(month);
}

bool Cron::is_due(Day day) const {
  const year_month_day date(day);
  return contains(days_of(date.year() / date.month()), static_cast<unsigned>(date.day()));
}

// The first one behind `day`; nothing when there is none for ever.
std::optional<Cron::Day> Cron::next_day(Day day) const {
  const year_month_day date(day + days(1));
  year_month month = date.year() / date.month();
  auto from = static_cast<unsigned>(date.day());
  for (int looked_at = 0; looked_at <= months_of_calendar; ++looked_at) {
    if (const auto due = first_from(days_of(month), from)) {
      return Day(month / static_cast<int>(*due));
    }
    month += months(1);
    from = 1;
  }
  return {};
}

// ---- Times of a day ----

bool Cron::names_every_hour() const { return hours_ == all_hours; }

// The first that is not before `time`.
std::optional<seconds> Cron::time_from(seconds time) const {
  const auto hour = static_cast<unsigned>(time / hours(1));
  const auto minute = static_cast<unsigned>(time % hours(1) / minutes(1));
  const auto second = static_cast<unsigned>((time % minutes(1)).count());
  if (contains(hours_, hour) && contains(minutes_, minute)) {
    if (const auto due = first_from(seconds_, second)) return time_of(hour, minute, *due);
  }
  if (contains(hours_, hour)) {
    if (const auto due = first_from(minutes_, minute + 1)) {
      return time_of(hour, *due, first_of(seconds_));
    }
  }
  const auto due = first_from(hours_, hour + 1);
  if (!due) return {};
  return time_of(*due, first_of(minutes_), first_of(seconds_));
}

std::uint64_t Cron::times() const {
  return count_of(hours_) * count_of(minutes_) * count_of(seconds_);
}

std::uint64_t Cron::times_through(seconds time) const {
  const auto hour = static_cast<unsigned>(time / hours(1));
  const auto minute = static_cast<unsigned>(time % hours(1) / minutes(1));
  const auto second = static_cast<unsigned>((time % minutes(1)).count());
  std::uint64_t count = count_below(hours_, hour) * count_of(minutes_) * count_of(seconds_);
  if (!contains(hours_, hour)) return count;
  count += count_below(minutes_, minute) * count_of(seconds_);
  return contains(minutes_, minute) ? count + count_below(seconds_, second + 1) : count;
}

LocalTime Cron::next_after(LocalTime time) const {
  const auto from = floor<seconds>(time) + seconds(1);
  const Day day = floor<days>(from);
  if (is_due(day)) {
    if (const auto due = time_from(from - day)) return day + *due;
  }
  const auto due = next_day(day);
  ALMANAC_CHECK(due);  // or it would not have been parsed
  return *due + *time_from(seconds(0));
}

std::uint64_t Cron::count(LocalTime after, LocalTime through) const {
  if (after >= through) return 0;
  const Day first = floor<days>(after);
  const Day last = floor<days>(through);
  std::uint64_t days_due = is_due(first) ? 1 : 0;
  const year_month_day end(last);
  for (auto month = year_month_day(first).year() / year_month_day(first).month();
       month <= end.year() / end.month(); month += months(1)) {
    std::uint64_t due = days_of(month);
    if (Day(month / 1) <= first) {
      due &= ~bits({0, static_cast<unsigned>(year_month_day(first).day())});
    }
    if (month == end.year() / end.month()) due &= bits({0, static_cast<unsigned>(end.day())});
    days_due += count_of(due);
  }
  std::uint64_t found = days_due * times();
  if (is_due(first)) found -= times_through(floor<seconds>(after) - first);
  if (is_due(last)) found -= times() - times_through(floor<seconds>(through) - last);
  return found;
}

}  // namespace almanac
