// How the parts of a state become columns of numbers and back, for the codecs of those parts.
#pragma once

#include <almanac/log/types.h>
#include <almanac/projections/names.h>
#include <almanac/projections/state_hasher.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/deferred_rows.h>

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

template <std::size_t width>
using Row = std::array<std::uint64_t, width>;

inline std::uint64_t number_of(Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}
inline Duration duration_of(std::uint64_t number) {
  return Duration(static_cast<std::int64_t>(number));
}
inline Time time_of(std::uint64_t number) { return Time(duration_of(number)); }
// Signs go to the last bit, so that small numbers around zero stay small.
inline std::uint64_t folded(std::int64_t number) {
  return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
}
inline std::int64_t unfolded(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}
inline NameId name_of(std::uint64_t number) { return NameId{static_cast<std::uint32_t>(number)}; }
// 0 = nobody.
inline std::uint64_t owner_number(std::optional<NameId> owner) {
  return owner ? std::uint64_t{owner->value} + 1 : 0;
}
inline std::optional<NameId> owner_of(std::uint64_t number) {
  return number == 0 ? std::nullopt : std::optional(name_of(number - 1));
}
inline std::uint32_t small(std::uint64_t number) { return static_cast<std::uint32_t>(number); }

// The texts of a table, whose first column is the length.
template <std::size_t width, class Range, class RowOf, class TextOf>
void write_texts(ColumnWriter& writer, const Range& from, std::size_t count, RowOf row,
                 TextOf text) {
  writer.texts<width>(from, count, row, text);
}

// A container of what `make` makes of each row: at once, or where the bytes are kept and `make`
// knows nothing but the row, of most rows when somebody looks for them.
template <std::size_t width, class Container, class Make>
[[nodiscard]] std::optional<Container> sorted_rows(ColumnReader& reader, Make make) {
  if constexpr (std::is_empty_v<Make> && requires { Container::deferred_entries; }) {
    if (reader.keeper()) {
      const auto table = std::make_shared<const BlockTable>(reader, width);
      return defer_rows<width, Container>(table, {0, table->rows()}, make);
    }
  }
  return Container::from_sorted(TableRows<width, Make>(reader, make));
}
template <std::size_t width, class Container, class Make>
void read_sorted(ColumnReader& reader, Container& to, Make make) {
  auto read = sorted_rows<width, Container>(reader, make);
  if (!read) return reader.fail();
  to = std::move(*read);
}

template <std::size_t width, class Take>
void take_texts(ColumnReader& reader, std::span<const Row<width>> rows, Take& take) {
  for (const auto& row : rows) {
    const Bytes text = reader.bytes(row[0]);
    if (reader.failed()) return;
    take(row, as_text(text));
  }
}
template <std::size_t width, class Take>
void read_block_of_texts(ColumnReader& block, std::size_t count, Take& take) {
  std::vector<Row<width>> rows(count);
  auto column = std::make_unique<Column>();
  for (std::size_t i = 0; i < width; ++i) {
    block.column(std::span(*column).first(count));
    for (std::size_t at = 0; at < count; ++at) rows[at][i] = (*column)[at];
  }
  take_texts<width>(block, rows, take);
}

// The rows of a table of texts, whose first column is the length, and the text of each.
template <std::size_t width, class Take>
void read_texts(ColumnReader& reader, Take take) {
  ColumnReader head = reader;
  const auto blocks = head.stored_blocks(head.number());
  if (!blocks.empty()) {
    reader.skip_table(width);
    for (const StoredBlock& block : blocks) {
      ColumnReader texts(block.bytes);
      read_block_of_texts<width>(texts, block.rows, take);
      if (texts.failed() || !texts.at_end()) return reader.fail();
    }
    return;
  }
  std::vector<Row<width>> rows;
  auto same = [](const Row<width>& row) { return row; };
  for (const auto& row : TableRows<width, decltype(same)>(reader, same)) rows.push_back(row);
  take_texts<width>(reader, rows, take);
}

}  // namespace almanac
