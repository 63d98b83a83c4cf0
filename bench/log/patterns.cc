#include <almanac/bench/log/patterns.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <thread>

namespace almanac::bench {
namespace {

using Clock = std::chrono::steady_clock;

float micros_since(Clock::time_point began) {
  return std::chrono::duration<float, std::micro>(Clock::now() - began).count();
}

// The groups of one round, made before the clock runs.
std::vector<Bytes> events_from(const Payloads& payloads, std::uint64_t first, std::size_t count) {
  std::vector<Bytes> events;
  events.reserve(count);
  for (std::size_t i = 0; i < count; ++i) events.push_back(payloads.at(first + i));
  return events;
}

void run_blocking(Subject& subject, std::span<const Bytes> events, std::size_t group_size,
                  std::vector<float>& latencies_us) {
  for (; !events.empty(); events = events.subspan(group_size)) {
    const auto began = Clock::now();
    subject.append(events.first(group_size));
    latencies_us.push_back(micros_since(began));
  }
}

void run_window(Asynchronous& subject, std::span<const Bytes> events, std::uint64_t before,
                const Case& of, std::vector<float>& latencies_us) {
  const auto size = of.events_per_append;
  require(size > 0 && of.in_flight > 0, "a window without room");
  std::vector<Clock::time_point> began(of.in_flight);
  std::size_t posted = 0;
  std::size_t durable = 0;
  while (durable < of.appends) {
    for (; posted < of.appends && posted - durable < of.in_flight; ++posted) {
      began[posted % of.in_flight] = Clock::now();
      subject.post(events.subspan(posted * size, size));
    }
    // An append is on disk with its last event.
    const auto through = subject.wait_beyond(before + (durable + 1) * size - 1);
    for (; durable < (through - before) / size; ++durable) {
      latencies_us.push_back(micros_since(began[durable % of.in_flight]));
    }
  }
}

double run_threads(Subject& subject, std::span<const Bytes> events, const Case& of,
                   std::vector<float>& latencies_us) {
  latencies_us.resize(of.appends);
  std::atomic<std::size_t> next{0};
  std::latch ready(static_cast<std::ptrdiff_t>(of.in_flight) + 1);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < of.in_flight; ++i) {
    threads.emplace_back([&] {
      ready.arrive_and_wait();
      for (auto mine = next++; mine < of.appends; mine = next++) {
        const auto began = Clock::now();
        subject.append_shared(events[mine]);
        latencies_us[mine] = micros_since(began);
      }
    });
  }
  ready.arrive_and_wait();
  const auto began = Clock::now();
  threads.clear();  // joins
  return std::chrono::duration<double>(Clock::now() - began).count();
}

}  // namespace

Timed run_pattern(Subject& subject, const Case& of, const Payloads& payloads) {
  Timed timed;
  const auto before = subject.count();
  const auto events = events_from(payloads, before, of.appends * of.events_per_append);
  timed.latencies_us.reserve(of.appends);
  const auto began = Clock::now();
  if (of.pattern == Pattern::threads) {
    timed.seconds = run_threads(subject, events, of, timed.latencies_us);
    return timed;
  }
  if (of.pattern == Pattern::window && subject.asynchronous() != nullptr) {
    run_window(*subject.asynchronous(), events, before, of, timed.latencies_us);
  } else {
    auto size = of.events_per_append;
    if (of.pattern == Pattern::window) size *= of.in_flight;
    run_blocking(subject, events, size, timed.latencies_us);
  }
  if (of.closes) subject.close();
  timed.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return timed;
}

}  // namespace almanac::bench
