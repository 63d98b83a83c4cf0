// The thread that brings frames from the journal into the store, in large transactions and off the
// path of acknowledgements, and tells the journal which room it may use again.
#pragma once

#include <almanac/log/index.h>
#include <almanac/log/journal.h>
#include <almanac/log/recent_frames.h>
#include <almanac/log/store.h>

#include <array>
#include <functional>
#include <span>
#include <thread>

namespace almanac {

// Owned by a log. Its destructor settles everything first, unless the store does not take it.
class Settler {
 public:
  struct Parts {
    RecentFrames& recent;
    Index& index;
    Store& store;
    Journal& journal;
    std::function<void()> settled;  // after each commit of the store
  };
  explicit Settler(Parts parts);
  ~Settler();
  Settler(const Settler&) = delete;
  Settler& operator=(const Settler&) = delete;

 private:
  void run();
  [[nodiscard]] Result<void> settle(std::span<const SharedFrame> frames);
  // Gives back to the journal what is in the store, though there is nothing more to settle.
  void make_room();
  void committed(Position through);

  Parts parts_;
  // Where the last commits of the store ended. The newest may prove torn, and the one in front of
  // it be the one to go back to: what is behind that stays in the journal.
  std::array<Position, 2> commits_;
  Position trimmed_;
  std::thread thread_;
};

}  // namespace almanac
