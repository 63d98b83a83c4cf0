// What stands around the contents of a checkpoint's file, in every format of those (README.md): for
// checkpoint.cc and shared_checkpoint.cc.
#pragma once

#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/columns.h>

#include <string>

namespace almanac {

enum class CheckpointFormat : std::uint64_t {
  whole = 1,   // all of the state
  shared = 2,  // what is its own; the blocks of large tables are in files that others share
};

struct Envelope {
  CheckpointFormat format = CheckpointFormat::whole;
  CheckpointHeader header;
  Bytes contents;
};

// The contents are written behind it.
[[nodiscard]] ColumnWriter begin_envelope(CheckpointFormat format, const CheckpointHeader& header,
                                          BlockSink* sink = nullptr);
// Enters the length and the checksum of a file that is whole.
void seal_envelope(std::vector<std::byte>& file);
// Checks every byte. Errors: corrupt, newer_format.
[[nodiscard]] Result<Envelope> open_envelope(Bytes file);

// The bytes of a file for as long as anybody holds them: mapped where most of them is asked for
// later, else read, so that a disk that fails is an error. Errors: those of read_whole_file().
[[nodiscard]] Result<std::shared_ptr<const Bytes>> hold_file(const std::filesystem::path& file,
                                                             Loading loading);

// Says what is wrong with a checkpoint, and what to do.
[[nodiscard]] std::unexpected<Error> damaged_checkpoint(const std::string& what);

}  // namespace almanac
