// The frames that can still be found in the files of a damaged log, wherever they lie: LMDB is not
// asked. A frame is known by its magic, its checksum and its digest, and one belongs behind another
// because it states that one's digest.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/commit_record.h>
#include <almanac/log/error.h>
#include <almanac/log/store.h>
#include <almanac/log/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

namespace almanac {

struct FoundFrame {
  FrameHeader header;
  Digest digest{};
  std::size_t file = 0;  // of Salvage::files
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct Salvage {
  std::vector<std::filesystem::path> files;
  std::vector<FoundFrame> chain;  // from where the log begins, each behind the one before
  bool begins_anywhere = false;   // nothing said where that is: with the earliest frame there is
  std::vector<FoundFrame> loose;  // whole, but not part of the chain; each position once
};

struct SalvageOptions {
  // What the log's last commits were: their frames are right, and others in their places are of
  // commits that were given up.
  CommitFile::Records confirmed;
  // Behind what the log begins: none when that is position 1. Not known where the log cannot say.
  std::optional<StoreBase> base;
  // Told how many bytes of how many have been searched.
  std::function<void(std::uint64_t done, std::uint64_t all)> progress = {};
};

// Searches every regular file below the folders, of which those that are missing are passed over.
// Parts that cannot be read count as damage. Costs one pass at the disk's speed, and 200 bytes of
// memory for each frame. Errors: newer_format, refused, io.
[[nodiscard]] Result<Salvage> find_frames(const std::vector<std::filesystem::path>& folders,
                                          const SalvageOptions& options = {});

// The frame's bytes once more; they live as long as `memory` is left alone. Errors: corrupt when
// they are no longer there, io.
[[nodiscard]] Result<Bytes> read_found(const Salvage& salvage, const FoundFrame& frame,
                                       std::vector<std::uint64_t>& memory);

}  // namespace almanac
