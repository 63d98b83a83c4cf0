// How long the writer lets a frame fill. Who keeps a number of appends on their way appends again
// as soon as he is told that some are on disk. A frame written for the first of those has one
// event and makes the others wait for a second sync. So a frame waits until as many have come as
// were on their way before, though no longer than the last frame took; where that was in vain the
// next frames do not wait.
#pragma once

#include <chrono>
#include <cstddef>

namespace almanac {

// Owned by a writer, whose mutex guards it. Counts the appends whose callers do not wait: a thread
// that waits comes again only after a switch of threads, and those who came before it better use
// that time for a sync of their own.
class Gathering {
 public:
  using Clock = std::chrono::steady_clock;

  // A frame of so many appends has been on disk since `now`, after it `took` so long; `waiting`
  // appends have come meanwhile.
  void written(std::size_t appends, std::size_t waiting, Clock::time_point now,
               Clock::duration took);
  // Whether a frame of so many appends need not wait for more.
  [[nodiscard]] bool complete(std::size_t appends) const { return appends >= expected_; }
  // When it need not wait any longer.
  [[nodiscard]] Clock::time_point until() const { return until_; }

 private:
  std::size_t expected_ = 0;  // appends; 0 = the next frame does not wait
  Clock::time_point until_;
  unsigned vain_ = 0;     // waits in a row that were
  unsigned skipped_ = 0;  // frames from now on that do not wait
};

}  // namespace almanac
