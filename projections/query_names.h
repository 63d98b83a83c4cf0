// What an expression of query.h can name.
#pragma once

#include <almanac/projections/query.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace almanac::query {

enum class Type : std::uint8_t { truth, number, text, duration, time };

[[nodiscard]] std::string_view name(Type type);

// What an expression is asked of; without a task, the names of tasks have no meaning.
struct Asked {
  const State& state;
  TaskId id = {};
  const Task* task = nullptr;
};

// Truths are 0 and 1, durations and times microseconds; a text is in `text`.
struct Value {
  std::int64_t number = 0;
  std::string_view text = {};
};

struct Name {
  std::string_view name;
  Type type;
  QuerySubject of;
  Value (*value)(const Asked& asked);
  // What the text can be; empty = anything.
  std::span<const std::string_view> values = {};
};

// In the order in which help shows them.
[[nodiscard]] std::span<const Name> names();
[[nodiscard]] const Name* find_name(std::string_view text);

}  // namespace almanac::query
