// What a workload file says before anyone asks what it means: one tree for both formats, each value
// with its line. Values; they own everything.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac::workload {

struct Member;

struct Value {
  struct Null {};
  // A date or time that TOML has understood as one, as text again.
  struct Moment {
    std::string text;
  };
  using List = std::vector<Value>;
  // In the file's order. No key stands in it twice.
  using Table = std::vector<Member>;

  int line = 0;
  std::variant<Null, bool, std::int64_t, double, std::string, Moment, List, Table> content;
};

struct Member {
  std::string key;
  int line = 0;
  Value value;
};

// "text", "a whole number", "a list" …
[[nodiscard]] std::string_view what_it_is(const Value& value);

// An error that does not know yet in which file it was found. Always of code invalid.
struct Fault {
  int line = 0;
  std::string message;
  std::string next_step;
};

template <class T>
using Checked = std::expected<T, Fault>;

[[nodiscard]] std::unexpected<Fault> fault(int line, std::string message, std::string next_step);

// Who is told what a reader finds; a fault ends the reading.
struct Sink {
  // Once, before any task: what holds for the whole workload.
  std::function<Checked<void>(const Value::Table& head)> head;
  // Each task in the file's order; not always a table.
  std::function<Checked<void>(const Value& task)> task;
};

// `text` is UTF-8 without a byte order mark.
[[nodiscard]] Checked<void> read_toml(std::string_view text, const Sink& sink);
[[nodiscard]] Checked<void> read_json_lines(std::string_view text, const Sink& sink);

}  // namespace almanac::workload
