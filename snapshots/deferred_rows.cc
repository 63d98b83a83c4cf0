#include <almanac/snapshots/deferred_rows.h>

namespace almanac {

BlockTable::BlockTable(ColumnReader& reader, std::size_t columns)
    : rows_(static_cast<std::size_t>(reader.number())), keeper_(reader.keeper()) {
  const auto stored = reader.stored_blocks(rows_);
  std::size_t begin = 0;
  for (const StoredBlock& block : stored) {
    blocks_.push_back({block.bytes, begin, block.first});
    begin += block.rows;
  }
  knows_firsts_ = !stored.empty();
  if (stored.empty()) find_blocks(reader, columns);
  if (reader.failed()) {
    rows_ = 0;
    blocks_.clear();
  }
}

void BlockTable::find_blocks(ColumnReader& reader, std::size_t columns) {
  for (std::size_t begin = 0; begin < rows_ && !reader.failed(); begin += block_rows) {
    blocks_.push_back({reader.rest(), begin});
    const std::size_t rows = std::min(rows_ - begin, block_rows);
    for (std::size_t i = 0; i < columns; ++i) reader.skip_column(rows);
  }
}

std::size_t BlockTable::block_of(std::size_t row) const {
  if (!knows_firsts_) return row / block_rows;
  const auto behind = std::ranges::upper_bound(blocks_, row, {}, &Block::begin);
  return static_cast<std::size_t>(behind - blocks_.begin()) - 1;
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
