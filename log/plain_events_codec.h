// The events there are most of, read straight from their bytes in a frame (log/README.md has them):
// those of a program that embeds the library, and those of a task that is enqueued, started and
// succeeds. Going through Cap'n Proto's reader takes two or three times as long. Everything out of
// the ordinary is left to that reader: other types, structs of another version, pointers to where
// nothing can be.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/frame.capnp.h>
#include <almanac/log/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace almanac::codec {

// Borrows the message, whose list of events the reader has found to be inside of it.
class PlainEvents {
 public:
  PlainEvents() = default;
  PlainEvents(capnp::List<schema::Event>::Reader events, Bytes message);

  // Reads event `index` of the frame with this time and these names; false where that is to be done
  // otherwise, and `to` is whatever it is then.
  [[nodiscard]] bool read(std::uint32_t index, Time frame_time,
                          std::span<const std::string_view> names, Event& to) const;

 private:
  Bytes message_;
  std::size_t first_ = 0;    // of the first event, in the message
  std::uint32_t count_ = 0;  // 0 = leave all to the reader
};

}  // namespace almanac::codec
