// The events of a program that embeds the library, read straight from their 24 bytes in a frame's
// list (log/README.md has them). They are the most there are, and going through Cap'n Proto's
// reader takes three times as long. Everything out of the ordinary is left to that reader.
#pragma once

#include <almanac/log/frame.capnp.h>
#include <almanac/log/types.h>

#include <capnp/any.h>

#include <cstring>

namespace almanac::codec {

// Borrows the message, whose list of events the reader has found to be inside of it.
class CustomEvents {
 public:
  struct Custom {
    std::uint32_t after = 0;
    std::uint16_t name = 0;
    Bytes data;
  };

  CustomEvents() = default;
  CustomEvents(capnp::List<schema::Event>::Reader events, Bytes message) : message_(message) {
    if (events.size() < 2) return;
    const auto* first = place(events[0]);
    // A later version may have made events longer.
    if (place(events[1]) - first != event_bytes) return;
    if (capnp::AnyStruct::Reader(events[0]).getDataSection().size() != data_bytes) return;
    first_ = static_cast<std::size_t>(first - message.data());
    count_ = events.size();
  }

  // False where event `index` is of another type, has a key, a stream or a cause, or its bytes are
  // not where they can be.
  [[nodiscard]] bool read(std::uint32_t index, Custom& to) const {
    if (index >= count_) return false;
    Stored stored;
    const auto at = first_ + std::size_t{index} * event_bytes;
    std::memcpy(&stored, message_.data() + at, sizeof(stored));
    if (stored.type != custom_type || stored.meta != 0) return false;
    // A pointer to a list of bytes: the distance in words, how large an element is, how many.
    if ((stored.body & kind_mask) != byte_list_kind) return false;
    const auto words = static_cast<std::int32_t>(stored.body) >> 2;
    const auto begin = static_cast<std::int64_t>(at + body_end) + std::int64_t{words} * 8;
    const auto size = stored.body >> count_shift;
    if (begin < 0 || static_cast<std::uint64_t>(begin) + size > message_.size()) return false;
    to = {stored.after, stored.name, message_.subspan(static_cast<std::size_t>(begin), size)};
    return true;
  }

 private:
  struct Stored {
    std::uint32_t after;
    std::uint16_t name;
    std::uint16_t type;
    std::uint64_t body;
    std::uint64_t meta;
  };
  static constexpr std::size_t event_bytes = 24;
  static_assert(sizeof(Stored) == event_bytes);
  static constexpr std::size_t data_bytes = 8;
  static constexpr std::size_t body_end = 16;  // where a pointer ends, its distance begins
  static constexpr auto custom_type = static_cast<std::uint16_t>(schema::Event::Body::CUSTOM);
  // The lowest two bits and bits 32 to 34.
  static constexpr std::uint64_t kind_mask = 0x7'0000'0003;
  static constexpr std::uint64_t byte_list_kind = 0x2'0000'0001;
  static constexpr int count_shift = 35;

  static const std::byte* place(schema::Event::Reader event) {
    return reinterpret_cast<const std::byte*>(
        capnp::AnyStruct::Reader(event).getDataSection().begin());
  }

  Bytes message_;
  std::size_t first_ = 0;    // of the first event, in the message
  std::uint32_t count_ = 0;  // 0 = leave all to the reader
};

}  // namespace almanac::codec
