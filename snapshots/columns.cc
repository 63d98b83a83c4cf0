#include <almanac/snapshots/columns.h>

#include <bit>
#include <cstring>

namespace almanac {
namespace {

constexpr std::uint8_t stands_on_the_one_before = 16;
// Of blocks that are kept elsewhere.
constexpr std::size_t numbered_rows_min = block_rows / 4;
constexpr std::uint64_t content_rows_aim = block_rows / 2;

std::uint64_t little_endian(std::uint64_t number) {
  return std::endian::native == std::endian::big ? __builtin_bswap64(number) : number;
}

std::size_t bytes_of(std::uint64_t number) {
  return (static_cast<std::size_t>(std::bit_width(number)) + 7) / 8;
}

// What the rows say beyond the smallest of them.
struct Spread {
  std::uint64_t base = 0;
  std::size_t width = 0;
};

Spread spread_of(std::span<const std::uint64_t> rows) {
  if (rows.empty()) return {};
  std::uint64_t least = rows.front();
  std::uint64_t most = least;
  for (const std::uint64_t row : rows) {
    least = std::min(least, row);
    most = std::max(most, row);
  }
  return {least, bytes_of(most - least)};
}

// How far each row is from the one before; numbers that fall wrap around.
std::span<const std::uint64_t> steps_of(std::span<const std::uint64_t> rows, Column& steps) {
  for (std::size_t i = 1; i < rows.size(); ++i) steps[i - 1] = rows[i] - rows[i - 1];
  return std::span(steps).first(rows.size() - 1);
}

template <std::size_t width>
void spread_out(Bytes bytes, std::uint64_t base, std::span<std::uint64_t> rows) {
  const std::byte* from = bytes.data();
  for (std::uint64_t& row : rows) {
    std::uint64_t more = 0;
    std::memcpy(&more, from, width);
    row = base + little_endian(more);
    from += width;
  }
}

void spread_out(Bytes bytes, std::size_t width, std::uint64_t base, std::span<std::uint64_t> rows) {
  switch (width) {
    case 0: return static_cast<void>(std::ranges::fill(rows, base));
    case 1: return spread_out<1>(bytes, base, rows);
    case 2: return spread_out<2>(bytes, base, rows);
    case 3: return spread_out<3>(bytes, base, rows);
    case 4: return spread_out<4>(bytes, base, rows);
    case 5: return spread_out<5>(bytes, base, rows);
    case 6: return spread_out<6>(bytes, base, rows);
    case 7: return spread_out<7>(bytes, base, rows);
    default: return spread_out<8>(bytes, base, rows);
  }
}

}  // namespace

void ColumnWriter::number(std::uint64_t number) {
  const std::uint64_t ordered = little_endian(number);
  bytes(std::as_bytes(std::span(&ordered, 1)));
}

void ColumnWriter::column(std::span<const std::uint64_t> rows) {
  Column steps;
  const Spread plain = spread_of(rows);
  const auto step_rows = steps_of(rows, steps);
  const Spread stepping = spread_of(step_rows);
  const bool steps_win = stepping.width < plain.width;
  const Spread& chosen = steps_win ? stepping : plain;
  written_.push_back(
      std::byte(static_cast<unsigned>(chosen.width) | (steps_win ? stands_on_the_one_before : 0U)));
  number(steps_win ? rows.front() : plain.base);
  number(steps_win ? stepping.base : 0);
  differences(steps_win ? step_rows : rows, chosen.base, chosen.width);
}

// Each in eight bytes, of which the next one covers what it does not need.
void ColumnWriter::differences(std::span<const std::uint64_t> rows, std::uint64_t base,
                               std::size_t width) {
  if (width == 0) return;
  const std::size_t begin = written_.size();
  const std::size_t end = begin + width * rows.size();
  written_.resize(end + sizeof(std::uint64_t));
  std::byte* to = written_.data() + begin;
  for (const std::uint64_t each : rows) {
    const std::uint64_t more = little_endian(each - base);
    std::memcpy(to, &more, sizeof(more));
    to += width;
  }
  written_.resize(end);
}

void ColumnWriter::put_number(std::size_t at, std::uint64_t number) {
  const std::uint64_t ordered = little_endian(number);
  std::memcpy(written_.data() + at, &ordered, sizeof(ordered));
}

bool block_ends(BlockEnd end, std::span<const std::uint64_t> row,
                std::span<const std::uint64_t> next, std::size_t rows) {
  if (end == BlockEnd::number) {
    return rows >= numbered_rows_min && row[0] / block_rows != next[0] / block_rows;
  }
  std::uint64_t mixed = 0;
  for (const std::uint64_t each : row) {
    mixed = (mixed ^ each) * 0x9E37'79B9'7F4A'7C15;
    mixed ^= mixed >> 32;
  }
  return mixed % content_rows_aim == 0;
}

Bytes ColumnReader::bytes(std::size_t count) {
  if (count > rest_.size()) fail();
  if (failed_) return {};
  const Bytes taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

std::uint64_t ColumnReader::number() {
  const Bytes taken = bytes(sizeof(std::uint64_t));
  std::uint64_t number = 0;
  if (!taken.empty()) std::memcpy(&number, taken.data(), sizeof(number));
  return little_endian(number);
}

ColumnReader::Head ColumnReader::head() {
  const Bytes first = bytes(1);
  const auto how = first.empty() ? 0U : std::to_integer<unsigned>(first[0]);
  const Head head{.steps = (how & stands_on_the_one_before) != 0,
                  .width = how & (stands_on_the_one_before - 1U),
                  .base = number(),
                  .step = number()};
  if (how > (stands_on_the_one_before | 8U) || head.width > 8) fail();
  return head;
}

Bytes ColumnReader::differences(const Head& head, std::size_t rows) {
  return bytes(head.width * (rows - (head.steps ? 1 : 0)));
}

void ColumnReader::column(std::span<std::uint64_t> rows) {
  const Head found = head();
  const Bytes more = differences(found, rows.size());
  if (failed_) return static_cast<void>(std::ranges::fill(rows, 0));
  if (!found.steps) return spread_out(more, found.width, found.base, rows);
  rows[0] = found.base;
  spread_out(more, found.width, found.step, rows.subspan(1));
  for (std::size_t i = 1; i < rows.size(); ++i) rows[i] += rows[i - 1];
}

std::span<const StoredBlock> ColumnReader::stored_blocks(std::uint64_t rows) {
  if (!has_blocks_) return {};
  const std::uint64_t count = number();
  if (count > blocks_.size()) fail();
  if (failed_) return {};
  const auto taken = blocks_.first(static_cast<std::size_t>(count));
  blocks_ = blocks_.subspan(taken.size());
  std::uint64_t found = 0;
  for (const StoredBlock& block : taken) found += block.rows;
  if (!taken.empty() && found != rows) fail();
  return failed_ ? std::span<const StoredBlock>() : taken;
}

void ColumnReader::skip_table(std::size_t columns) {
  const std::uint64_t all = number();
  if (!stored_blocks(all).empty()) return;
  for (std::uint64_t left = all; left > 0 && !failed_;) {
    const auto rows = static_cast<std::size_t>(std::min<std::uint64_t>(left, block_rows));
    for (std::size_t i = 0; i < columns; ++i) skip_column(rows);
    left -= rows;
  }
}

}  // namespace almanac
