#include <almanac/log/printable.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace almanac {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// What controls the terminal, ends a line or turns the direction of writing.
bool is_control(char32_t code) {
  static constexpr std::array blocks = {
      CharacterBlock{0x00, 0x1F},     CharacterBlock{0x7F, 0x9F},
      CharacterBlock{0x61C, 0x61C},   CharacterBlock{0x200E, 0x200F},
      CharacterBlock{0x2028, 0x202E}, CharacterBlock{0x2066, 0x2069},
      CharacterBlock{0xFEFF, 0xFEFF}, CharacterBlock{0xFFF9, 0xFFFB}};
  return is_in(blocks, code);
}

std::string escaped(char c) {
  switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  std::array<char, 5> text;
  std::snprintf(text.data(), text.size(), "\\x%02x",
                static_cast<unsigned>(static_cast<unsigned char>(c)));
  return text.data();
}

}  // namespace

Character front_character(std::string_view text) {
  auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {1, lead};
  std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead >= 0xF5 || text.size() < bytes) return {};
  char32_t code = lead & (0x7FU >> bytes);
  for (char c : text.substr(1, bytes - 1)) {
    if (!is_continuation(c)) return {};
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  }
  bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  bool surrogate = code >= 0xD800 && code < 0xE000;
  return overlong || surrogate || code > 0x10FFFF ? Character{} : Character{bytes, code};
}

bool is_in(std::span<const CharacterBlock> blocks, char32_t code) {
  return std::ranges::any_of(
      blocks, [&](CharacterBlock block) { return code >= block.first && code <= block.last; });
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    auto [bytes, code] = front_character(text);
    if (bytes == 0 || is_control(code)) {
      bytes = std::max<std::size_t>(bytes, 1);
      for (char c : text.substr(0, bytes)) result += escaped(c);
    } else {
      result += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return result;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    auto bytes = front_character(text).bytes;
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string printable_json(std::string json) {
  auto is_plain = [](char c) { return c < '\x7f' && c >= 0; };
  if (std::ranges::all_of(json, is_plain)) return json;
  std::string result;
  result.reserve(json.size());
  for (std::string_view rest = json; !rest.empty();) {
    auto [bytes, code] = front_character(rest);
    bytes = std::max<std::size_t>(bytes, 1);
    if (code >= 0x7F && is_control(code)) {
      std::array<char, 12> text;  // room for any number, as the compiler sees it
      std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(code));
      result += text.data();
    } else {
      result += rest.substr(0, bytes);
    }
    rest.remove_prefix(bytes);
  }
  return result;
}

}  // namespace almanac
