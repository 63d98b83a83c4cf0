#include <almanac/projections/query_lexer.h>

#include <algorithm>
#include <array>

namespace almanac::query {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

template <class Belongs>
std::size_t run_length(std::string_view text, Belongs belongs) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

// Up to the quote that ends it, with it; a backslash takes the next character's meaning.
Token text_token(std::string_view rest) {
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == rest[0]) return {.kind = TokenKind::text, .text = rest.substr(0, i + 1)};
    if (rest[i] == '\\') ++i;
  }
  return {.kind = TokenKind::unclosed, .text = rest};
}

Token symbol_token(std::string_view rest) {
  constexpr std::array<std::string_view, 16> symbols = {
      "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "(", ")", "[", "]", ","};
  for (auto symbol : symbols) {
    if (rest.starts_with(symbol))
      return {.kind = TokenKind::symbol, .text = rest.substr(0, symbol.size())};
  }
  // A method behind a parenthesis or a text: ("a").contains
  if (rest[0] == '.') return {.kind = TokenKind::symbol, .text = rest.substr(0, 1)};
  return {.kind = TokenKind::strange, .text = rest.substr(0, 1)};
}

Token token_of(std::string_view rest) {
  if (rest.empty()) return {};
  if (rest[0] == '"' || rest[0] == '\'') return text_token(rest);
  if (is_digit(rest[0])) {
    auto length = run_length(rest, [](char c) { return is_digit(c) || is_letter(c); });
    return {.kind = TokenKind::number, .text = rest.substr(0, length)};
  }
  if (is_letter(rest[0])) {
    auto length = run_length(rest, [](char c) { return is_digit(c) || is_letter(c) || c == '.'; });
    return {.kind = TokenKind::name, .text = rest.substr(0, length)};
  }
  return symbol_token(rest);
}

}  // namespace

Token next_token(std::string_view expression, std::size_t offset) {
  offset += run_length(expression.substr(offset), is_blank);
  auto token = token_of(expression.substr(offset));
  token.offset = offset;
  return token;
}

}  // namespace almanac::query
