#include <almanac/projections/query_parser.h>

#include <almanac/projections/limits.h>

#include <array>
#include <charconv>
#include <utility>

namespace almanac {
namespace query {

std::expected<Parser::NodePointer, QueryFault> Parser::run() {
  auto node = either();
  if (node && token_.kind != TokenKind::end) node = fail_unexpected();
  if (node && node->type != Type::truth) {
    node = fail({}, "this is " + std::string(name(node->type)) + ", and not true or false");
  }
  if (node) return node;
  return std::unexpected(std::move(*fault_));
}

// ---- Operators, the loosest first ----

Parser::NodePointer Parser::connect(NodePointer (Parser::*part)(), std::string_view symbol,
                                    Kind kind) {
  auto first_token = token_;
  auto node = (this->*part)();
  while (node && is_next(symbol)) {
    if (!expect_type(*node, Type::truth, first_token) || !count_operator(token_)) return nullptr;
    advance();
    const auto at = token_;
    auto other = (this->*part)();
    if (!other || !expect_type(*other, Type::truth, at)) return nullptr;
    auto joined = std::make_unique<Node>(Node{.kind = kind});
    joined->parts.push_back(std::move(node));
    joined->parts.push_back(std::move(other));
    node = std::move(joined);
  }
  return node;
}

Parser::NodePointer Parser::either() { return connect(&Parser::both, "||", Kind::either); }
Parser::NodePointer Parser::both() { return connect(&Parser::negation, "&&", Kind::both); }

Parser::NodePointer Parser::negation() {
  if (!is_next("!")) return comparison();
  if (++nesting_ > limits::query_nesting_max) return fail(token_, "this is nested too deep");
  advance();
  const auto at = token_;
  auto inner = negation();
  --nesting_;
  if (!inner || !expect_type(*inner, Type::truth, at)) return nullptr;
  auto node = std::make_unique<Node>(Node{.kind = Kind::negation});
  node->parts.push_back(std::move(inner));
  return node;
}

Parser::NodePointer Parser::comparison() {
  constexpr std::array comparisons = {
      std::pair{"==", Kind::equal},  std::pair{"!=", Kind::unequal},
      std::pair{"<", Kind::less},    std::pair{"<=", Kind::less_equal},
      std::pair{">", Kind::greater}, std::pair{">=", Kind::greater_equal}};
  auto node = sum();
  if (!node) return nullptr;
  const auto at = token_;
  if (take("in")) return within(std::move(node), at);
  for (const auto& [symbol, kind] : comparisons) {
    if (!take(symbol)) continue;
    auto other = sum();
    return other ? compared(std::move(node), {kind, at}, std::move(other)) : nullptr;
  }
  if (at.kind == TokenKind::strange) return fail_unexpected();
  return node;
}

Parser::NodePointer Parser::sum() {
  auto node = methods();
  while (node && (is_next("+") || is_next("-"))) {
    const Operator how{is_next("+") ? Kind::sum : Kind::difference, token_};
    if (!count_operator(token_)) return nullptr;
    advance();
    auto other = methods();
    node = other ? added(std::move(node), how, std::move(other)) : nullptr;
  }
  return node;
}

Parser::NodePointer Parser::within(NodePointer value, const Token& at) {
  if (is_next("tags") || is_next("limits")) {
    const auto kind = is_next("tags") ? Kind::tagged : Kind::demanded;
    if (subject_ != QuerySubject::task) {
      return fail(token_, "only a task has " + std::string(token_.text) + ": use count(…)");
    }
    if (!expect_type(*value, Type::text, at)) return nullptr;
    advance();
    auto node = std::make_unique<Node>(Node{.kind = kind});
    node->parts.push_back(std::move(value));
    return node;
  }
  if (!expect("[")) return nullptr;
  return list(std::move(value));
}

Parser::NodePointer Parser::list(NodePointer value) {
  auto node = std::make_unique<Node>(Node{.kind = Kind::within});
  node->parts.push_back(std::move(value));
  do {
    const auto at = token_;
    auto element = primary();
    if (!element) return nullptr;
    if (element->kind != Kind::literal) return fail(at, "only values can stand in a list");
    const Node& first = *node->parts[0];
    if (!expect_type(*element, first.type, at) || !is_known_value(first, *element, at)) {
      return nullptr;
    }
    node->parts.push_back(std::move(element));
  } while (take(","));
  if (!expect("]")) return nullptr;
  return node;
}

// ---- What has a value ----

Parser::NodePointer Parser::methods() {
  auto node = primary();
  while (node && is_next(".")) {
    advance();
    const auto at = token_;
    if (token_.kind != TokenKind::name) return fail_unexpected();
    if (!count_operator(at)) return nullptr;
    advance();
    node = method(std::move(node), at.text, at);
  }
  return node;
}

Parser::NodePointer Parser::method(NodePointer subject, std::string_view method, const Token& at) {
  constexpr std::array known = {std::pair<std::string_view, Kind>{"contains", Kind::contains},
                                std::pair<std::string_view, Kind>{"startsWith", Kind::starts_with},
                                std::pair<std::string_view, Kind>{"endsWith", Kind::ends_with}};
  for (const auto& [name, kind] : known) {
    if (name != method) continue;
    if (!expect_type(*subject, Type::text, at) || !expect("(")) return nullptr;
    const auto argument_at = token_;
    auto argument = primary();
    if (!argument || !expect_type(*argument, Type::text, argument_at) || !expect(")")) {
      return nullptr;
    }
    auto node = std::make_unique<Node>(Node{.kind = kind});
    node->parts.push_back(std::move(subject));
    node->parts.push_back(std::move(argument));
    return node;
  }
  return fail_unknown(at, "method", method, {"contains", "startsWith", "endsWith"});
}

Parser::NodePointer Parser::primary() {
  if (is_next("(")) return in_parentheses();
  if (take("-")) {
    if (token_.kind != TokenKind::number) return fail_unexpected();
    return number_literal(-1);
  }
  switch (token_.kind) {
    case TokenKind::number: return number_literal(1);
    case TokenKind::text: return text_literal();
    case TokenKind::name: return named();
    default: return fail_unexpected();
  }
}

Parser::NodePointer Parser::in_parentheses() {
  if (++nesting_ > limits::query_nesting_max) return fail(token_, "this is nested too deep");
  advance();
  auto node = either();
  --nesting_;
  return node && expect(")") ? std::move(node) : nullptr;
}

Parser::NodePointer Parser::number_literal(std::int64_t sign) {
  const auto at = token_;
  advance();
  std::int64_t number = 0;
  const auto* text_end = at.text.data() + at.text.size();
  auto [end, error] = std::from_chars(at.text.data(), text_end, number);
  if (end == text_end && error == std::errc()) {
    return std::make_unique<Node>(Node{.type = Type::number, .number = sign * number});
  }
  if (auto micros = duration_from(at.text)) {
    return std::make_unique<Node>(Node{.type = Type::duration, .number = sign * *micros});
  }
  return fail(at, "'" + std::string(at.text) +
                      "' is neither a whole number nor a duration such as 2h or 1h30m");
}

Parser::NodePointer Parser::text_literal() {
  auto node = std::make_unique<Node>(Node{.type = Type::text});
  const auto inner = token_.text.substr(1, token_.text.size() - 2);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '\\' && i + 1 < inner.size()) ++i;
    node->text += inner[i];
  }
  advance();
  return node;
}

