#include <almanac/bench/snapshots/appends.h>

#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>

namespace almanac::bench {
namespace {

constexpr std::size_t batch_events = 64;

Event tick() { return {.body = CustomEvent{"tick", as_bytes("some data")}}; }

}  // namespace

std::vector<double> append_while(Log& log, const std::function<bool()>& goes_on) {
  std::vector<double> microseconds;
  while (goes_on()) {
    const Stopwatch watch;
    auto done = log.append_and_wait(tick());
    require(done.has_value(), done ? "" : describe(done.error()));
    microseconds.push_back(watch.seconds() * 1e6);
  }
  return microseconds;
}

double append_rate(Log& log, double seconds) {
  const std::vector<Event> batch(batch_events, tick());
  const Stopwatch watch;
  std::uint64_t events = 0;
  while (watch.seconds() < seconds) {
    auto done = log.append_and_wait(batch, {.durability = Durability::grouped});
    require(done.has_value(), done ? "" : describe(done.error()));
    events += batch.size();
  }
  auto durable = log.append_and_wait(tick());
  require(durable.has_value(), durable ? "" : describe(durable.error()));
  return static_cast<double>(events) / watch.seconds();
}

}  // namespace almanac::bench
