#include <almanac/log/subscription.h>

#include <almanac/log/reader.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

std::unexpected<Error> removed(Position wanted, Position first) {
  return fail(ErrorCode::not_found,
              "the event at position " + std::to_string(wanted.value) +
                  " was removed: the log begins at " + std::to_string(first.value),
              "begin there, with the state that was kept when it was trimmed");
}

}  // namespace

Result<bool> Subscription::next(const EventVisit& visit, std::chrono::milliseconds wait_max) {
  const auto until = std::chrono::steady_clock::now() + wait_max;
  while (true) {
    bool given = false;
    auto read = reader_->read(next_, [&](const RecordedEvent& recorded) -> Result<bool> {
      if (next_ && recorded.position != next_) return removed(next_, recorded.position);
      auto more = visit(recorded);
      if (!more) return more;
      given = true;
      next_ = recorded.position.next();
      return more;
    });
    if (!read) return std::unexpected(read.error());
    if (given) return true;
    // All that was behind it may have been removed as well.
    auto first = reader_->first();
    if (!first) return std::unexpected(first.error());
    if (!next_) next_ = *first;
    if (*first > next_) return removed(next_, *first);
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= std::chrono::milliseconds(0)) return false;
    (void)mark_->wait(Position(next_.value - 1), left);
  }
}

}  // namespace almanac
