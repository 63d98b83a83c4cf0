// What do a bucket of tokens and a mutex cost that know who holds them and whose waits always end?
// A try of the bucket, and a mutex taken and released, from 1 and from 4 threads, beside the
// plainest way: a counter behind a std::mutex, and a std::timed_mutex. Nanoseconds of processor
// time, the median of rounds.
//
//   --quick   20,000 of each, with figures that mean little
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/thread_cost.h>
#include <almanac/engine/timed_mutex.h>
#include <almanac/engine/token_bucket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr int rounds = 5;
constexpr double try_ns_max = 100;  // ten million a second

class LockedBucket {
 public:
  LockedBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}
  bool try_take() {
    const auto now = std::chrono::steady_clock::now();
    std::lock_guard guard(mutex_);
    const std::chrono::duration<double> passed = now - last_;
    tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  std::mutex mutex_;
  double per_second_;
  double burst_;
  double tokens_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

void report(const std::string& what, unsigned threads, std::vector<double> ours, std::string peer,
            std::vector<double> plain, double bar) {
  const std::string name =
      what + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  const double figure = median(std::move(ours));
  const double beside = median(std::move(plain));
  print({"resilience", name, figure, "ns", peer, beside});
  std::fprintf(stderr, "%-24s %7.1f ns", name.c_str(), figure);
  if (bar > 0) std::fprintf(stderr, " (bar %.0f)", bar);
  std::fprintf(stderr, "   %s %7.1f ns   ratio %.2f\n", peer.c_str(), beside, figure / beside);
}

void measure_bucket(std::uint64_t tries, unsigned threads) {
  std::vector<double> ours;
  std::vector<double> plain;
  for (int round = 0; round < rounds; ++round) {
    // Every second try is in vain.
    TokenBucket bucket("search", {.per_minute = 1, .burst = std::uint32_t(tries / 2)});
    LockedBucket locked(1.0 / 60, double(tries) / 2);
    std::atomic<std::uint64_t> taken = 0;
    ours.push_back(cost(tries, threads, [&](std::uint64_t) {
      if (bucket.try_take()) taken.fetch_add(1, std::memory_order_relaxed);
    }));
    require(taken == tries / 2, "the bucket gave another number of tokens than it had");
    plain.push_back(cost(tries, threads, [&](std::uint64_t) {
      if (locked.try_take()) taken.fetch_sub(1, std::memory_order_relaxed);
    }));
    require(taken == 0, "the locked bucket gave another number of tokens than it had");
  }
  report("token bucket", threads, std::move(ours), "one lock", std::move(plain), try_ns_max);
}

void measure_mutex(std::uint64_t times, unsigned threads) {
  std::vector<double> ours;
  std::vector<double> plain;
  for (int round = 0; round < rounds; ++round) {
    TimedMutex mutex("account");
    std::timed_mutex timed;
    std::uint64_t done = 0;
    ours.push_back(cost(times, threads, [&](std::uint64_t) {
      const auto held = mutex.lock();
      require(held.has_value(), "the mutex was not free in time");
      ++done;
    }));
    plain.push_back(cost(times, threads, [&](std::uint64_t) {
      const std::unique_lock held(timed, std::chrono::seconds(30));
      require(held.owns_lock(), "the timed mutex was not free in time");
      ++done;
    }));
    require(done == 2 * times, "two have held a mutex at once");
  }
  report("mutex", threads, std::move(ours), "std::timed_mutex", std::move(plain), 0);
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  for (const unsigned threads : {1U, 4U}) {
    measure_bucket(quick ? 20'000 : 8'000'000, threads);
    measure_mutex(quick ? 20'000 : 400'000, threads);
  }
  return 0;
}
