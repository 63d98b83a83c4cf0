// The type rules of expressions, and what the parser says when something does not fit.
#include <almanac/projections/limits.h>
#include <almanac/projections/query_parser.h>

#include <algorithm>
#include <utility>

namespace almanac::query {
namespace {

bool has_order(Type type) { return type != Type::text && type != Type::truth; }

std::optional<Type> type_of_sum(Kind kind, Type one, Type other) {
  const bool is_sum = kind == Kind::sum;
  if (one == other && (one == Type::number || one == Type::duration)) return one;
  if (one == Type::time && other == Type::duration) return Type::time;
  if (is_sum && one == Type::duration && other == Type::time) return Type::time;
  if (!is_sum && one == Type::time && other == Type::time) return Type::duration;
  return std::nullopt;
}

Parser::NodePointer join(Kind kind, Type type, Parser::NodePointer one, Parser::NodePointer other) {
  auto node = std::make_unique<Node>(Node{.kind = kind, .type = type});
  node->parts.push_back(std::move(one));
  node->parts.push_back(std::move(other));
  return node;
}

}  // namespace

Parser::NodePointer Parser::compared(NodePointer one, const Operator& how, NodePointer other) {
  if (one->type != other->type) {
    return fail(how.token, std::string(name(one->type)) + " cannot be compared with " +
                               std::string(name(other->type)));
  }
  const bool is_equality = how.kind == Kind::equal || how.kind == Kind::unequal;
  if (!is_equality && !has_order(one->type)) {
    return fail(how.token, std::string(name(one->type)) + " is not more or less than another");
  }
  if (!is_known_value(*one, *other, how.token) || !is_known_value(*other, *one, how.token)) {
    return nullptr;
  }
  return join(how.kind, Type::truth, std::move(one), std::move(other));
}

Parser::NodePointer Parser::added(NodePointer one, const Operator& how, NodePointer other) {
  auto type = type_of_sum(how.kind, one->type, other->type);
  if (type) return join(how.kind, *type, std::move(one), std::move(other));
  return fail(how.token, std::string(name(one->type)) + " and " + std::string(name(other->type)) +
                             " have no " + (how.kind == Kind::sum ? "sum" : "difference"));
}

bool Parser::is_known_value(const Node& name, const Node& literal, const Token& at) {
  if (name.kind != Kind::name || literal.kind != Kind::literal || name.name->values.empty()) {
    return true;
  }
  const auto values = name.name->values;
  if (std::ranges::find(values, literal.text) != values.end()) return true;
  fail_unknown(at, name.name->name, literal.text, {values.begin(), values.end()});
  return false;
}

bool Parser::expect_type(const Node& node, Type type, const Token& at) {
  if (node.type == type) return true;
  fail(at,
       std::string(name(type)) + " is wanted here, and this is " + std::string(name(node.type)));
  return false;
}

bool Parser::take(std::string_view symbol) {
  if (!is_next(symbol)) return false;
  advance();
  return true;
}

bool Parser::expect(std::string_view symbol) {
  if (take(symbol)) return true;
  fail(token_, "'" + std::string(symbol) + "' is missing here");
  return false;
}

bool Parser::count_operator(const Token& at) {
  if (++operators_ <= limits::query_operators_max) return true;
  fail(at, "the expression has too many operators");
  return false;
}

std::nullptr_t Parser::fail(const Token& at, std::string message) {
  fault_ = {.column = at.offset + 1, .message = std::move(message), .word = {}, .known = {}};
  return nullptr;
}

std::nullptr_t Parser::fail_unknown(const Token& at, std::string_view what, std::string_view word,
                                    std::vector<std::string_view> known) {
  fault_ = {.column = at.offset + 1,
            .message = "there is no " + std::string(what) + " '" + std::string(word) + "'",
            .word = std::string(word),
            .known = std::move(known)};
  return nullptr;
}

std::nullptr_t Parser::fail_unexpected() {
  switch (token_.kind) {
    case TokenKind::end: return fail(token_, "the expression ends where a value is wanted");
    case TokenKind::unclosed: return fail(token_, "the text has no closing quote");
    default: break;
  }
  if (token_.text == "=") return fail(token_, "'=' is no operator: use == to compare");
  if (token_.text == "&") return fail(token_, "'&' is no operator: use &&");
  if (token_.text == "|") return fail(token_, "'|' is no operator: use ||");
  return fail(token_, "'" + std::string(token_.text) + "' does not belong here");
}

}  // namespace almanac::query
