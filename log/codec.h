// Events to bytes and back. The only door to Cap'n Proto: generated code is seen by the codec's
// own .cc files and nobody else. Frames are described byte by byte in log/README.md.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/event.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace almanac {

// What a frame says about itself. Plain values; nothing borrowed.
struct FrameHeader {
  Timeline timeline{};
  Position first;
  std::uint32_t count = 0;
  Time time;
  Digest previous{};  // digest of the frame before; zeros for the first

  [[nodiscard]] Position last() const { return Position(first.value + count - 1); }
};

// Encodes frames into a buffer of its own that is reused from frame to frame. Owned by one writer;
// one thread at a time. Costs one pass over the events and two over the bytes (checksum, digest).
class FrameEncoder {
 public:
  FrameEncoder();
  ~FrameEncoder();
  FrameEncoder(const FrameEncoder&) = delete;
  FrameEncoder& operator=(const FrameEncoder&) = delete;

  // The frame as it is stored, a multiple of 8 bytes; `header.count` is set from the events.
  // Valid until the next call. The batches must pass check_batch, fit one frame
  // (limits.h) and start within 71 minutes of `header.time`.
  struct Encoded {
    Bytes value;
    Digest digest{};
  };
  [[nodiscard]] Encoded encode(const FrameHeader& header,
                               std::span<const EventBatch* const> batches);

  // The same in two steps, so that the slow one can be taken while the frame is on its way to the
  // disk: a draft is the frame with zeros for its digest, which is that of the message.
  // `bytes_at_most`, as check_batch has it, saves a frame that needs a larger buffer from being
  // encoded twice; 0 = not known.
  [[nodiscard]] Bytes encode_draft(FrameHeader header, std::span<const EventBatch* const> batches,
                                   std::size_t bytes_at_most = 0);
  [[nodiscard]] Bytes message() const;
  [[nodiscard]] Encoded complete(const Digest& digest);

 private:
  struct Free {
    void operator()(std::uint64_t* words) const { std::free(words); }
  };
  std::unique_ptr<std::uint64_t[], Free> words_;  // from calloc: takes what is written of it
  std::size_t words_size_ = 0;
  std::size_t words_used_ = 0;  // by the last frame; zeroed before the next
  void make_room(std::size_t words);
  bool encode_into(const FrameHeader& header, std::span<const EventBatch* const> batches,
                   std::size_t& words_used);
  [[nodiscard]] std::span<std::byte> value_in_place();
};

// Makes a draft of a frame, as the journal may hold one, the frame itself; answers its digest.
Digest complete_frame(std::span<std::byte> value);

// Takes out of a whole frame what can be made again: its checksum, its digest and the digest of the
// frame before it. They are random bytes, which no compressor makes smaller. The bytes must be
// aligned to 8. Errors: corrupt, newer_format.
[[nodiscard]] Result<void> strip_frame(std::span<std::byte> value);
// Makes of a stripped frame the one it was behind the frame of this digest; answers its own, which
// is another one than it had when the bytes are not those that were stripped. Aligned to 8 as well.
// Errors: corrupt, newer_format.
[[nodiscard]] Result<Digest> complete_frame(std::span<std::byte> value, const Digest& previous);
// Makes of a frame, stripped or whole, the one of another log that has the same events at the same
// positions, behind the frame of this digest; answers its own. Aligned to 8. Errors: corrupt,
// newer_format.
[[nodiscard]] Result<Digest> relink_frame(std::span<std::byte> value, const Timeline& timeline,
                                          const Digest& previous);

// Whether the bytes must be held against their checksum. `verified` is for bytes this process has
// written or checked before; damage in them is still reported, as a message that does not parse.
enum class FrameTrust : std::uint8_t { unverified, verified };

// What a frame is recognised by among other bytes: these, so far behind its first.
inline constexpr std::string_view stored_frame_magic = "ALMF";
inline constexpr std::size_t stored_magic_offset = 8;

// The size, prefix included, that the frame which begins with these bytes gives itself; nothing
// when they do not begin one. Looks at the prefix alone, which is this long.
inline constexpr std::size_t stored_prefix_bytes = 56;
[[nodiscard]] std::optional<std::size_t> stored_frame_bytes(Bytes bytes);
// The digest it says it has, which is not looked into; zeros where the bytes are too few.
[[nodiscard]] Digest stored_frame_digest(Bytes bytes);

// The positions a frame says it holds; nothing when it does not say. Damage is not looked for. The
// bytes must be aligned to 8; its first 256 are enough.
struct FramePositions {
  Position first;
  std::uint32_t count = 0;
};
[[nodiscard]] std::optional<FramePositions> stored_frame_positions(Bytes value);

// Reads one stored frame. Owned by one thread. Borrows `value`, which must stay mapped and
// unchanged as long as the reader or any event read from it is used.
class FrameReader {
 public:
  // Errors: corrupt (wrong length, checksum, or content), newer_format.
  [[nodiscard]] static Result<FrameReader> open(Bytes value, FrameTrust trust);
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;
  ~FrameReader();

  [[nodiscard]] const FrameHeader& header() const;
  // The digest the frame is stored with, which the next one names as its previous.
  [[nodiscard]] const Digest& digest() const;
  [[nodiscard]] std::size_t size_bytes() const;
  // As it is stored: what open() was given.
  [[nodiscard]] Bytes value() const;
  // Recomputes the digest from the bytes; open() checks only the much faster checksum.
  [[nodiscard]] bool digest_matches() const;
  // Event `index` of 0 … count - 1, O(1). Errors: corrupt, newer_format.
  [[nodiscard]] Result<Event> event(std::uint32_t index) const;
  // The same into an event that is used again and again, which costs half; after an error it holds
  // anything.
  [[nodiscard]] Result<void> read(std::uint32_t index, Event& to) const;

 private:
  struct Parsed;
  explicit FrameReader(std::unique_ptr<Parsed> parsed);
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace almanac
