#include <almanac/tools/encoding.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace almanac {
namespace {

constexpr std::string_view letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr unsigned no_letter = 64;

constexpr std::array<std::uint8_t, 256> values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_letter);
  for (std::uint8_t i = 0; i < letters.size(); ++i)
    table[static_cast<unsigned char>(letters[i])] = i;
  return table;
}();

}  // namespace

std::string to_base64(Bytes bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    auto count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      group = group << 8 | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= count ? letters[group >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  while (!text.empty()) {
    auto group = text.substr(0, 4);
    text.remove_prefix(4);
    std::size_t padding = !text.empty() ? 0 : group.ends_with("==") ? 2 : group.ends_with('=');
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      auto value = i < 4 - padding ? values[static_cast<unsigned char>(group[i])] : 0;
      if (value == no_letter) return std::nullopt;
      bits = bits << 6 | value;
    }
    if ((bits & ((1U << (8 * padding)) - 1)) != 0) return std::nullopt;
    for (std::size_t i = 0; i < 3 - padding; ++i) {
      bytes += static_cast<char>(bits >> (16 - 8 * i) & 0xFF);
    }
  }
  return bytes;
}

}  // namespace almanac
