#include <almanac/tools/log_follow.h>

#include <cstdio>

namespace almanac {
namespace {

// How long a wish to stop may go unnoticed.
constexpr auto follow_interval = std::chrono::milliseconds(50);
// While there is much to catch up with, this often is asked whether to stop.
constexpr std::uint64_t events_between_asking = 64;

}  // namespace

Result<void> follow_log(const Log& log, Position from, Interrupt& interrupt,
                        const Log::Visit& visit) {
  auto subscription = log.subscribe(from);
  auto wanted = [&] { return interrupt.wait({}) == Interrupt::Woken::by_time; };
  bool more = true;
  auto see = [&](const RecordedEvent& event) -> Result<bool> {
    auto seen = visit(event);
    more = seen && *seen && (event.position.value % events_between_asking != 0 || wanted());
    return seen ? Result<bool>(more) : seen;
  };
  while (more) {
    auto given = subscription.next(see, follow_interval);
    if (!given) return std::unexpected(given.error());
    if (!*given) std::fflush(stdout);
    more = more && wanted();
  }
  return {};
}

}  // namespace almanac
