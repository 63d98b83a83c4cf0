#include <almanac/log/subscription.h>

#include <almanac/log/reader.h>

#include <algorithm>

namespace almanac {

Result<bool> Subscription::next(const EventVisit& visit, std::chrono::milliseconds wait_max) {
  const auto until = std::chrono::steady_clock::now() + wait_max;
  while (true) {
    bool given = false;
    auto read = reader_->read(next_, [&](const RecordedEvent& recorded) -> Result<bool> {
      auto more = visit(recorded);
      if (!more) return more;
      given = true;
      next_ = recorded.position.next();
      return more;
    });
    if (!read) return std::unexpected(read.error());
    if (given) return true;
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= std::chrono::milliseconds(0)) return false;
    (void)mark_->wait(Position(next_.value - 1), left);
  }
}

}  // namespace almanac
