// Where the blocks of a checkpoint are, and the blocks themselves: for shared_checkpoint.cc.
#pragma once

#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/shared_checkpoint.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace almanac {

// A block in one of the files.
struct BlockPlace {
  std::uint32_t file = 0;  // by its place in the list
  std::uint32_t bytes = 0;
  std::uint64_t offset = 0;
  std::uint64_t checksum = 0;  // XXH3 of its bytes
  std::uint32_t rows = 0;
  std::uint64_t first = 0;
};
struct BlockList {
  std::vector<BlocksFile> files;
  std::vector<BlockPlace> blocks;
};
void write_block_list(ColumnWriter& writer, const BlockList& list);
[[nodiscard]] BlockList read_block_list(ColumnReader& reader);

// The blocks of a checkpoint with the files they lie in.
class HeldBlocks {
 public:
  // Checks that the files are as large as the list says and have what it names, but no checksum.
  // Errors: corrupt, not_found, refused, io.
  [[nodiscard]] static Result<HeldBlocks> open(const std::filesystem::path& folder, BlockList list,
                                               Loading loading);

  [[nodiscard]] const BlockList& list() const { return list_; }
  [[nodiscard]] std::span<const StoredBlock> blocks() const { return blocks_; }
  [[nodiscard]] Bytes file(std::size_t number) const { return *files_[number]; }
  // Whether all of them have the bytes that were written. O(bytes).
  [[nodiscard]] bool is_sound() const;

 private:
  BlockList list_;
  std::vector<std::shared_ptr<const Bytes>> files_;
  std::vector<StoredBlock> blocks_;
};

// Takes the blocks of a state that is being written: those that the base has are named, the others
// gathered. One thread.
class SharingSink final : public BlockSink {
 public:
  // `base` may be nullptr, and lives as long.
  explicit SharingSink(const HeldBlocks* base);

  void add(const StoredBlock& block) override;
  // Of all blocks.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // The blocks, for a checkpoint at `position`: what of the base is used too little is copied.
  // Once, at the end.
  [[nodiscard]] BlockList finish(Position position);
  // What has to be in that checkpoint's file of blocks; empty when all are shared.
  [[nodiscard]] Bytes fresh() const { return fresh_; }

 private:
  static constexpr std::uint32_t is_fresh = UINT32_MAX;

  [[nodiscard]] const BlockPlace* find(const StoredBlock& block, std::uint64_t checksum) const;
  [[nodiscard]] std::uint64_t append(Bytes bytes);
  void leave_files_of_little_use();

  const HeldBlocks* base_;
  std::unordered_map<std::uint64_t, std::size_t> known_;  // of the base, by checksum
  std::vector<BlockPlace> places_;                        // file: of the base, or is_fresh
  std::vector<std::byte> fresh_;
  std::uint64_t bytes_ = 0;
};

}  // namespace almanac
