// What does it cost to go through what keeps a program from services that fail? A check of a
// circuit and the result recorded with it, from 1 and from 8 threads on one circuit, beside the
// plainest way: the same rules behind one lock, with nothing kept. Nanoseconds, of processor time
// where threads share processors, the median of rounds.
//
//   --quick   20,000 requests, with figures that mean little
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/thread_cost.h>
#include <almanac/engine/engine.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr double circuit_ns_max = 200;
constexpr int rounds = 5;
// One in so many fails.
constexpr std::uint64_t failing = 100;

// Closed, with a window, counts and a look at the clock for each of the two, as the circuit has.
class LockedCircuit {
 public:
  std::optional<Time> allow() {
    const Time now = system_time();
    std::lock_guard guard(mutex_);
    if (state_ == CircuitState::open) return std::nullopt;
    return now;
  }
  void record(bool succeeded, Time began) {
    const Time now = system_time();
    std::lock_guard guard(mutex_);
    window_.add({succeeded ? 1U : 0U, succeeded ? 0U : 1U}, setting_.window, now);
    ++(succeeded ? successes_ : failures_);
    took_ += now - began;
    in_row_ = succeeded ? 0 : in_row_ + 1;
    const auto [successes, failures] = window_.sum();
    const bool too_many = successes + failures >= setting_.requests_min &&
                          failures * 1'000 >= (successes + failures) * setting_.failure_permille;
    if (too_many || in_row_ >= setting_.consecutive_failures) state_ = CircuitState::open;
  }
  [[nodiscard]] std::uint64_t requests() const { return successes_ + failures_; }

 private:
  std::mutex mutex_;
  CircuitState state_ = CircuitState::closed;
  CircuitSetting setting_;
  CircuitWindow window_;
  std::uint64_t successes_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t in_row_ = 0;
  Duration took_{0};
};

std::uint64_t requests_in(const Engine& engine) {
  const auto state = engine.state();
  const auto id = state->names.find("search");
  const Circuit circuit = id ? circuit_of(state->circuits, *id) : Circuit();
  require(circuit.trips == 0, "the circuit has opened");
  return circuit.successes + circuit.failures;
}

void measure(Engine& engine, std::uint64_t requests, unsigned threads) {
  CircuitGate& gate = **engine.circuit("search");
  LockedCircuit locked;
  std::vector<double> ours;
  std::vector<double> plain;
  const std::uint64_t before = requests_in(engine);
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(cost(requests, threads, [&](std::uint64_t n) {
      const bool succeeds = n % failing != 0;
      auto permit = gate.allow();
      require(permit.has_value(), "a request was refused");
      succeeds ? permit->succeeded() : permit->failed();
    }));
    plain.push_back(cost(requests, threads, [&](std::uint64_t n) {
      const bool succeeds = n % failing != 0;
      const auto began = locked.allow();
      require(began.has_value(), "a request was refused");
      locked.record(succeeds, *began);
    }));
  }
  require(locked.requests() == rounds * requests, "the locked circuit has lost requests");
  require(
      engine.wait([&](const State&) { return requests_in(engine) == before + rounds * requests; },
                  std::chrono::seconds(30)),
      "the circuit has lost requests");
  const std::string name =
      "circuit, " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  const double figure = median(ours);
  print({"resilience", name, figure, "ns/request", "one lock", median(plain)});
  std::fprintf(stderr, "%-22s %7.1f ns (bar %.0f)   one lock %7.1f ns   ratio %.2f\n", name.c_str(),
               figure, circuit_ns_max, median(plain), figure / median(plain));
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const std::uint64_t requests = quick ? 20'000 : 4'000'000;
  const auto folder = std::filesystem::canonical("/proc/self/exe").parent_path() /
                      ("bench_resilience." + std::to_string(::getpid()));
  {
    auto engine = Engine::open({.folder = folder});
    require(engine.has_value(), "the engine does not open");
    for (unsigned threads : {1U, 8U}) measure(**engine, requests, threads);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
