#include <almanac/tools/text.h>

#include <almanac/log/error.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <span>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t columns_default = 80;
constexpr std::size_t cell_columns_min = 8;
constexpr std::string_view gap = "  ";

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

struct Character {
  std::size_t bytes = 0;  // 0 when the text does not begin with UTF-8
  char32_t code = 0;
};

// The character at the front of a text that is not empty.
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

struct Block {
  char32_t first;
  char32_t last;
};

bool is_in(std::span<const Block> blocks, char32_t code) {
  return std::ranges::any_of(
      blocks, [&](Block block) { return code >= block.first && code <= block.last; });
}

// What controls the terminal, ends a line or turns the direction of writing.
bool is_control(char32_t code) {
  static constexpr std::array blocks = {
      Block{0x00, 0x1F},     Block{0x7F, 0x9F},     Block{0x61C, 0x61C},   Block{0x200E, 0x200F},
      Block{0x2028, 0x202E}, Block{0x2066, 0x2069}, Block{0xFEFF, 0xFEFF}, Block{0xFFF9, 0xFFFB}};
  return is_in(blocks, code);
}

std::size_t character_columns(char32_t code) {
  static constexpr std::array marks = {Block{0x300, 0x36F}, Block{0x200B, 0x200D},
                                       Block{0x20D0, 0x20FF}, Block{0xFE00, 0xFE0F}};
  static constexpr std::array wide = {
      Block{0x1100, 0x115F},   Block{0x2E80, 0x303E},   Block{0x3041, 0xA4CF},
      Block{0xAC00, 0xD7A3},   Block{0xF900, 0xFAFF},   Block{0xFE30, 0xFE6F},
      Block{0xFF00, 0xFF60},   Block{0xFFE0, 0xFFE6},   Block{0x1F300, 0x1F64F},
      Block{0x1F680, 0x1F6FF}, Block{0x1F900, 0x1FAFF}, Block{0x20000, 0x3FFFD}};
  if (is_in(marks, code)) return 0;
  return is_in(wide, code) ? 2 : 1;
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

std::size_t columns(std::string_view text) {
  std::size_t sum = 0;
  while (!text.empty()) {
    auto [bytes, code] = front_character(text);
    sum += bytes == 0 ? 1 : character_columns(code);
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return sum;
}

std::string cut(std::string_view text, std::size_t columns_max) {
  if (columns(text) <= columns_max) return std::string(text);
  if (columns_max == 0) return {};
  std::size_t end = 0;
  for (std::size_t used = 0; end < text.size();) {
    auto [bytes, code] = front_character(text.substr(end));
    used += bytes == 0 ? 1 : character_columns(code);
    if (used >= columns_max) break;
    end += std::max<std::size_t>(bytes, 1);
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    bool plain =
        !word.empty() && word.find_first_of(" \t\n'\"\\$&|;<>()*?[]{}#~`!") == std::string::npos;
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (char c : word) line += c == '\'' ? "'\\''" : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

Table::Table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }

void Table::add(std::vector<std::string> cells) {
  ALMANAC_CHECK(cells.size() == rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(std::size_t columns_max) const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  auto line = std::accumulate(widths.begin(), widths.end(), gap.size() * (widths.size() - 1));
  while (columns_max > 0 && line > columns_max) {
    auto widest = std::ranges::max_element(widths);
    if (*widest <= cell_columns_min) break;
    --*widest;
    --line;
  }
  return widths;
}

std::string Table::text(std::size_t columns_max) const {
  auto widths = this->widths(columns_max);
  std::string result;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      auto cell = cut(row[i], widths[i]);
      line += cell + std::string(widths[i] - columns(cell), ' ');
      if (i + 1 < row.size()) line += gap;
    }
    if (columns_max > 0) line = cut(line, columns_max);
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + '\n';
  }
  return result;
}

std::size_t terminal_columns() {
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return columns_default;
  return size.ws_col;
}

}  // namespace almanac
