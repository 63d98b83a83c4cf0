#include <almanac/tools/bar_plot.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace almanac {
namespace {

constexpr std::array<std::string_view, 9> blocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 4> ascii = {" ", ".", ":", "#"};

}  // namespace

Glyphs glyphs_of_output() {
  if (::isatty(STDOUT_FILENO) == 0) return Glyphs::ascii;
  std::string_view locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (locale.empty() && value != nullptr) locale = value;
  }
  for (std::string_view utf8 : {"UTF-8", "utf8", "UTF8", "utf-8"}) {
    if (locale.ends_with(utf8)) return Glyphs::blocks;
  }
  return Glyphs::ascii;
}

std::vector<std::string> bar_plot(std::span<const std::uint64_t> counts, std::size_t lines,
                                  Glyphs glyphs) {
  std::span<const std::string_view> steps = ascii;
  if (glyphs == Glyphs::blocks) steps = blocks;
  auto steps_per_line = steps.size() - 1;
  auto most = counts.empty() ? 0 : std::ranges::max(counts);
  std::vector<std::string> rows(lines);
  for (std::uint64_t count : counts) {
    auto share = most > 0 ? static_cast<double>(count) / static_cast<double>(most) : 0.0;
    auto height = static_cast<std::size_t>(share * static_cast<double>(lines * steps_per_line));
    if (count > 0) height = std::max<std::size_t>(height, 1);
    for (std::size_t line = 0; line < lines; ++line) {
      auto below = (lines - 1 - line) * steps_per_line;
      rows[line] += steps[std::min(height - std::min(height, below), steps_per_line)];
    }
  }
  return rows;
}

}  // namespace almanac
