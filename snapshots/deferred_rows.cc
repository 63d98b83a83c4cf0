#include <almanac/snapshots/deferred_rows.h>

namespace almanac {

BlockTable::BlockTable(ColumnReader& reader, std::size_t columns)
    : rows_(static_cast<std::size_t>(reader.number())), keeper_(reader.keeper()) {
  for (std::size_t left = rows_; left > 0 && !reader.failed();) {
    const std::size_t rows = std::min(left, block_rows);
    blocks_.push_back(reader.rest());
    for (std::size_t i = 0; i < columns; ++i) reader.skip_column(rows);
    left -= rows;
  }
  if (reader.failed()) {
    rows_ = 0;
    blocks_.clear();
  }
}

std::span<const std::uint64_t> BlockTable::column(std::size_t block, std::size_t column,
                                                  Column& into) const {
  const auto rows = std::span(into).first(rows_in(block));
  ColumnReader reader = this->block(block);
  for (std::size_t i = 0; i < column; ++i) reader.skip_column(rows.size());
  reader.column(rows);
  return rows;
}

}  // namespace almanac
