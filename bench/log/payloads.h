// What is appended: a few thousand payloads of one size, in turn. Each begins with its number, and
// the rest is random, so that nothing is gained by compressing it.
#pragma once

#include <almanac/bench/log/subject.h>

#include <cstring>
#include <random>
#include <vector>

namespace almanac::bench {

class Payloads {
 public:
  static constexpr std::uint32_t different = 4'093;

  explicit Payloads(std::size_t size_bytes)
      : size_bytes_(size_bytes), bytes_(size_bytes * different) {
    std::mt19937 random(20'260'101);
    for (auto& byte : bytes_) byte = static_cast<std::byte>(random());
    for (std::uint32_t i = 0; i < different; ++i) {
      std::memcpy(bytes_.data() + i * size_bytes_, &i, sizeof(i));
    }
  }

  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  // The one that goes to position `index` + 1.
  [[nodiscard]] Bytes at(std::uint64_t index) const {
    return Bytes(bytes_).subspan(index % different * size_bytes_, size_bytes_);
  }
  // Its number, if it is one of ours unchanged.
  [[nodiscard]] std::optional<std::uint32_t> number(Bytes payload) const {
    std::uint32_t number = 0;
    if (payload.size() != size_bytes_) return std::nullopt;
    std::memcpy(&number, payload.data(), sizeof(number));
    if (number >= different) return std::nullopt;
    if (std::memcmp(at(number).data(), payload.data(), size_bytes_) != 0) return std::nullopt;
    return number;
  }

 private:
  std::size_t size_bytes_;
  std::vector<std::byte> bytes_;
};

}  // namespace almanac::bench
