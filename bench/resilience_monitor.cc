// What does a monitor add to an operation? Begun and ended through a monitor, from 1 and from 8
// threads on one name, beside the plainest way: the same counts, histogram and window behind one
// lock. One in a hundred fails, with a text that the rules for errors read. Nanoseconds, of
// processor time where threads share processors, the median of rounds.
//
//   --quick   20,000 operations, with figures that mean little
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/thread_cost.h>
#include <almanac/engine/duration_histogram.h>
#include <almanac/engine/monitor.h>
#include <almanac/projections/circuits.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr double monitor_ns_max = 150;
constexpr int rounds = 5;
constexpr std::uint64_t failing = 100;
constexpr std::string_view why = "cannot ask the index: connection refused by 10.0.0.7, port 443";

class LockedMonitor {
 public:
  [[nodiscard]] std::chrono::nanoseconds begin() const {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
  void end(std::chrono::nanoseconds began, bool succeeded) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    std::lock_guard guard(mutex_);
    ++(succeeded ? succeeded_ : failed_);
    sum_ += now - began;
    longest_ = std::max(longest_, now - began);
    durations_.add(DurationHistogram::bucket_of(now - began), 1);
    window_.add({succeeded ? 1U : 0U, succeeded ? 0U : 1U}, std::chrono::minutes(5),
                Time(std::chrono::duration_cast<Duration>(now)));
    if (!succeeded) matching_ += patterns_.matching(why).size();
  }
  [[nodiscard]] std::uint64_t ended() const { return succeeded_ + failed_; }

 private:
  std::mutex mutex_;
  ErrorPatterns patterns_ = *ErrorPatterns::make(default_error_rules());
  std::uint64_t succeeded_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t matching_ = 0;
  std::chrono::nanoseconds sum_{0};
  std::chrono::nanoseconds longest_{0};
  DurationHistogram durations_;
  CircuitWindow window_;
};

void measure(std::uint64_t operations, unsigned threads) {
  auto monitor = *Monitor::make({});
  OperationMonitor& ask = monitor->operation("ask");
  LockedMonitor locked;
  std::vector<double> ours;
  std::vector<double> plain;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(cost(operations, threads, [&](std::uint64_t n) {
      TrackedOperation tracked = ask.begin();
      n % failing != 0 ? tracked.succeeded() : tracked.failed(why);
    }));
    plain.push_back(cost(operations, threads, [&](std::uint64_t n) {
      locked.end(locked.begin(), n % failing != 0);
    }));
  }
  const OperationReport report = ask.report();
  require(report.succeeded + report.failed == rounds * operations, "operations were lost");
  require(report.errors.back().total == report.failed, "an error was not recognised");
  require(locked.ended() == rounds * operations, "the locked monitor has lost operations");
  const std::string name =
      "monitor, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  const double figure = median(ours);
  print({"resilience", name, figure, "ns/operation", "one lock", median(plain)});
  std::fprintf(stderr, "%-22s %7.1f ns (bar %.0f)   one lock %7.1f ns   ratio %.2f\n", name.c_str(),
               figure, monitor_ns_max, median(plain), figure / median(plain));
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  for (unsigned threads : {1U, 8U}) measure(quick ? 20'000 : 4'000'000, threads);
  return 0;
}
