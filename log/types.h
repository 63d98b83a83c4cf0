// The small values every folder shares. A number that means something has a type of its own, so
// that a task can never be passed where a position is wanted.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace almanac {

template <class Tag>
struct Number {
  std::uint64_t value = 0;

  constexpr Number() = default;
  constexpr explicit Number(std::uint64_t number) : value(number) {}
  [[nodiscard]] constexpr Number next() const { return Number(value + 1); }
  constexpr explicit operator bool() const { return value != 0; }
  constexpr auto operator<=>(const Number&) const = default;
};

// The place of an event in the log: 1, 2, 3 … without gaps. 0 means "before the first".
using Position = Number<struct PositionTag>;
// A task's number, dense from 1 in order of submission. 0 means "none".
using TaskId = Number<struct TaskIdTag>;
// A group's number, dense from 1 in the order in which groups were opened. 0 means "none".
using GroupId = Number<struct GroupIdTag>;
// Fencing token of one attempt: the position of the TaskStarted event that granted it, so a later
// lease is always a larger number. 0 means "none".
using Lease = Number<struct LeaseTag>;

// Wall-clock time in UTC. The default value (1970) means "not set" wherever a time is optional.
using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// BLAKE2b-256.
using Digest = std::array<std::byte, 32>;
// A log's identity: 128 random bits drawn when it was created.
using Timeline = std::array<std::byte, 16>;

[[nodiscard]] std::string to_hex(Bytes bytes);
// Fills `bytes` with what to_hex() wrote of as many; false when that is not what the text is.
[[nodiscard]] bool from_hex(std::string_view text, std::span<std::byte> bytes);

}  // namespace almanac

template <class Tag>
struct std::hash<almanac::Number<Tag>> {
  std::size_t operator()(almanac::Number<Tag> number) const noexcept {
    return std::hash<std::uint64_t>{}(number.value);
  }
};
