// Tables of numbers, column by column in blocks of 1,024 rows, and texts behind them: what the file
// of a checkpoint is made of. In a block a column says its smallest number, or how far its rows are
// apart, once, and of each row only the bytes by which it differs, so that what changes little
// takes little: rows whose numbers rise by one take nothing at all.
//
//   table:  rows (8), blocks
//   block:  columns, each: how (1), base (8), step (8), the rows' differences
//   how:    the bytes of a difference, 0 to 8, and with bit 4 set each row stands on the one before
//   text:   its length is a column; the bytes of all texts stand behind their table
//
// Numbers are little-endian. Why no compressor: what zlib or zstd would find in these rows, this
// finds at the speed of memory, in both directions.
#pragma once

#include <almanac/log/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace almanac {

inline constexpr std::size_t block_rows = 1024;
using Column = std::array<std::uint64_t, block_rows>;

// One thread; grows as long as it is written to.
class ColumnWriter {
 public:
  void number(std::uint64_t number);
  void bytes(Bytes bytes) { written_.insert(written_.end(), bytes.begin(), bytes.end()); }
  void column(std::span<const std::uint64_t> rows);
  // One row for each element of `from`: row_of(element) gives its numbers.
  template <std::size_t width, class Range, class RowOf>
  void table(const Range& from, std::size_t count, RowOf row_of);

  [[nodiscard]] std::vector<std::byte> take() { return std::move(written_); }

 private:
  std::vector<std::byte> written_;
};

// Reads what a writer has written. Bytes that no writer wrote make it fail and give zeros, never
// more than that. Lives as long as the bytes; who keeps those may be handed on, so that what is
// read later (deferred_rows.h) can keep them too.
class ColumnReader {
 public:
  explicit ColumnReader(Bytes bytes, std::shared_ptr<const void> keeper = nullptr)
      : rest_(bytes), keeper_(std::move(keeper)) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void fail() { failed_ = true; }
  [[nodiscard]] std::uint64_t number();
  [[nodiscard]] Bytes bytes(std::size_t count);
  void column(std::span<std::uint64_t> rows);
  void skip_column(std::size_t rows) { (void)differences(head(), rows); }
  // What it has not read yet, and who keeps it; nullptr where nobody does.
  [[nodiscard]] Bytes rest() const { return rest_; }
  [[nodiscard]] const std::shared_ptr<const void>& keeper() const { return keeper_; }
  // Goes behind a table of so many columns, which a copy of the reader may read.
  void skip_table(std::size_t columns);

 private:
  // What stands in front of a column's differences.
  struct Head {
    bool steps = false;
    std::size_t width = 0;
    std::uint64_t base = 0;
    std::uint64_t step = 0;
  };
  [[nodiscard]] Head head();
  [[nodiscard]] Bytes differences(const Head& head, std::size_t rows);

  Bytes rest_;
  std::shared_ptr<const void> keeper_;
  bool failed_ = false;
};

// The rows of a table as a range that is walked once: make(row) of each, or nothing more once the
// reader has failed.
template <std::size_t width, class Make>
class TableRows {
 public:
  using Row = std::array<std::uint64_t, width>;

  TableRows(ColumnReader& reader, Make make)
      : reader_(reader), make_(make), left_(reader.number()) {
    load();
  }

  class Iterator {
   public:
    explicit Iterator(TableRows* rows) : rows_(rows) {}
    [[nodiscard]] auto operator*() const { return rows_->make_(rows_->row()); }
    Iterator& operator++() {
      rows_->next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return rows_->at_ == rows_->loaded_; }

   private:
    TableRows* rows_;
  };
  [[nodiscard]] Iterator begin() { return Iterator(this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  [[nodiscard]] Row row() const {
    Row row;
    for (std::size_t i = 0; i < width; ++i) row[i] = (*block_)[i][at_];
    return row;
  }
  void next() {
    if (++at_ == loaded_) load();
  }
  void load() {
    at_ = 0;
    loaded_ = reader_.failed() ? 0 : static_cast<std::size_t>(std::min(left_, most_));
    for (std::size_t i = 0; i < width && loaded_ > 0; ++i) {
      reader_.column(std::span((*block_)[i]).first(loaded_));
    }
    if (reader_.failed()) loaded_ = 0;
    left_ -= loaded_;
  }

  static constexpr std::uint64_t most_ = block_rows;
  ColumnReader& reader_;
  Make make_;
  std::uint64_t left_;
  std::size_t at_ = 0;
  std::size_t loaded_ = 0;
  std::unique_ptr<std::array<Column, width>> block_ = std::make_unique<std::array<Column, width>>();
};

template <std::size_t width, class Range, class RowOf>
void ColumnWriter::table(const Range& from, std::size_t count, RowOf row_of) {
  number(count);
  auto block = std::make_unique<std::array<Column, width>>();
  std::size_t rows = 0;
  auto flush = [&] {
    for (const Column& each : *block) {
      if (rows > 0) column(std::span(each).first(rows));
    }
    rows = 0;
  };
  for (const auto& element : from) {
    const std::array<std::uint64_t, width> row = row_of(element);
    for (std::size_t i = 0; i < width; ++i) (*block)[i][rows] = row[i];
    if (++rows == block_rows) flush();
  }
  flush();
}

}  // namespace almanac
