#include <almanac/snapshots/checkpoint.h>

#include <almanac/snapshots/checkpoint_envelope.h>
#include <almanac/snapshots/shared_checkpoint.h>
#include <almanac/snapshots/state_codec.h>
#include <almanac/snapshots/whole_file.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac {
namespace {

namespace fs = std::filesystem;

Result<Checkpoint> made_of(const CheckpointHeader& header, Result<State> state) {
  if (!state) return damaged_checkpoint(state.error().message);
  if (state->position != header.position) return damaged_checkpoint("its positions disagree");
  return Checkpoint{header, std::move(*state)};
}

Result<Checkpoint> decode(const Envelope& envelope, std::shared_ptr<const void> keeper) {
  if (envelope.format != CheckpointFormat::whole) {
    return damaged_checkpoint("most of it is in other files");
  }
  return made_of(envelope.header, decode_state(envelope.contents, std::move(keeper)));
}

Result<Envelope> open_accepted(Bytes bytes, const AcceptCheckpoint& accept) {
  auto envelope = open_envelope(bytes);
  if (!envelope || !accept) return envelope;
  if (auto accepted = accept(envelope->header); !accepted) {
    return std::unexpected(accepted.error());
  }
  return envelope;
}

}  // namespace

// In one piece, since a state may take most of the memory there is.
std::vector<std::byte> encode_checkpoint(const CheckpointHeader& header, const State& state) {
  auto file = encode(state, begin_envelope(CheckpointFormat::whole, header));
  seal_envelope(file);
  return file;
}

Result<Checkpoint> decode_checkpoint(Bytes bytes, const AcceptCheckpoint& accept,
                                     std::shared_ptr<const void> keeper) {
  auto envelope = open_accepted(bytes, accept);
  if (!envelope) return std::unexpected(envelope.error());
  return decode(*envelope, std::move(keeper));
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
  auto held = hold_file(file, loading);
  if (!held) return std::unexpected(held.error());
  auto envelope = open_accepted(**held, accept);
  if (!envelope) return std::unexpected(envelope.error());
  if (envelope->format == CheckpointFormat::shared) {
    auto state = read_shared(file, envelope->contents, loading, *held);
    if (!state && state.error().code != ErrorCode::corrupt) return std::unexpected(state.error());
    return made_of(envelope->header, std::move(state));
  }
  return decode(*envelope, loading == Loading::as_asked ? *held : nullptr);
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
