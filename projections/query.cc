#include <almanac/projections/query.h>

#include <almanac/projections/query_node.h>

#include <algorithm>
#include <limits>

namespace almanac {
namespace query {
namespace {

std::int64_t add(std::int64_t one, std::int64_t other) {
  using Limits = std::numeric_limits<std::int64_t>;
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(one, other, &sum)) return sum;
  return one < 0 ? Limits::min() : Limits::max();
}

std::int64_t subtract(std::int64_t one, std::int64_t other) {
  using Limits = std::numeric_limits<std::int64_t>;
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(one, other, &difference)) return difference;
  return one < 0 ? Limits::min() : Limits::max();
}

bool equal(Type type, const Value& one, const Value& other) {
  return type == Type::text ? one.text == other.text : one.number == other.number;
}

bool holds(const Node& node, const Asked& asked) { return evaluate(node, asked).number != 0; }

std::int64_t count(const Node& condition, const State& state, std::int64_t most) {
  std::int64_t found = 0;
  for (const auto& [id, task] : state.tasks.all) {
    if (holds(condition, {state, id, &task}) && ++found == most) break;
  }
  return found;
}

bool is_tagged(std::string_view tag, const Asked& asked) {
  auto name = asked.state.names.find(tag);
  return name && asked.state.tasks.tagged.contains(TagKey{*name, asked.id});
}

// By its demands or, as every task of a kind with a limit, without saying so.
bool is_demanded(std::string_view limit, const Asked& asked) {
  const auto name = asked.state.names.find(limit);
  if (!name) return false;
  const NameId* of_kind = asked.state.limits.kinds.find(asked.task->kind);
  if (of_kind != nullptr && *of_kind == *name) return true;
  const Tasks& tasks = asked.state.tasks;
  return std::ranges::any_of(tasks.demand_sets.of(tasks.demands_of(asked.id)),
                             [&](const LimitDemand& demand) { return demand.limit == *name; });
}

bool is_within(const Node& node, const Asked& asked) {
  const auto value = evaluate(*node.parts[0], asked);
  return std::any_of(node.parts.begin() + 1, node.parts.end(), [&](const auto& part) {
    return equal(part->type, value, evaluate(*part, asked));
  });
}

bool compare(const Node& node, const Asked& asked) {
  const auto one = evaluate(*node.parts[0], asked);
  const auto other = evaluate(*node.parts[1], asked);
  switch (node.kind) {
    case Kind::equal: return equal(node.parts[0]->type, one, other);
    case Kind::unequal: return !equal(node.parts[0]->type, one, other);
    case Kind::less: return one.number < other.number;
    case Kind::less_equal: return one.number <= other.number;
    case Kind::greater: return one.number > other.number;
    case Kind::greater_equal: return one.number >= other.number;
    case Kind::contains: return one.text.contains(other.text);
    case Kind::starts_with: return one.text.starts_with(other.text);
    default: return one.text.ends_with(other.text);
  }
}

}  // namespace

Value evaluate(const Node& node, const Asked& asked) {
  const auto part = [&](std::size_t i) { return evaluate(*node.parts[i], asked); };
  switch (node.kind) {
    case Kind::literal: return {.number = node.number, .text = node.text};
    case Kind::name: return node.name->value(asked);
    case Kind::negation: return {.number = part(0).number == 0};
    case Kind::both:
      return {.number = holds(*node.parts[0], asked) && holds(*node.parts[1], asked)};
    case Kind::either:
      return {.number = holds(*node.parts[0], asked) || holds(*node.parts[1], asked)};
    case Kind::sum: return {.number = add(part(0).number, part(1).number)};
    case Kind::difference: return {.number = subtract(part(0).number, part(1).number)};
    case Kind::within: return {.number = is_within(node, asked)};
    case Kind::tagged: return {.number = is_tagged(part(0).text, asked)};
    case Kind::demanded: return {.number = is_demanded(part(0).text, asked)};
    case Kind::count:
      return {.number =
                  count(*node.parts[0], asked.state, std::numeric_limits<std::int64_t>::max())};
    case Kind::exists: return {.number = count(*node.parts[0], asked.state, 1)};
    default: return {.number = compare(node, asked)};
  }
}

}  // namespace query

bool Query::holds(const State& state) const {
  return query::evaluate(*root_, {.state = state}).number != 0;
}

bool Query::holds(const State& state, TaskId id, const Task& task) const {
  return query::evaluate(*root_, {.state = state, .id = id, .task = &task}).number != 0;
}

std::string Query::text() const { return query::print(*root_); }

}  // namespace almanac
