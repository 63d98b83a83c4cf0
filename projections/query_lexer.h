// The words of an expression of query.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace almanac::query {

enum class TokenKind : std::uint8_t {
  end,
  name,    // with its dots: tasks.failed
  number,  // begins with a digit; 2h30m as well
  text,    // with its quotes
  symbol,
  unclosed,  // a text without its end
  strange,   // no part of any expression
};

// Views live as long as the expression.
struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;
  std::size_t offset = 0;
};

// The first token at or behind `offset`.
[[nodiscard]] Token next_token(std::string_view expression, std::size_t offset);

}  // namespace almanac::query
