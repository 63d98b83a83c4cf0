#include <almanac/tests/support/golden_rows.h>

#include <almanac/log/hash.h>

#include <algorithm>

namespace almanac::test {
namespace {

constexpr std::size_t row_bytes = 32;

char hex_byte(const std::string& hex, std::size_t at) {
  return static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
}

}  // namespace

void print_rows(std::ostream& to, std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += row_bytes) {
    const auto row = bytes.substr(at, row_bytes);
    if (std::ranges::all_of(row, [](char c) { return c == '\0'; })) continue;
    to << at << ' ' << to_hex(as_bytes(row)) << '\n';
  }
}

std::string read_rows(std::istream& from, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t offset = 0;
  for (std::string hex; from >> offset >> hex;) {
    for (std::size_t i = 0; i < hex.size() / 2; ++i) bytes[offset + i] = hex_byte(hex, 2 * i);
  }
  return bytes;
}

}  // namespace almanac::test
