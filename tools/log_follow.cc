#include <almanac/tools/log_follow.h>

#include <cstdio>

namespace almanac {
namespace {

// How long a new event may go unnoticed; looking for one reads where the log ends.
constexpr auto look_interval = std::chrono::milliseconds(50);
// While there is much to catch up with, this often is asked whether to stop.
constexpr std::uint64_t events_between_asking = 64;

}  // namespace

Result<void> follow_log(const Log& log, Position from, Interrupt& interrupt,
                        const Log::Visit& visit) {
  bool more = true;
  auto see = [&](const RecordedEvent& event) -> Result<bool> {
    if (event.position.value % events_between_asking == 0) {
      more = interrupt.wait({}) == Interrupt::Woken::by_time;
      if (!more) return false;
    }
    from = event.position.next();
    auto seen = visit(event);
    more = seen && *seen;
    return seen;
  };
  while (more) {
    auto tail = log.tail();
    if (!tail) return std::unexpected(tail.error());
    if (tail->last >= from) {
      if (auto read = log.read(from, see); !read) return read;
    } else {
      std::fflush(stdout);
      more = interrupt.wait(look_interval) == Interrupt::Woken::by_time;
    }
  }
  return {};
}

}  // namespace almanac
