#include <almanac/tools/workload_field.h>

#include <almanac/tools/nearest.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace almanac::workload {
namespace {

std::unexpected<Fault> wrong_type(const Field& field, std::string_view expected,
                                  std::string_view example) {
  return fault(field.value.line,
               fmt::format("'{}' must be {}, not {}", field.key, expected, what_it_is(field.value)),
               fmt::format("write it as {}", example));
}

std::unexpected<Fault> of_field(const Field& field, Error error) {
  return fault(field.value.line, fmt::format("'{}': {}", field.key, error.message),
               std::move(error.next_step));
}

// What a person writes for a duration or time, so that the message for it comes from its parser.
std::string as_written(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.content)) return *text;
  if (const auto* moment = std::get_if<Value::Moment>(&value.content)) return moment->text;
  if (const auto* number = std::get_if<std::int64_t>(&value.content)) {
    return std::to_string(*number);
  }
  return {};
}

}  // namespace

Checked<std::string> read_text(const Field& field) {
  const auto* text = std::get_if<std::string>(&field.value.content);
  if (text == nullptr) return wrong_type(field, "text", "\"some text\", in quotes");
  if (text->find('\0') != std::string::npos) {
    return fault(field.value.line, fmt::format("'{}' has a zero byte in it", field.key),
                 "remove \\u0000 from the text");
  }
  return *text;
}

Checked<std::int64_t> read_integer(const Field& field, Range range) {
  const auto* number = std::get_if<std::int64_t>(&field.value.content);
  if (number == nullptr) return wrong_type(field, "a whole number", "3, without quotes");
  if (*number < range.min || *number > range.max) {
    return fault(field.value.line,
                 fmt::format("'{}' must be {} to {}", field.key, range.min, range.max),
                 "write a number in that range");
  }
  return *number;
}

Checked<Duration> read_duration(const Field& field) {
  auto written = as_written(field.value);
  if (written.empty() && !std::holds_alternative<std::string>(field.value.content)) {
    return wrong_type(field, "a duration", "\"30s\", \"5m\" or \"1h30m\"");
  }
  auto duration = parse_duration(written);
  if (!duration) return of_field(field, std::move(duration.error()));
  return *duration;
}

Checked<Time> read_time(const Field& field) {
  auto written = as_written(field.value);
  if (written.empty() && !std::holds_alternative<std::string>(field.value.content)) {
    return wrong_type(field, "a time", "\"2026-11-21T10:00:00Z\"");
  }
  auto time = parse_time(written);
  if (!time) return of_field(field, std::move(time.error()));
  if (*time <= Time()) {
    return fault(field.value.line, fmt::format("'{}' lies before the year 1971", field.key),
                 "write a time to come, or leave it out to start at once");
  }
  return *time;
}

Checked<std::vector<Word>> read_words(const Field& field) {
  const auto* list = std::get_if<Value::List>(&field.value.content);
  if (list == nullptr) return wrong_type(field, "a list of texts", "[\"one\", \"two\"]");
  std::vector<Word> words;
  words.reserve(list->size());
  for (const Value& element : *list) {
    if (!std::holds_alternative<std::string>(element.content)) {
      return fault(element.line,
                   fmt::format("'{}' must be a list of texts, and {} is in it", field.key,
                               what_it_is(element)),
                   "put each of them in quotes");
    }
    auto text = read_text({field.key, element});
    if (!text) return std::unexpected(std::move(text.error()));
    words.push_back({std::move(*text), element.line});
  }
  return words;
}

Checked<std::vector<Word>> read_word_set(const Field& field, std::size_t size_max) {
  auto words = read_words(field);
  if (!words) return words;
  if (words->size() > size_max) {
    return fault(field.value.line,
                 fmt::format("'{}' has {} entries, over the limit of {}", field.key, words->size(),
                             size_max),
                 "leave some of them out");
  }
  std::vector<const Word*> sorted;
  for (const Word& word : *words) sorted.push_back(&word);
  std::ranges::sort(sorted, [](const Word* one, const Word* other) {
    return std::tie(one->text, one) < std::tie(other->text, other);
  });
  auto twice = std::ranges::adjacent_find(sorted, {}, &Word::text);
  if (twice != sorted.end()) {
    const Word& second = **std::next(twice);
    return fault(second.line, fmt::format("'{}' lists '{}' twice", field.key, second.text),
                 "remove one of them");
  }
  return words;
}

Checked<const Value::Table*> read_table(const Field& field) {
  const auto* table = std::get_if<Value::Table>(&field.value.content);
  if (table == nullptr) return wrong_type(field, "a table", "key and value pairs");
  return table;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
  auto found = nearest(word, known);
  return found ? fmt::format("did you mean '{}'?", *found) : std::string();
}

std::unexpected<Fault> unknown_key(const Member& member, std::span<const std::string_view> known) {
  auto next_step = suggestion(member.key, known);
  if (next_step.empty()) {
    for (auto key : known)
      next_step += (next_step.empty() ? "known here: " : ", ") + std::string(key);
  }
  return fault(member.line, fmt::format("unknown key '{}'", member.key), std::move(next_step));
}

}  // namespace almanac::workload
