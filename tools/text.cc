#include <almanac/tools/text.h>

#include <almanac/log/error.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t columns_default = 80;
constexpr std::size_t cell_columns_min = 8;
constexpr std::string_view gap = "  ";

std::size_t character_columns(char32_t code) {
  static constexpr std::array marks = {CharacterBlock{0x300, 0x36F}, CharacterBlock{0x200B, 0x200D},
                                       CharacterBlock{0x20D0, 0x20FF},
                                       CharacterBlock{0xFE00, 0xFE0F}};
  static constexpr std::array wide = {
      CharacterBlock{0x1100, 0x115F},   CharacterBlock{0x2E80, 0x303E},
      CharacterBlock{0x3041, 0xA4CF},   CharacterBlock{0xAC00, 0xD7A3},
      CharacterBlock{0xF900, 0xFAFF},   CharacterBlock{0xFE30, 0xFE6F},
      CharacterBlock{0xFF00, 0xFF60},   CharacterBlock{0xFFE0, 0xFFE6},
      CharacterBlock{0x1F300, 0x1F64F}, CharacterBlock{0x1F680, 0x1F6FF},
      CharacterBlock{0x1F900, 0x1FAFF}, CharacterBlock{0x20000, 0x3FFFD}};
  if (is_in(marks, code)) return 0;
  return is_in(wide, code) ? 2 : 1;
}

// Of the front of a text that fits, and of its first character where not even that does.
std::size_t bytes_within(std::string_view text, std::size_t columns_max) {
  std::size_t end = 0;
  for (std::size_t used = 0; end < text.size();) {
    auto [bytes, code] = front_character(text.substr(end));
    used += bytes == 0 ? 1 : character_columns(code);
    if (used > columns_max && end > 0) break;
    end += std::max<std::size_t>(bytes, 1);
  }
  return end;
}

}  // namespace

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

std::string folded(std::string_view text, std::size_t columns_max, std::size_t indent) {
  if (columns_max <= indent) return std::string(text);
  std::string lines;
  for (std::size_t room = columns_max;; room = columns_max - indent) {
    const std::size_t fitting = bytes_within(text, room);
    if (fitting == text.size()) return lines.append(text);
    const auto space = text.rfind(' ', fitting);
    const bool has_word = space != std::string_view::npos && text.find_first_not_of(' ') < space;
    const std::string_view line = text.substr(0, has_word ? space : fitting);
    lines.append(line.substr(0, line.find_last_not_of(' ') + 1)).append("\n").append(indent, ' ');
    text.remove_prefix(line.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
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
  const auto narrow = [&] {
    while (columns_max > 0 && line > columns_max) {
      auto widest = std::ranges::max_element(widths);
      if (*widest <= cell_columns_min) break;
      --*widest;
      --line;
    }
  };
  const std::size_t kept = kept_ ? std::exchange(widths[*kept_], 0) : 0;
  narrow();
  if (kept_) {
    widths[*kept_] = kept;
    narrow();
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

std::size_t terminal_columns(int descriptor) {
  if (::isatty(descriptor) == 0) return 0;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return columns_default;
  return size.ws_col;
}

}  // namespace almanac
