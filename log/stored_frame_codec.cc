// Frames as bytes: everything but their events.
#include <almanac/log/stored_frame_codec.h>

#include <almanac/log/codec.h>
#include <almanac/log/events_codec.h>
#include <almanac/log/frame_links.h>
#include <almanac/log/hash.h>
#include <almanac/log/limits.h>

#include <capnp/serialize.h>
#include <kj/exception.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace almanac {
namespace stored {

std::unexpected<Error> corrupt(std::string message) {
  return fail(ErrorCode::corrupt, std::move(message),
              "run `almanac log verify` to see how far the log is whole");
}

Result<Prefix> read_prefix(Bytes value) {
  if (value.size() < sizeof(Prefix) || value.size() % sizeof(std::uint64_t) != 0) {
    return corrupt("a frame of " + std::to_string(value.size()) + " bytes cannot be whole");
  }
  Prefix prefix;
  std::memcpy(&prefix, value.data(), sizeof(prefix));
  if (prefix.magic != frame_magic) return corrupt("the bytes are not a frame");
  if (prefix.format != frame_format) {
    return fail(ErrorCode::newer_format,
                "the frame has format " + std::to_string(prefix.format) +
                    ", this version reads format " + std::to_string(frame_format),
                "use the version of Almanac that wrote the log, or a later one");
  }
  if (prefix.message_bytes != value.size() - sizeof(Prefix)) {
    return corrupt("the frame's length is not the one it was written with");
  }
  return prefix;
}

bool is_aligned(Bytes bytes) {
  return reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(std::uint64_t) == 0;
}

void seal(std::span<std::byte> value) {
  auto checksum = xxh3(value.subspan(checksum_bytes));
  std::memcpy(value.data(), &checksum, checksum_bytes);
}

}  // namespace stored

using stored::frame_magic;
using stored::is_aligned;
using stored::Prefix;

namespace {

// Reading one throws where its bytes are damaged.
class Message {
 public:
  explicit Message(Bytes bytes)
      : segment_(reinterpret_cast<const capnp::word*>(bytes.data()),
                 bytes.size() / sizeof(capnp::word)),
        reader_(kj::arrayPtr(&segment_, 1)) {}

  [[nodiscard]] schema::Frame::Reader frame() { return reader_.getRoot<schema::Frame>(); }

 private:
  kj::ArrayPtr<const capnp::word> segment_;
  capnp::SegmentArrayMessageReader reader_;
};

// Where a frame keeps which log it is of, and the digest of the one before it. Bytes that no writer
// wrote may say any places inside the message.
struct Links {
  std::span<std::byte> timeline;
  std::span<std::byte> previous;
};

Result<Links> links_of(std::span<std::byte> value) {
  if (auto prefix = stored::read_prefix(value); !prefix) return std::unexpected(prefix.error());
  ALMANAC_CHECK(is_aligned(value));
  auto message = value.subspan(sizeof(Prefix));
  auto place_of = [&](Bytes field) {
    return message.subspan(static_cast<std::size_t>(field.data() - message.data()), field.size());
  };
  try {
    Message read(message);
    const Bytes timeline = codec::view(read.frame().getTimeline());
    const Bytes previous = codec::view(read.frame().getPrevious());
    if (timeline.size() == sizeof(Timeline) && previous.size() == sizeof(Digest)) {
      return Links{place_of(timeline), place_of(previous)};
    }
  } catch (const kj::Exception&) {}
  return stored::corrupt("the frame does not name its log and the frame before it");
}

}  // namespace

Digest complete_frame(std::span<std::byte> value) {
  Digest digest = stored_frame_digest(value);
  if (digest != Digest{}) return digest;
  digest = blake2b(value.subspan(sizeof(Prefix)));
  seal_frame(value, digest);
  return digest;
}

Result<void> strip_frame(std::span<std::byte> value) {
  auto links = links_of(value);
  if (!links) return std::unexpected(links.error());
  std::ranges::fill(links->previous, std::byte{});
  std::ranges::fill(value.subspan(offsetof(Prefix, digest), sizeof(Digest)), std::byte{});
  std::ranges::fill(value.first(stored::checksum_bytes), std::byte{});
  return {};
}

Result<Bytes> link_frame(std::span<std::byte> value, const Digest& previous) {
  auto links = links_of(value);
  if (!links) return std::unexpected(links.error());
  std::ranges::copy(previous, links->previous.begin());
  return Bytes(value).subspan(sizeof(Prefix));
}

void seal_frame(std::span<std::byte> value, const Digest& digest) {
  std::ranges::copy(digest, value.begin() + offsetof(Prefix, digest));
  stored::seal(value);
}

Result<Digest> complete_frame(std::span<std::byte> value, const Digest& previous) {
  auto message = link_frame(value, previous);
  if (!message) return std::unexpected(message.error());
  const Digest digest = blake2b(*message);
  seal_frame(value, digest);
  return digest;
}

Result<Digest> relink_frame(std::span<std::byte> value, const Timeline& timeline,
                            const Digest& previous) {
  auto links = links_of(value);
  if (!links) return std::unexpected(links.error());
  std::ranges::copy(timeline, links->timeline.begin());
  return complete_frame(value, previous);
}

std::optional<std::size_t> stored_frame_bytes(Bytes bytes) {
  static_assert(stored_prefix_bytes == sizeof(Prefix));
  static_assert(stored_magic_offset == offsetof(Prefix, magic));
  static_assert(stored_frame_magic.size() == sizeof(frame_magic));
  Prefix prefix;
  if (bytes.size() < sizeof(prefix)) return std::nullopt;
  std::memcpy(&prefix, bytes.data(), sizeof(prefix));
  if (prefix.magic != frame_magic || prefix.message_bytes % sizeof(std::uint64_t) != 0 ||
      prefix.message_bytes > limits::frame_bytes_max) {
    return std::nullopt;
  }
  return sizeof(prefix) + prefix.message_bytes;
}

Digest stored_frame_digest(Bytes bytes) {
  Digest digest{};
  if (bytes.size() < sizeof(Prefix)) return digest;
  std::memcpy(digest.data(), bytes.data() + offsetof(Prefix, digest), digest.size());
  return digest;
}

std::optional<FramePositions> stored_frame_positions(Bytes value) {
  Bytes message = value.size() < sizeof(Prefix) ? Bytes() : value.subspan(sizeof(Prefix));
  if (message.empty() || !is_aligned(message)) return std::nullopt;
  try {
    Message read(message);
    auto frame = read.frame();
    return FramePositions{Position(frame.getFirst()), frame.getCount()};
  } catch (const kj::Exception&) {
    return std::nullopt;
  }
}

}  // namespace almanac
