#include <almanac/tools/workload_field.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/nearest.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
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

Checked<Word> read_word(const Field& field, const Value& element) {
  if (!std::holds_alternative<std::string>(element.content)) {
    return fault(element.line,
                 fmt::format("'{}' must be a list of texts, and {} is in it", field.key,
                             what_it_is(element)),
                 "put each of them in quotes");
  }
  auto text = read_text({field.key, element});
  if (!text) return std::unexpected(std::move(text.error()));
  return Word{std::move(*text), element.line};
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

Checked<bool> read_truth(const Field& field) {
  const auto* truth = std::get_if<bool>(&field.value.content);
  if (truth == nullptr) return wrong_type(field, "true or false", "true, without quotes");
  return *truth;
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
    auto word = read_word(field, element);
    if (!word) return std::unexpected(std::move(word.error()));
    words.push_back(std::move(*word));
  }
  return words;
}

namespace {

Checked<void> check_set(const Field& field, std::vector<const Word*> words, std::size_t size_max) {
  if (words.size() > size_max) {
    return fault(
        field.value.line,
        fmt::format("'{}' has {} entries, over the limit of {}", field.key, words.size(), size_max),
        "leave some of them out");
  }
  std::ranges::sort(words, [](const Word* one, const Word* other) {
    return std::tie(one->text, one) < std::tie(other->text, other);
  });
  auto twice = std::ranges::adjacent_find(words, {}, &Word::text);
  if (twice == words.end()) return {};
  const Word& second = **std::next(twice);
  return fault(second.line, fmt::format("'{}' lists '{}' twice", field.key, second.text),
               "remove one of them");
}

template <class Words>
std::vector<const Word*> pointers(const Words& words) {
  std::vector<const Word*> all;
  for (const Word& word : words) all.push_back(&word);
  return all;
}

// {task = "…", when = "…"}, or {tag = "…", …}
Checked<After> read_after_table(const Value& element, const Value::Table& table) {
  static constexpr std::array<std::string_view, 3> known = {"task", "tag", "when"};
  After after;
  after.line = element.line;
  for (const Member& member : table) {
    if (std::ranges::find(known, member.key) == known.end()) return unknown_key(member, known);
    auto text = read_text({member.key, member.value});
    if (!text) return std::unexpected(std::move(text.error()));
    if (member.key != "when") {
      if (!after.text.empty()) {
        return fault(member.line, "'task' and 'tag' stand side by side", "keep one of them");
      }
      after.text = std::move(*text);
      after.is_tag = member.key == "tag";
      continue;
    }
    auto condition = condition_from(*text);
    if (!condition) return of_field({member.key, member.value}, std::move(condition.error()));
    after.condition = *condition;
  }
  if (!after.text.empty()) return after;
  return fault(element.line, "'after' has an entry that names no task",
               R"(write {task = "build", when = "end"} or the like)");
}

}  // namespace

Checked<std::vector<Word>> read_word_set(const Field& field, std::size_t size_max) {
  auto words = read_words(field);
  if (!words) return words;
  auto checked = check_set(field, pointers(*words), size_max);
  if (!checked) return std::unexpected(std::move(checked.error()));
  return words;
}

Checked<std::vector<After>> read_after(const Field& field, std::size_t size_max) {
  const auto* list = std::get_if<Value::List>(&field.value.content);
  if (list == nullptr) return wrong_type(field, "a list of texts", "[\"one\", \"two\"]");
  std::vector<After> all;
  for (const Value& element : *list) {
    if (const auto* table = std::get_if<Value::Table>(&element.content)) {
      auto after = read_after_table(element, *table);
      if (!after) return std::unexpected(std::move(after.error()));
      all.push_back(std::move(*after));
      continue;
    }
    auto word = read_word(field, element);
    if (!word) return std::unexpected(std::move(word.error()));
    After after;
    static_cast<Word&>(after) = std::move(*word);
    all.push_back(std::move(after));
  }
  auto checked = check_set(field, pointers(all), size_max);
  if (!checked) return std::unexpected(std::move(checked.error()));
  return all;
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
