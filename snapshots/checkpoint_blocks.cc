#include <almanac/snapshots/checkpoint_blocks.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/checkpoint_envelope.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

constexpr std::string_view blocks_magic = "ALMBLOCK";
constexpr std::size_t file_columns = 2;
constexpr std::size_t place_columns = 6;

[[nodiscard]] bool is_legal(const BlockPlace& place, const BlockList& list) {
  return place.file < list.files.size() && 0 < place.rows && place.rows <= block_rows;
}

// The bytes of a place, or none where the file does not have them.
[[nodiscard]] Bytes bytes_at(Bytes file, const BlockPlace& place) {
  if (place.offset > file.size() || place.bytes > file.size() - place.offset) return {};
  return file.subspan(static_cast<std::size_t>(place.offset), place.bytes);
}

}  // namespace

void write_block_list(ColumnWriter& writer, const BlockList& list) {
  writer.number(list.files.size());
  for (const BlocksFile& file : list.files) {
    writer.number(file.position.value);
    writer.number(file.bytes);
  }
  ColumnWriter table;
  table.table<place_columns>(list.blocks, list.blocks.size(), [](const BlockPlace& place) {
    return std::array<std::uint64_t, place_columns>{place.file,     place.bytes, place.offset,
                                                    place.checksum, place.rows,  place.first};
  });
  writer.bytes(table.take());
}

BlockList read_block_list(ColumnReader& reader) {
  BlockList list;
  for (std::uint64_t left = reader.number(); left > 0 && !reader.failed(); --left) {
    const Position position(reader.number());
    list.files.push_back({position, reader.number()});
  }
  const auto place = [](const std::array<std::uint64_t, place_columns>& row) {
    return BlockPlace{.file = static_cast<std::uint32_t>(row[0]),
                      .bytes = static_cast<std::uint32_t>(row[1]),
                      .offset = row[2],
                      .checksum = row[3],
                      .rows = static_cast<std::uint32_t>(row[4]),
                      .first = row[5]};
  };
  for (const BlockPlace& one : TableRows<place_columns, decltype(place)>(reader, place)) {
    if (!is_legal(one, list)) {
      reader.fail();
      break;
    }
    list.blocks.push_back(one);
  }
  return list;
}

Result<HeldBlocks> HeldBlocks::open(const std::filesystem::path& folder, BlockList list,
                                    Loading loading) {
  HeldBlocks held;
  for (const BlocksFile& file : list.files) {
    const auto path = blocks_file(folder, file.position);
    auto bytes = hold_file(path, loading);
    if (!bytes) return std::unexpected(bytes.error());
    if ((*bytes)->size() != file.bytes || file.bytes < blocks_magic.size() ||
        as_text((*bytes)->first(blocks_magic.size())) != blocks_magic) {
      return damaged_checkpoint(path.filename().string() + ", which it rests on, is another file");
    }
    held.files_.push_back(std::move(*bytes));
  }
  for (const BlockPlace& place : list.blocks) {
    const Bytes bytes = bytes_at(*held.files_[place.file], place);
    if (bytes.empty()) return damaged_checkpoint("it names a block that is not there");
    held.blocks_.push_back({bytes, place.rows, place.first});
  }
  held.list_ = std::move(list);
  return held;
}

bool HeldBlocks::is_sound() const {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (xxh3(blocks_[i].bytes) != list_.blocks[i].checksum) return false;
  }
  return true;
}

SharingSink::SharingSink(const HeldBlocks* base) : base_(base) {
  if (base_ == nullptr) return;
  const auto& places = base_->list().blocks;
  known_.reserve(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) known_.emplace(places[i].checksum, i);
}

void SharingSink::add(const StoredBlock& block) {
  const std::uint64_t checksum = xxh3(block.bytes);
  bytes_ += block.bytes.size();
  if (const BlockPlace* place = find(block, checksum)) {
    places_.push_back(*place);
    return;
  }
  places_.push_back({.file = is_fresh,
                     .bytes = static_cast<std::uint32_t>(block.bytes.size()),
                     .offset = append(block.bytes),
                     .checksum = checksum,
                     .rows = block.rows,
                     .first = block.first});
}

// By its bytes, not by its checksum alone: what is damaged is written again.
const BlockPlace* SharingSink::find(const StoredBlock& block, std::uint64_t checksum) const {
  const auto known = known_.find(checksum);
  if (known == known_.end()) return nullptr;
  const StoredBlock& there = base_->blocks()[known->second];
  const bool is_same = there.rows == block.rows && there.first == block.first &&
                       std::ranges::equal(there.bytes, block.bytes);
  return is_same ? &base_->list().blocks[known->second] : nullptr;
}

std::uint64_t SharingSink::append(Bytes bytes) {
  if (fresh_.empty()) std::ranges::copy(as_bytes(blocks_magic), std::back_inserter(fresh_));
  const std::uint64_t at = fresh_.size();
  fresh_.insert(fresh_.end(), bytes.begin(), bytes.end());
  return at;
}

void SharingSink::leave_files_of_little_use() {
  if (base_ == nullptr) return;
  const auto& files = base_->list().files;
  std::vector<std::uint64_t> used(files.size());
  for (const BlockPlace& place : places_) {
    if (place.file != is_fresh) used[place.file] += place.bytes;
  }
  for (BlockPlace& place : places_) {
    if (place.file == is_fresh || used[place.file] * 4 >= files[place.file].bytes) continue;
    place.offset = append(bytes_at(base_->file(place.file), place));
    place.file = is_fresh;
  }
}

BlockList SharingSink::finish(Position position) {
  leave_files_of_little_use();
  BlockList list;
  std::unordered_map<std::uint32_t, std::uint32_t> numbers;
  for (BlockPlace& place : places_) {
    const auto [number, is_new] =
        numbers.try_emplace(place.file, static_cast<std::uint32_t>(list.files.size()));
    if (is_new) {
      list.files.push_back(place.file == is_fresh ? BlocksFile{position, fresh_.size()}
                                                  : base_->list().files[place.file]);
    }
    place.file = number->second;
  }
  list.blocks = std::move(places_);
  return list;
}

}  // namespace almanac
