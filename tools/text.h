// Text for terminals: escaped, aligned, cut to fit.
#pragma once

#include <unistd.h>

#include <almanac/log/printable.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// Columns of printable text on a terminal: two for what East Asia writes wide and for emoji, none
// for marks above other letters. Source: the main blocks of Unicode's EastAsianWidth.txt.
[[nodiscard]] std::size_t columns(std::string_view text);
// At most so many columns; the last one is "…" when something was cut.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns_max);

// The same text on as many lines as it takes, each within so many columns (0 = no limit): broken
// between words, or within one that is longer than a line. All but the first are indented.
[[nodiscard]] std::string folded(std::string_view text, std::size_t columns_max,
                                 std::size_t indent);

// Words as one would type them: those a shell would take apart stand in quotes.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);
// "1 task", "2 tasks".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);

// Rows with aligned columns. Cells must be printable.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  // As many cells as headings.
  void add(std::vector<std::string> cells);
  // The cells of this column are not cut before all others are as narrow as they can be: half of a
  // time says nothing.
  void keep(std::size_t column) { kept_ = column; }
  // The widest cells are cut so that no line is wider than `columns_max`; 0 = no limit.
  [[nodiscard]] std::string text(std::size_t columns_max) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(std::size_t columns_max) const;
  std::vector<std::vector<std::string>> rows_;
  std::optional<std::size_t> kept_;
};

// Columns of the terminal on a stream, standard output unless said; 0 when it is none.
[[nodiscard]] std::size_t terminal_columns(int descriptor = STDOUT_FILENO);

}  // namespace almanac
