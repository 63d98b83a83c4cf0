// Rows of tables (columns.h) that are read when somebody looks for what is made of them: of a large
// state that is asked one question most is never read. Whoever holds a container that was read so
// keeps the bytes.
//
// What is made of the rows is the same whenever it is made: the bytes do not change, and `make`
// knows nothing but the row. Bytes that no writer wrote give some entries, never a crash.
#pragma once

#include <almanac/snapshots/columns.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace almanac {

// A table whose blocks are read in any order. Any thread.
class BlockTable {
 public:
  // Goes with the reader behind the table, through the heads of the columns of blocks that stand in
  // line. Fails the reader where it has no rows for what it says. O(blocks * columns).
  BlockTable(ColumnReader& reader, std::size_t columns);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t blocks() const { return blocks_.size(); }
  // The first row of a block, or of none behind the last.
  [[nodiscard]] std::size_t begin_of(std::size_t block) const {
    return block < blocks_.size() ? blocks_[block].begin : rows_;
  }
  [[nodiscard]] std::size_t rows_in(std::size_t block) const {
    return begin_of(block + 1) - begin_of(block);
  }
  // The block that has a row.
  [[nodiscard]] std::size_t block_of(std::size_t row) const;
  // At the first column of a block.
  [[nodiscard]] ColumnReader block(std::size_t block) const {
    return ColumnReader(blocks_[block].bytes);
  }
  // One column of a block, which lies in `into`.
  [[nodiscard]] std::span<const std::uint64_t> column(std::size_t block, std::size_t column,
                                                      Column& into) const;
  // Whether the first number of each block is known without reading it.
  [[nodiscard]] bool knows_firsts() const { return knows_firsts_; }
  [[nodiscard]] std::uint64_t first_of(std::size_t block) const { return blocks_[block].first; }

 private:
  struct Block {
    Bytes bytes;
    std::size_t begin = 0;
    std::uint64_t first = 0;
  };
  void find_blocks(ColumnReader& reader, std::size_t columns);

  std::size_t rows_ = 0;
  bool knows_firsts_ = false;
  std::vector<Block> blocks_;
  std::shared_ptr<const void> keeper_;
};

// A stretch of a table's rows.
struct RowRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

// Calls act(row, its number in the table) for each row of a range.
template <std::size_t width, class Act>
void for_each_row(const BlockTable& table, RowRange range, Act act) {
  // One for all calls of a thread: it is too large for its stack, and for an allocation each time.
  static thread_local const auto columns =
      std::make_unique_for_overwrite<std::array<Column, width>>();
  const std::size_t end = range.first + range.count;
  if (range.count == 0) return;
  for (std::size_t at = range.first, block = table.block_of(at); at < end; ++block) {
    const std::size_t begin = table.begin_of(block);
    const std::size_t rows = table.rows_in(block);
    ColumnReader reader = table.block(block);
    for (Column& each : *columns) reader.column(std::span(each).first(rows));
    for (; at < std::min(end, begin + rows); ++at) {
      std::array<std::uint64_t, width> row;
      for (std::size_t i = 0; i < width; ++i) row[i] = (*columns)[i][at - begin];
      act(row, at);
    }
  }
}

template <std::size_t width>
[[nodiscard]] std::array<std::uint64_t, width> row_at(const BlockTable& table, std::size_t at) {
  std::array<std::uint64_t, width> found{};
  for_each_row<width>(table, {at, 1}, [&](const auto& row, std::size_t) { found = row; });
  return found;
}

// An entry of a map is a pair, one of a set the key itself.
template <class Entry>
[[nodiscard]] const auto& key_of(const Entry& entry) {
  if constexpr (requires { entry.first; }) {
    return entry.first;
  } else {
    return entry;
  }
}
template <class Container, class Entry>
void enter(Container& to, Entry&& entry) {
  if constexpr (requires { entry.first; }) {
    to.insert(std::move(entry.first), std::move(entry.second));
  } else {
    to.insert(std::move(entry));
  }
}

// What `make` makes of the rows of a table from `first` on, as the subtrees of a map or a set.
template <std::size_t width, class Container, class Make>
class DeferredRows final : public Container::Source {
 public:
  DeferredRows(std::shared_ptr<const BlockTable> table, std::size_t first, Make make)
      : table_(std::move(table)), first_(first), make_(make) {}

  [[nodiscard]] typename Container::Subtree* make(std::uint64_t which) const noexcept override {
    constexpr std::size_t entries = Container::deferred_entries;
    typename Container::SubtreeBuilder builder;
    for_each_row<width>(*table_, {first_ + which * entries, entries},
                        [&](const auto& row, std::size_t) { add(builder, make_(row)); });
    return builder.finish();
  }

 private:
  template <class Builder, class Entry>
  static void add(Builder& builder, Entry&& entry) noexcept {
    if constexpr (requires { entry.first; }) {
      builder.add(std::move(entry.first), std::move(entry.second));
    } else {
      builder.add(std::move(entry), {});
    }
  }

  const std::shared_ptr<const BlockTable> table_;
  const std::size_t first_;
  [[no_unique_address]] const Make make_;
};

// A map or a set of what `make` makes of the rows of a range, whose keys rise: of most when
// somebody looks, of those behind the last whole subtree at once. nullopt where keys are seen not
// to rise.
template <std::size_t width, class Container, class Make>
[[nodiscard]] std::optional<Container> defer_rows(const std::shared_ptr<const BlockTable>& table,
                                                  RowRange range, Make make) {
  constexpr std::size_t entries = Container::deferred_entries;
  using Key = std::remove_cvref_t<decltype(key_of(make({})))>;
  std::vector<Key> firsts;
  for (std::size_t k = 0; k < range.count / entries; ++k) {
    const auto entry = make(row_at<width>(*table, range.first + k * entries));
    if (!firsts.empty() && !(firsts.back() < key_of(entry))) return std::nullopt;
    firsts.push_back(key_of(entry));
  }
  const std::size_t deferred = firsts.size() * entries;
  Container made;
  if (deferred > 0) {
    auto rows = std::make_shared<DeferredRows<width, Container, Make>>(table, range.first, make);
    made = Container::from_source(std::move(rows), std::move(firsts));
  }
  for_each_row<width>(*table, {range.first + deferred, range.count - deferred},
                      [&](const auto& row, std::size_t) { enter(made, make(row)); });
  if (made.size() != range.count) return std::nullopt;
  return made;
}

}  // namespace almanac
