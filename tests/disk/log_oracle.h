// What a log may and must hold after a power loss, told by the marks of a recording.
#pragma once

#include <almanac/log/event.h>
#include <almanac/tests/disk/recording.h>

#include <cstdint>
#include <vector>

namespace almanac::test {

// Stands for an event and all that are in front of it; 0 is the empty log.
[[nodiscard]] std::uint64_t content_behind(std::uint64_t before, const Event& event);

// The events of a log, as far as they are still in it.
struct LogContents {
  std::uint64_t base = 0;     // what was in front of this, and it, was removed
  std::uint64_t last = 0;     // position
  std::uint64_t content = 0;  // content_behind() those that are left
};

enum class Verdict : std::uint8_t {
  right,
  lost,   // something that was acknowledged or shown is missing (P1, P2)
  wrong,  // something was never appended, was refused, or is torn, doubled or reordered (P3), or
          // was removed that nobody had given up
};

class LogOracle {
 public:
  void apply(const Mark& mark);
  // Of a log that was read from the first event to the last.
  [[nodiscard]] Verdict judge(const LogContents& found) const;
  // What must be there: everything up to here.
  [[nodiscard]] std::uint64_t floor() const { return floor_; }

 private:
  struct End {
    std::uint64_t position = 0;
    std::uint64_t content = 0;
  };
  void cut_behind(std::uint64_t position);
  [[nodiscard]] bool goes_on(const End& base, const LogContents& found) const;

  std::vector<End> ends_{End{}};  // of batches that may be there, in order
  std::uint64_t floor_ = 0;
  std::uint64_t removable_ = 0;
};

}  // namespace almanac::test
