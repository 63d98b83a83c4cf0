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
// Blocks may be kept elsewhere (BlockSink), where those that several states have are kept once:
//   table:  rows (8), how many blocks (8); 0 of them where they follow here, as above
//   block:  as above, and behind its columns its texts
// Such a block ends where its rows say so, so that a row more or less changes one block and not all
// behind it.
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
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

inline constexpr std::size_t block_rows = 1024;
// A line of the cache more, so that the numbers of a row, one in each column, do not all ask for
// the same few places of it.
using Column = std::array<std::uint64_t, block_rows + 8>;

// A block that is kept elsewhere.
struct StoredBlock {
  Bytes bytes;
  std::uint32_t rows = 0;   // 1 to block_rows
  std::uint64_t first = 0;  // the first number of its first row
};
// Where a writer puts such blocks.
class BlockSink {
 public:
  BlockSink() = default;
  BlockSink(const BlockSink&) = delete;
  BlockSink& operator=(const BlockSink&) = delete;
  virtual ~BlockSink() = default;
  // In the order in which they are read; the bytes live until it returns.
  virtual void add(const StoredBlock& block) = 0;
};

// By what a block that is kept elsewhere ends.
enum class BlockEnd : std::uint8_t {
  content,  // behind one row of some hundred, which it is follows from its numbers
  number,   // where the first number leaves a thousand, unless the block has few rows as yet
};

// One thread; grows as long as it is written to.
class ColumnWriter {
 public:
  // With a sink, which must live as long, large tables go there.
  explicit ColumnWriter(BlockSink* sink = nullptr) : sink_(sink) {}

  [[nodiscard]] bool has_sink() const { return sink_ != nullptr; }
  // Room for so many bytes in all, where it is known that they come.
  void reserve(std::size_t bytes) { written_.reserve(bytes); }
  void number(std::uint64_t number);
  void bytes(Bytes bytes) { written_.insert(written_.end(), bytes.begin(), bytes.end()); }
  void column(std::span<const std::uint64_t> rows);
  // One row for each element of `from`: row_of(element) gives its numbers.
  template <std::size_t width, class Range, class RowOf>
  void table(const Range& from, std::size_t count, RowOf row_of, BlockEnd end = BlockEnd::content);
  // The same with a text for each, whose length is among its numbers.
  template <std::size_t width, class Range, class RowOf, class TextOf>
  void texts(const Range& from, std::size_t count, RowOf row_of, TextOf text_of);

  [[nodiscard]] std::vector<std::byte> take() { return std::move(written_); }

 private:
  // A table of one block that is smaller stays in line.
  static constexpr std::size_t stored_bytes_min = 4096;
  static constexpr std::size_t block_text_bytes = std::size_t{64} << 10;

  template <std::size_t width, class Range, class RowOf>
  void rows_in_line(const Range& from, RowOf row_of);
  template <std::size_t width, class Range, class RowOf, class TextOf>
  void rows_in_blocks(const Range& from, RowOf row_of, TextOf text_of, BlockEnd end);
  template <std::size_t width>
  void block(const std::array<Column, width>& columns, std::size_t rows) {
    for (const Column& each : columns) column(std::span(each).first(rows));
  }
  void put_number(std::size_t at, std::uint64_t number);
  void differences(std::span<const std::uint64_t> rows, std::uint64_t base, std::size_t width);

  BlockSink* sink_;
  std::vector<std::byte> written_;
};

// Whether a block ends between two rows.
[[nodiscard]] bool block_ends(BlockEnd end, std::span<const std::uint64_t> row,
                              std::span<const std::uint64_t> next, std::size_t rows);

