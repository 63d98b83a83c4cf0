// Text for terminals: escaped, aligned, cut to fit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// Control characters and bytes that are not UTF-8 become \n, \t, \xNN: what a task says can
// never move the cursor or hide a line.
[[nodiscard]] std::string printable(std::string_view text);
// Columns on a terminal, taking every code point for one.
[[nodiscard]] std::size_t columns(std::string_view text);
// At most so many columns; the last one is "…" when something was cut.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns_max);

// Rows with aligned columns. Cells must be printable.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  // As many cells as headings.
  void add(std::vector<std::string> cells);
  // The last column is cut so that no line is wider than `columns_max`; 0 = no limit.
  [[nodiscard]] std::string text(std::size_t columns_max) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Columns of the terminal on standard output; 0 when it is none.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace almanac
