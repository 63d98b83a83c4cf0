#include <almanac/snapshots/shared_checkpoint.h>

#include <almanac/snapshots/checkpoint_blocks.h>
#include <almanac/snapshots/checkpoint_envelope.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <array>
#include <future>
#include <string_view>
#include <system_error>
#include <utility>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view blocks_suffix = ".blocks";

// What others may share of a checkpoint; none where it has nothing to give, whatever the reason:
// then more is written.
[[nodiscard]] std::optional<HeldBlocks> blocks_of(const fs::path& checkpoint) {
  const auto held = hold_file(checkpoint, Loading::as_asked);
  if (!held) return std::nullopt;
  const auto envelope = open_envelope(**held);
  if (!envelope || envelope->format != CheckpointFormat::shared) return std::nullopt;
  ColumnReader reader(envelope->contents);
  BlockList list = read_block_list(reader);
  if (reader.failed()) return std::nullopt;
  auto blocks = HeldBlocks::open(checkpoint.parent_path(), std::move(list), Loading::as_asked);
  return blocks ? std::optional(std::move(*blocks)) : std::nullopt;
}

[[nodiscard]] Result<void> write_file(const fs::path& file, Bytes bytes) {
  const std::array<Bytes, 1> pieces = {bytes};
  return write_whole_file(file, pieces);
}

[[nodiscard]] std::vector<std::byte> own_file(const CheckpointHeader& header, const BlockList& list,
                                              Bytes contents) {
  auto front = begin_envelope(CheckpointFormat::shared, header);
  write_block_list(front, list);
  front.bytes(contents);
  auto file = front.take();
  seal_envelope(file);
  return file;
}

// Whether nothing can be read any more; else what it rests on is only not known now.
[[nodiscard]] bool is_none(const Error& error) {
  return error.code == ErrorCode::corrupt || error.code == ErrorCode::not_found;
}

// The positions of the folder's files of blocks.
[[nodiscard]] std::vector<Position> blocks_files_in(const fs::path& folder) {
  std::vector<Position> positions;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != blocks_suffix) continue;
    if (const auto position = position_named(entry.path().stem().string())) {
      positions.push_back(*position);
    }
  }
  return positions;
}

}  // namespace

fs::path blocks_file(const fs::path& folder, Position position) {
  return folder / (std::to_string(position.value) + std::string(blocks_suffix));
}

Result<std::uint64_t> write_shared_checkpoint(const fs::path& file, const CheckpointHeader& header,
                                              const State& state,
                                              const std::optional<fs::path>& base,
                                              std::uint64_t shared_bytes_min) {
  const auto blocks = base ? blocks_of(*base) : std::nullopt;
  SharingSink sink(blocks ? &*blocks : nullptr);
  const auto contents = encode(state, ColumnWriter(&sink));
  const auto beside = blocks_file(file.parent_path(), header.position);
  const BlockList list = sink.finish(header.position);
  std::error_code ignored;
  const bool is_taken = !sink.fresh().empty() && fs::exists(beside, ignored);
  if (sink.bytes() < shared_bytes_min || is_taken) return write_checkpoint(file, header, state);
  if (!sink.fresh().empty()) {
    if (auto written = write_file(beside, sink.fresh()); !written) {
      return std::unexpected(written.error());
    }
  }
  const auto own = own_file(header, list, contents);
  if (auto written = write_file(file, own); !written) {
    if (!sink.fresh().empty()) fs::remove(beside, ignored);
    return std::unexpected(written.error());
  }
  return own.size() + sink.fresh().size();
}

Result<State> read_shared(const fs::path& file, Bytes contents, Loading loading,
                          std::shared_ptr<const void> keeper) {
  ColumnReader reader(contents);
  BlockList list = read_block_list(reader);
  if (reader.failed()) return damaged_checkpoint("the list of its blocks makes no sense");
  auto opened = HeldBlocks::open(file.parent_path(), std::move(list), loading);
  std::error_code ignored;
  if (!opened && opened.error().code == ErrorCode::not_found && fs::exists(file, ignored)) {
    return damaged_checkpoint(opened.error().message + ", which it rests on");
  }
  if (!opened) return std::unexpected(opened.error());
  struct Kept {
    HeldBlocks blocks;
    std::shared_ptr<const void> file;
  };
  const auto kept = std::make_shared<const Kept>(Kept{std::move(*opened), std::move(keeper)});
  auto sound = std::async([&blocks = kept->blocks] { return blocks.is_sound(); });
  auto state = decode_state(ColumnReader(reader.rest(), kept->blocks.blocks(),
                                         loading == Loading::as_asked ? kept : nullptr));
  if (!sound.get()) return damaged_checkpoint("a block that it rests on has another checksum");
  return state;
}

Result<std::vector<BlocksFile>> rests_on(const fs::path& checkpoint) {
  const auto held = hold_file(checkpoint, Loading::as_asked);
  if (!held) return std::unexpected(held.error());
  const auto envelope = open_envelope(**held);
  if (!envelope) return std::unexpected(envelope.error());
  if (envelope->format != CheckpointFormat::shared) return std::vector<BlocksFile>();
  ColumnReader reader(envelope->contents);
  BlockList list = read_block_list(reader);
  if (reader.failed()) return damaged_checkpoint("the list of its blocks makes no sense");
  return std::move(list.files);
}

void remove_unneeded_blocks(const fs::path& folder) {
  std::vector<Position> needed;
  for (const Position position : positions_in(folder)) {
    const auto files = rests_on(folder / std::to_string(position.value));
    if (!files && !is_none(files.error())) return;
    if (!files) continue;
    for (const BlocksFile& file : *files) needed.push_back(file.position);
  }
  std::error_code ignored;
  for (const Position position : blocks_files_in(folder)) {
    if (std::ranges::find(needed, position) != needed.end()) continue;
    fs::remove(blocks_file(folder, position), ignored);
  }
}

}  // namespace almanac
