// Reads an expression of query.h: one function for each strength of operators, the loosest first.
// Types are checked as soon as both sides are there.
#pragma once

#include <almanac/projections/query_lexer.h>
#include <almanac/projections/query_node.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace almanac::query {

// Reads one expression once. A function that answers nullptr has left a fault.
class Parser {
 public:
  using NodePointer = std::unique_ptr<const Node>;

  Parser(std::string_view text, QuerySubject subject)
      : text_(text), subject_(subject), token_(next_token(text, 0)) {}

  [[nodiscard]] std::expected<NodePointer, QueryFault> run();

 private:
  struct Operator {
    Kind kind;
    Token token;
  };

  NodePointer either();
  NodePointer both();
  NodePointer negation();
  NodePointer comparison();
  NodePointer sum();
  NodePointer methods();
  NodePointer primary();

  NodePointer connect(NodePointer (Parser::*part)(), std::string_view symbol, Kind kind);
  NodePointer within(NodePointer value, const Token& at);
  NodePointer list(NodePointer value);
  NodePointer method(NodePointer subject, std::string_view method, const Token& at);
  NodePointer named();
  NodePointer name_of(const Token& token);
  NodePointer call(const Token& name);
  NodePointer ask_tasks(const Token& name);
  NodePointer timestamp();
  NodePointer number_literal(std::int64_t sign);
  NodePointer text_literal();
  NodePointer in_parentheses();

  // Type rules.
  NodePointer compared(NodePointer one, const Operator& how, NodePointer other);
  NodePointer added(NodePointer one, const Operator& how, NodePointer other);
  [[nodiscard]] bool is_known_value(const Node& name, const Node& literal, const Token& at);
  [[nodiscard]] bool expect_type(const Node& node, Type type, const Token& at);

  [[nodiscard]] bool is_next(std::string_view symbol) const {
    return token_.kind != TokenKind::text && token_.text == symbol;
  }
  bool take(std::string_view symbol);
  [[nodiscard]] bool expect(std::string_view symbol);
  void advance() { token_ = next_token(text_, token_.offset + token_.text.size()); }
  // One more operator: false when there are too many.
  [[nodiscard]] bool count_operator(const Token& at);

  std::nullptr_t fail(const Token& at, std::string message);
  std::nullptr_t fail_unknown(const Token& at, std::string_view what, std::string_view word,
                              std::vector<std::string_view> known);
  std::nullptr_t fail_unexpected();

  std::string_view text_;
  QuerySubject subject_;
  Token token_;
  std::size_t nesting_ = 0;
  std::size_t operators_ = 0;
  std::optional<QueryFault> fault_;
};

}  // namespace almanac::query
