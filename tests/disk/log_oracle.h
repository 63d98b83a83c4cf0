// What a log may and must hold after a power loss, told by the marks of a recording.
#pragma once

#include <almanac/log/event.h>
#include <almanac/tests/disk/recording.h>

#include <cstdint>
#include <vector>

namespace almanac::test {

// Stands for an event and all that are in front of it; 0 is the empty log.
[[nodiscard]] std::uint64_t content_behind(std::uint64_t before, const Event& event);

enum class Verdict : std::uint8_t {
  right,
  lost,   // something that was acknowledged or shown is missing (P1, P2)
  wrong,  // something was never appended, was refused, or is torn, doubled or reordered (P3)
};

class LogOracle {
 public:
  void apply(const Mark& mark);
  // Of a log that was read from the first event to the last.
  [[nodiscard]] Verdict judge(std::uint64_t events, std::uint64_t content) const;
  // What must be there: so many events.
  [[nodiscard]] std::uint64_t floor() const { return floor_; }

 private:
  struct End {
    std::uint64_t position = 0;
    std::uint64_t content = 0;
  };
  void cut_behind(std::uint64_t position);

  std::vector<End> ends_{End{}};  // of batches that may be there, in order
  std::uint64_t floor_ = 0;
};

}  // namespace almanac::test