// Reads what a writer has written. Bytes that no writer wrote make it fail and give zeros, never
// more than that. Lives as long as the bytes; who keeps those may be handed on, so that what is
// read later (deferred_rows.h) can keep them too.
class ColumnReader {
 public:
  explicit ColumnReader(Bytes bytes, std::shared_ptr<const void> keeper = nullptr)
      : rest_(bytes), keeper_(std::move(keeper)) {}
  // Of what was written with a sink, to which these blocks went; they live as long as the bytes.
  ColumnReader(Bytes bytes, std::span<const StoredBlock> blocks, std::shared_ptr<const void> keeper)
      : rest_(bytes), blocks_(blocks), has_blocks_(true), keeper_(std::move(keeper)) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void fail() { failed_ = true; }
  [[nodiscard]] std::uint64_t number();
  [[nodiscard]] Bytes bytes(std::size_t count);
  void column(std::span<std::uint64_t> rows);
  void skip_column(std::size_t rows) { (void)differences(head(), rows); }
  // Whether it reads what was written with a sink.
  [[nodiscard]] bool has_blocks() const { return has_blocks_; }
  // Behind the number of a table's rows: those of its blocks that are kept elsewhere, which is all
  // or none. Fails where they do not have so many rows.
  [[nodiscard]] std::span<const StoredBlock> stored_blocks(std::uint64_t rows);
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
  std::span<const StoredBlock> blocks_;  // those not gone through yet
  bool has_blocks_ = false;
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
      : reader_(reader), make_(make), left_(reader.number()), stored_(reader.stored_blocks(left_)) {
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
    if (loaded_ == 0) return;
    if (stored_.empty()) {
      load(reader_);
    } else {
      ColumnReader block(stored_.front().bytes);
      loaded_ = stored_.front().rows;
      stored_ = stored_.subspan(1);
      load(block);
      if (block.failed()) reader_.fail();
    }
    if (reader_.failed()) loaded_ = 0;
    left_ -= loaded_;
  }
  void load(ColumnReader& from) {
    for (Column& each : *block_) from.column(std::span(each).first(loaded_));
  }

  static constexpr std::uint64_t most_ = block_rows;
  ColumnReader& reader_;
  Make make_;
  std::uint64_t left_;
  std::span<const StoredBlock> stored_;  // those not loaded yet
  std::size_t at_ = 0;
  std::size_t loaded_ = 0;
  std::unique_ptr<std::array<Column, width>> block_ = std::make_unique<std::array<Column, width>>();
};

template <std::size_t width, class Range, class RowOf>
void ColumnWriter::table(const Range& from, std::size_t count, RowOf row_of, BlockEnd end) {
  number(count);
  if (!has_sink()) return rows_in_line<width>(from, row_of);
  rows_in_blocks<width>(from, row_of, [](const auto&) { return std::string_view(); }, end);
}

template <std::size_t width, class Range, class RowOf, class TextOf>
void ColumnWriter::texts(const Range& from, std::size_t count, RowOf row_of, TextOf text_of) {
  number(count);
  if (has_sink()) return rows_in_blocks<width>(from, row_of, text_of, BlockEnd::content);
  rows_in_line<width>(from, row_of);
  for (const auto& element : from) bytes(as_bytes(text_of(element)));
}

template <std::size_t width, class Range, class RowOf>
void ColumnWriter::rows_in_line(const Range& from, RowOf row_of) {
  auto columns = std::make_unique<std::array<Column, width>>();
  std::size_t rows = 0;
  for (const auto& element : from) {
    const std::array<std::uint64_t, width> row = row_of(element);
    for (std::size_t i = 0; i < width; ++i) (*columns)[i][rows] = row[i];
    if (++rows == block_rows) block(*columns, std::exchange(rows, 0));
  }
  if (rows > 0) block(*columns, rows);
}

template <std::size_t width, class Range, class RowOf, class TextOf>
void ColumnWriter::rows_in_blocks(const Range& from, RowOf row_of, TextOf text_of, BlockEnd end) {
  const std::size_t count_at = written_.size();
  number(0);  // of blocks, once that is known
  auto columns = std::make_unique<std::array<Column, width>>();
  std::array<std::uint64_t, width> last{};
  std::size_t rows = 0;
  std::uint64_t blocks = 0;
  std::string texts;
  ColumnWriter one;
  const auto close = [&](bool is_last) {
    one.block(*columns, rows);
    one.bytes(as_bytes(texts));
    if (is_last && blocks == 0 && one.written_.size() < stored_bytes_min) {
      bytes(one.written_);
    } else {
      sink_->add({one.written_, static_cast<std::uint32_t>(rows), (*columns)[0][0]});
      ++blocks;
    }
    one.written_.clear();
    texts.clear();
    rows = 0;
  };
  for (const auto& element : from) {
    const std::array<std::uint64_t, width> row = row_of(element);
    if (rows > 0 && (rows == block_rows || texts.size() >= block_text_bytes ||
                     block_ends(end, last, row, rows))) {
      close(false);
    }
    for (std::size_t i = 0; i < width; ++i) (*columns)[i][rows] = row[i];
    texts.append(text_of(element));
    last = row;
    ++rows;
  }
  if (rows > 0) close(true);
  put_number(count_at, blocks);
}

}  // namespace almanac
