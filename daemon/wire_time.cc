#include <almanac/daemon/wire_time.h>

#include <chrono>
#include <string>

namespace almanac {
namespace {

// Digits in front of `end`, with zeros. By hand: it is done for every job that is handed out.
void put_digits(char* end, unsigned number, int count) {
  for (; count > 0; --count, number /= 10) *--end = static_cast<char>('0' + number % 10);
}

}  // namespace

std::string wire_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text = "0000-00-00T00:00:00.000000";
  char* begin = text.data();
  put_digits(begin + 4, static_cast<unsigned>(int(date.year())), 4);
  put_digits(begin + 7, unsigned(date.month()), 2);
  put_digits(begin + 10, unsigned(date.day()), 2);
  put_digits(begin + 13, static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(begin + 16, static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(begin + 19, static_cast<unsigned>(clock.seconds().count()), 2);
  put_digits(begin + 26, static_cast<unsigned>(clock.subseconds().count()), 6);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text += 'Z';
}

}  // namespace almanac
