// What requests are made of, as bytes to be hashed: numbers as 8 little-endian bytes and texts with
// their length in front, so that two different sequences of calls never give the same bytes.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace almanac {

class Content {
 public:
  void number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(value >> shift);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  // Lives until something is added.
  [[nodiscard]] Bytes bytes() const { return as_bytes(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace almanac
