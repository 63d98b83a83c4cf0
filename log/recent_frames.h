// The frames that are durable in the journal and not yet in the store: readers of this process are
// served from here meanwhile. Any thread.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/journal.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

// A frame that owns its bytes, aligned to 8.
struct OwnedFrame {
  Position first;
  Position last;
  std::vector<std::uint64_t> words;

  [[nodiscard]] Bytes value() const { return std::as_bytes(std::span(words)); }
};
using SharedFrame = std::shared_ptr<const OwnedFrame>;
[[nodiscard]] SharedFrame own_frame(const FrameView& frame);

class RecentFrames {
 public:
  // Of the writer, which adds frames in order.
  void add(SharedFrame frame);
  // Waits until there is room for more. Errors: what keeps the store from taking them, which
  // refuses ordinary events at once; those that use the reserve are let through.
  [[nodiscard]] Result<void> wait_for_room(Space space);

  // The journal has no room for more: what is in the store may have to leave it.
  void ask_for_room();

  // Of the settler. Waits until there is enough to settle, the time is up or the log closes, and
  // gives the oldest frames up to `bytes_max`, at least one; none of them where there are none, but
  // the journal lacks room; nothing when closed and empty.
  [[nodiscard]] std::optional<std::vector<SharedFrame>> take(std::size_t bytes_max);
  // They are in the store now.
  void drop(Position through);
  // The store does not take more, until it does.
  void refuse(Error error);
  void accept();
  // Waits so long, or until the log closes.
  void pause(std::chrono::milliseconds time);
  void close();
  [[nodiscard]] bool closing() const;

  // The frames from the one that holds `position` on, or from the first behind it; at most a
  // slice of them (limits.h).
  [[nodiscard]] std::vector<SharedFrame> from(Position position) const;
  // The same backward: from the frame that holds `position`, or the last one in front of it.
  [[nodiscard]] std::vector<SharedFrame> back_from(Position position) const;
  [[nodiscard]] SharedFrame last() const;  // none when all is in the store

 private:
  mutable std::mutex mutex_;
  std::condition_variable settle_;  // for the settler: there may be enough
  std::condition_variable room_;    // for the writer: there may be room
  std::deque<SharedFrame> frames_;  // guarded by mutex_
  std::size_t bytes_ = 0;           // guarded by mutex_
  std::optional<Error> refusal_;    // guarded by mutex_
  bool lacks_room_ = false;         // guarded by mutex_
  bool closing_ = false;            // guarded by mutex_
};

}  // namespace almanac
