#include <almanac/snapshots/checkpoint_envelope.h>

#include <almanac/log/hash.h>
#include <almanac/snapshots/whole_file.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

constexpr std::string_view state_magic = "ALMSTATE";
constexpr auto newest_format = static_cast<std::uint64_t>(CheckpointFormat::shared);
// magic, format, checksum of all behind it
constexpr std::size_t checksum_at = 8 + 8;
constexpr std::size_t sealed_from = checksum_at + 16;
constexpr std::size_t envelope_bytes = sealed_from + 8 + 16 + 8 + 32 + 32;

template <class Array>
void copy_to(Array& to, Bytes from) {
  if (from.size() == to.size()) std::memcpy(to.data(), from.data(), to.size());
}

}  // namespace

Result<std::shared_ptr<const Bytes>> hold_file(const std::filesystem::path& file, Loading loading) {
  if (loading == Loading::as_asked) return map_whole_file(file);
  auto read = read_whole_file(file);
  if (!read) return std::unexpected(read.error());
  struct Held {
    std::vector<std::byte> bytes;
    Bytes view;
  };
  auto held = std::make_shared<Held>(Held{std::move(*read), {}});
  held->view = held->bytes;
  return std::shared_ptr<const Bytes>(held, &held->view);
}

std::unexpected<Error> damaged_checkpoint(const std::string& what) {
  return fail(ErrorCode::corrupt, what, "remove it; an older one or the log itself serves");
}

ColumnWriter begin_envelope(CheckpointFormat format, const CheckpointHeader& header,
                            BlockSink* sink) {
  ColumnWriter front(sink);
  front.bytes(as_bytes(state_magic));
  front.number(static_cast<std::uint64_t>(format));
  front.bytes(std::array<std::byte, 16>{});  // the checksum, once there is something to sum
  front.number(0);                           // and the length
  front.bytes(header.timeline);
  front.number(header.position.value);
  front.bytes(header.chain);
  front.bytes(header.state);
  return front;
}

void seal_envelope(std::vector<std::byte>& file) {
  ColumnWriter length;
  length.number(file.size());
  std::ranges::copy(length.take(), file.begin() + sealed_from);
  const auto checksum = xxh3_128(Bytes(file).subspan(sealed_from));
  std::ranges::copy(checksum, file.begin() + checksum_at);
}

Result<Envelope> open_envelope(Bytes file) {
  if (file.size() < envelope_bytes) return damaged_checkpoint("it is cut short");
  ColumnReader reader(file);
  if (as_text(reader.bytes(state_magic.size())) != state_magic) {
    return damaged_checkpoint("it is no checkpoint");
  }
  const std::uint64_t format = reader.number();
  std::array<std::byte, 16> checksum{};
  copy_to(checksum, reader.bytes(checksum.size()));
  if (format > newest_format) {
    return fail(ErrorCode::newer_format, "its format is newer than this version of Almanac knows");
  }
  const std::uint64_t length = reader.number();
  if (format == 0) return damaged_checkpoint("it has no format");
  if (length != file.size()) return damaged_checkpoint("it is not as long as it says");
  if (xxh3_128(file.subspan(sealed_from)) != checksum) {
    return damaged_checkpoint("its checksum is wrong");
  }
  Envelope envelope{.format = static_cast<CheckpointFormat>(format), .header = {}, .contents = {}};
  copy_to(envelope.header.timeline, reader.bytes(sizeof(Timeline)));
  envelope.header.position = Position(reader.number());
  copy_to(envelope.header.chain, reader.bytes(sizeof(Digest)));
  copy_to(envelope.header.state, reader.bytes(sizeof(Digest)));
  envelope.contents = reader.rest();
  return envelope;
}

}  // namespace almanac
