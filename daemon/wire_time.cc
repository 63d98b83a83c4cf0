#include <almanac/daemon/wire_time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>

namespace almanac {
namespace {

// Digits in front of `end`, with zeros. By hand: it is done for every job that is handed out.
void put_digits(char* end, unsigned number, int count) {
  for (; count > 0; --count, number /= 10) *--end = static_cast<char>('0' + number % 10);
}

// So many characters of the text are the time.
std::size_t put_time(std::span<char> text, Time time) {
  constexpr std::string_view zeros = "0000-00-00T00:00:00.000000";
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::ranges::copy(zeros, text.begin());
  char* begin = text.data();
  put_digits(begin + 4, static_cast<unsigned>(int(date.year())), 4);
  put_digits(begin + 7, unsigned(date.month()), 2);
  put_digits(begin + 10, unsigned(date.day()), 2);
  put_digits(begin + 13, static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(begin + 16, static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(begin + 19, static_cast<unsigned>(clock.seconds().count()), 2);
  put_digits(begin + 26, static_cast<unsigned>(clock.subseconds().count()), 6);
  std::size_t size = zeros.size();
  while (text[size - 1] == '0') --size;
  if (text[size - 1] == '.') --size;
  text[size] = 'Z';
  return size + 1;
}

constexpr std::size_t time_bytes_max = 27;

}  // namespace

std::string wire_time(Time time) {
  std::array<char, time_bytes_max> text;
  return {text.data(), put_time(text, time)};
}

void append_wire_time(std::string& json, Time time) {
  std::array<char, time_bytes_max> text;
  const std::size_t size = put_time(text, time);
  json.append("\"").append(text.data(), size).append("\"");
}

}  // namespace almanac
