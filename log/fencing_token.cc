#include <almanac/log/fencing_token.h>

#include <charconv>

namespace almanac {

std::string to_text(const FencingToken& token) {
  return to_hex(token.timeline) + ':' + std::to_string(token.lease.value);
}

std::optional<FencingToken> parse_fencing_token(std::string_view text) {
  FencingToken token;
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !from_hex(text.substr(0, colon), token.timeline)) {
    return std::nullopt;
  }
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), token.lease.value);
  // Also none with a sign, zeros in front or something behind.
  if (to_text(token) != text) return std::nullopt;
  return token;
}

}  // namespace almanac