Parser::NodePointer Parser::named() {
  const auto token = token_;
  advance();
  if (token.text == "true" || token.text == "false") {
    return std::make_unique<Node>(Node{.type = Type::truth, .number = token.text == "true"});
  }
  if (is_next("(")) return call(token);
  return name_of(token);
}

Parser::NodePointer Parser::name_of(const Token& token) {
  const Name* name = find_name(token.text);
  if (name == nullptr) {
    std::vector<std::string_view> known;
    for (const Name& candidate : names()) {
      if (subject_ == QuerySubject::task || candidate.of == subject_) {
        known.push_back(candidate.name);
      }
    }
    return fail_unknown(token, "name", token.text, std::move(known));
  }
  if (name->of == QuerySubject::task && subject_ != QuerySubject::task) {
    return fail(token, "'" + std::string(token.text) +
                           "' is of a task, and this asks about the state: use count(…)");
  }
  return std::make_unique<Node>(Node{.kind = Kind::name, .type = name->type, .name = name});
}

// ---- Calls ----

Parser::NodePointer Parser::call(const Token& token) {
  if (token.text == "timestamp") return timestamp();
  if (token.text == "count" || token.text == "exists") return ask_tasks(token);
  const auto dot = token.text.rfind('.');
  if (dot == std::string_view::npos) {
    return fail_unknown(token, "function", token.text, {"count", "exists", "timestamp"});
  }
  // queue.contains("x"): the name, and the method behind its last dot.
  auto subject =
      name_of({.kind = TokenKind::name, .text = token.text.substr(0, dot), .offset = token.offset});
  if (!subject) return nullptr;
  Token at = token;
  at.text = token.text.substr(dot + 1);
  at.offset += dot + 1;
  if (!count_operator(at)) return nullptr;
  return method(std::move(subject), at.text, at);
}

Parser::NodePointer Parser::ask_tasks(const Token& token) {
  if (subject_ == QuerySubject::task) {
    return fail(token, "this asks about one task: '" + std::string(token.text) +
                           "' can only be asked of the state");
  }
  advance();
  subject_ = QuerySubject::task;
  const auto at = token_;
  auto condition = either();
  subject_ = QuerySubject::state;
  if (!condition || !expect_type(*condition, Type::truth, at) || !expect(")")) return nullptr;
  const bool counts = token.text == "count";
  auto node = std::make_unique<Node>(Node{.kind = counts ? Kind::count : Kind::exists,
                                          .type = counts ? Type::number : Type::truth});
  node->parts.push_back(std::move(condition));
  return node;
}

Parser::NodePointer Parser::timestamp() {
  advance();
  const auto at = token_;
  if (at.kind != TokenKind::text) return fail(at, "timestamp(…) takes a text");
  auto micros = time_from(at.text.substr(1, at.text.size() - 2));
  if (!micros) return fail(at, "write a time as \"2026-11-21T03:00:00Z\"");
  advance();
  if (!expect(")")) return nullptr;
  return std::make_unique<Node>(Node{.type = Type::time, .number = *micros});
}

}  // namespace query

std::expected<Query, QueryFault> Query::parse(std::string_view text, QuerySubject subject) {
  if (text.size() > limits::query_bytes_max) {
    return std::unexpected(QueryFault{.column = limits::query_bytes_max,
                                      .message = "the expression is longer than 16 KiB",
                                      .word = {},
                                      .known = {}});
  }
  auto root = query::Parser(text, subject).run();
  if (!root) return std::unexpected(std::move(root.error()));
  return Query(std::shared_ptr<const Node>(std::move(*root)));
}

}  // namespace almanac
