// Questions about a state, or about the tasks in it, as one expression in the manner of CEL:
//
//   state == "failed" && attempts > 2 && age > 2h
//   queue in ["web", "mail"] && !kind.startsWith("nightly") || "urgent" in tags
//   "gpu" in limits && blocked_by != "gpu"
//   tasks.failed > 100 && count(state == "running" && queue == "web") == 0
//
// Types are known when it is parsed: numbers, texts ("…" or '…'), truths (true, false), durations
// (2h, 1h30m, 250ms) and times (timestamp("2026-11-21T03:00:00Z")). Operators, the loosest first:
// ||, &&, then one of == != < <= > >= in, then + and -; ! stands in front. Texts have .contains(),
// .startsWith() and .endsWith(). `count(…)` is the number of tasks for which what stands inside
// holds, `exists(…)` whether there is one; each looks at every task. The names are in
// query_names.h. A time that is not set is 1970-01-01T00:00:00Z. Sums stop at the largest number.
//
// Evaluation is pure and total: the same state gives the same answer, and every answer is one.
#pragma once

#include <almanac/projections/state.h>

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// What a question is asked of.
enum class QuerySubject : std::uint8_t { state, task };

// What is wrong with an expression, and where.
struct QueryFault {
  std::size_t column = 1;               // in bytes
  std::string message;                  // a sentence without its full stop
  std::string word;                     // unknown, when that is what is wrong …
  std::vector<std::string_view> known;  // … and what could have stood there
};

// A value; O(1) copy; any thread may ask it.
class Query {
 public:
  // Faults: too long or nested too deep (limits.h), not an expression, an unknown name or value, a
  // type that does not fit, no truth. O(its length).
  [[nodiscard]] static std::expected<Query, QueryFault> parse(std::string_view text,
                                                              QuerySubject subject);

  // Whether it holds. A question about tasks is asked with one.
  [[nodiscard]] bool holds(const State& state) const;
  [[nodiscard]] bool holds(const State& state, TaskId id, const Task& task) const;

  // In one spelling for all that mean the same; parse() reads it back as the same question.
  [[nodiscard]] std::string text() const;

  struct Node;

 private:
  explicit Query(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace almanac
