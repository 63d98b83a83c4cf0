#include <almanac/snapshots/checkpoint.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/columns.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view state_magic = "ALMSTATE";
constexpr std::uint64_t format_version = 1;
// magic, format, checksum of all behind it
constexpr std::size_t checksum_at = 8 + 8;
constexpr std::size_t sealed_from = checksum_at + 16;
constexpr std::size_t header_bytes = sealed_from + 8 + 16 + 8 + 32 + 32;

template <class Array>
void copy_to(Array& to, Bytes from) {
  if (from.size() == to.size()) std::memcpy(to.data(), from.data(), to.size());
}

std::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorCode::corrupt, what, "remove it; an older one or the log itself serves");
}

}  // namespace

// In one piece, since a state may take most of the memory there is.
std::vector<std::byte> encode_checkpoint(const CheckpointHeader& header, const State& state) {
  ColumnWriter front;
  front.bytes(as_bytes(state_magic));
  front.number(format_version);
  front.bytes(std::array<std::byte, 16>{});  // the checksum, once there is something to sum
  front.number(0);                           // and the length
  front.bytes(header.timeline);
  front.number(header.position.value);
  front.bytes(header.chain);
  front.bytes(header.state);
  auto file = encode(state, std::move(front));
  ColumnWriter length;
  length.number(file.size());
  std::ranges::copy(length.take(), file.begin() + sealed_from);
  const auto checksum = xxh3_128(Bytes(file).subspan(sealed_from));
  std::ranges::copy(checksum, file.begin() + checksum_at);
  return file;
}

Result<Checkpoint> decode_checkpoint(Bytes bytes, const AcceptCheckpoint& accept,
                                     std::shared_ptr<const void> keeper) {
  if (bytes.size() < header_bytes) return damaged("it is cut short");
  ColumnReader reader(bytes);
  if (as_text(reader.bytes(state_magic.size())) != state_magic)
    return damaged("it is no checkpoint");
  const std::uint64_t version = reader.number();
  std::array<std::byte, 16> checksum{};
  copy_to(checksum, reader.bytes(checksum.size()));
  if (version > format_version) {
    return fail(ErrorCode::newer_format, "its format is newer than this version of Almanac knows");
  }
  const std::uint64_t length = reader.number();
  if (version != format_version) return damaged("it has no format");
  if (length != bytes.size()) return damaged("it is not as long as it says");
  if (xxh3_128(bytes.subspan(sealed_from)) != checksum) return damaged("its checksum is wrong");
  Checkpoint checkpoint;
  copy_to(checkpoint.header.timeline, reader.bytes(sizeof(Timeline)));
  checkpoint.header.position = Position(reader.number());
  copy_to(checkpoint.header.chain, reader.bytes(sizeof(Digest)));
  copy_to(checkpoint.header.state, reader.bytes(sizeof(Digest)));
  auto accepted = accept ? accept(checkpoint.header) : Result<void>();
  if (!accepted) return std::unexpected(accepted.error());
  auto state = decode_state(bytes.subspan(header_bytes), std::move(keeper));
  if (!state) return damaged(state.error().message);
  if (state->position != checkpoint.header.position) return damaged("its positions disagree");
  checkpoint.state = std::move(*state);
  return checkpoint;
}

Result<std::uint64_t> write_checkpoint(const fs::path& file, const CheckpointHeader& header,
                                       const State& state) {
  const auto bytes = encode_checkpoint(header, state);
  const std::array<Bytes, 1> pieces = {bytes};
  auto written = write_whole_file(file, pieces);
  if (!written) return std::unexpected(written.error());
  return bytes.size();
}

Result<Checkpoint> read_checkpoint(const fs::path& file, const AcceptCheckpoint& accept,
                                   Loading loading) {
  if (loading == Loading::as_asked) {
    auto mapped = map_whole_file(file);
    if (!mapped) return std::unexpected(mapped.error());
    return decode_checkpoint(**mapped, accept, *mapped);
  }
  auto bytes = read_whole_file(file);
  if (!bytes) return std::unexpected(bytes.error());
  return decode_checkpoint(*bytes, accept);
}

Result<Digest> chain_at(const Log& log, Position position) {
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  if (position && position == base->last) return base->digest;
  std::optional<Digest> digest;
  if (position > base->last) {
    auto read = log.read_frames(position, [&](const FrameReader& frame) -> Result<bool> {
      const FrameHeader& header = frame.header();
      if (header.first <= position && position <= header.last()) digest = frame.digest();
      return false;
    });
    if (!read) return std::unexpected(read.error());
  }
  if (digest) return *digest;
  return fail(ErrorCode::not_found, "the log has no position " + std::to_string(position.value));
}

}  // namespace almanac
