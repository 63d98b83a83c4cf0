// An expression of query.h as a tree: made by the parser, walked by whoever asks or prints it.
#pragma once

#include <almanac/projections/query_names.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

struct Query::Node {
  enum class Kind : std::uint8_t {
    literal,
    name,
    negation,  // one part
    both,      // the rest to `within`: two parts
    either,
    equal,
    unequal,
    less,
    less_equal,
    greater,
    greater_equal,
    sum,
    difference,
    contains,
    starts_with,
    ends_with,
    within,    // the first part is one of the others
    tagged,    // the part is one of the task's tags
    demanded,  // or the name of a limit that it asks for
    count,     // one part, asked of every task
    exists,
  };

  Kind kind = Kind::literal;
  query::Type type = query::Type::truth;
  std::int64_t number = 0;  // of a literal
  std::string text;         // of a literal
  const query::Name* name = nullptr;
  std::vector<std::unique_ptr<const Node>> parts;
};

namespace query {

using Node = Query::Node;
using Kind = Node::Kind;

[[nodiscard]] Value evaluate(const Node& node, const Asked& asked);
[[nodiscard]] std::string print(const Node& node);

// Durations and times as expressions write them; times in UTC. None when `text` is not one.
[[nodiscard]] std::optional<std::int64_t> duration_from(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> time_from(std::string_view text);
[[nodiscard]] std::string duration_text(std::int64_t micros);
[[nodiscard]] std::string time_text(std::int64_t micros);

}  // namespace query
}  // namespace almanac
