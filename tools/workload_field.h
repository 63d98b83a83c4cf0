// One key of a workload and its value, read as what it should be. Every reader's fault says what
// was expected, what was found and what to write.
#pragma once

#include <almanac/tools/workload_value.h>

#include <almanac/log/events/task.h>
#include <almanac/log/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac::workload {

// Borrows both.
struct Field {
  std::string_view key;
  const Value& value;
};

// A text in a list, with its line.
struct Word {
  std::string text;
  int line = 0;
};

// A task that another comes after, or all that have a tag.
struct After : Word {
  bool is_tag = false;
  DependencyCondition condition = DependencyCondition::success;
};

// Without a zero byte.
[[nodiscard]] Checked<std::string> read_text(const Field& field);
struct Range {
  std::int64_t min;
  std::int64_t max;
};
[[nodiscard]] Checked<std::int64_t> read_integer(const Field& field, Range range);
[[nodiscard]] Checked<bool> read_truth(const Field& field);
[[nodiscard]] Checked<Duration> read_duration(const Field& field);
// Text, or what TOML takes for a time. After 1970.
[[nodiscard]] Checked<Time> read_time(const Field& field);
[[nodiscard]] Checked<std::vector<Word>> read_words(const Field& field);
// The same, at most `size_max` of them and none twice.
[[nodiscard]] Checked<std::vector<Word>> read_word_set(const Field& field, std::size_t size_max);
// Texts, or {task = "…", when = "…"}, or with a tag for the task; at most `size_max` of them and
// none twice.
[[nodiscard]] Checked<std::vector<After>> read_after(const Field& field, std::size_t size_max);
// The view dies with the field's value.
[[nodiscard]] Checked<const Value::Table*> read_table(const Field& field);

// Puts what was read into `target`.
template <class T, class Target>
Checked<void> put(Checked<T> read, Target& target) {
  if (!read) return std::unexpected(std::move(read.error()));
  target = static_cast<Target>(std::move(*read));
  return {};
}

// The text as what `from` makes of it.
template <class From, class Target>
Checked<void> put_choice(const Field& field, From from, Target& target) {
  auto text = read_text(field);
  if (!text) return std::unexpected(std::move(text.error()));
  auto choice = from(*text);
  if (!choice) {
    return fault(field.value.line, std::move(choice.error().message),
                 std::move(choice.error().next_step));
  }
  target = std::move(*choice);
  return {};
}

// For a key that is not among `known`.
[[nodiscard]] std::unexpected<Fault> unknown_key(const Member& member,
                                                 std::span<const std::string_view> known);
// "did you mean 'timeout'?", or nothing when no word is near.
[[nodiscard]] std::string suggestion(std::string_view word,
                                     std::span<const std::string_view> known);

}  // namespace almanac::workload
