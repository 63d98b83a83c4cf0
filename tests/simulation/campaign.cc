#include <almanac/tests/simulation/campaign.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/log/hash.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

constexpr std::size_t violations_max = 5;

thread_local std::uint64_t current_seed = 0;

extern "C" void say_seed(int) {
  std::fprintf(stderr, "in the simulation of seed %llu\n",
               static_cast<unsigned long long>(current_seed));
}

std::uint64_t digest_of(std::uint64_t seed, std::uint64_t trace) {
  const std::array<std::uint64_t, 2> both = {seed, trace};
  return xxh3(std::as_bytes(std::span(both)));
}

}  // namespace

CampaignReport simulate_many(const Seeds& seeds) {
  set_verbosity(Verbosity::quiet);
  std::signal(SIGABRT, say_seed);
  CampaignReport report;
  std::mutex mutex;  // guards the report
  std::atomic<std::uint64_t> next = 0;
  auto work = [&] {
    for (auto index = next++; index < seeds.count; index = next++) {
      current_seed = seeds.first + index;
      const SimulatedRun run = simulate(current_seed);
      std::lock_guard guard(mutex);
      ++report.runs;
      report.events += run.events;
      report.tasks += run.tasks;
      report.engines += run.engines;
      report.digest += digest_of(current_seed, run.trace);
      report.coverage.add(run.coverage);
      if (!run.violation.empty()) report.violations[current_seed] = run.violation;
      if (report.violations.size() == violations_max) next = seeds.count;
    }
  };
  std::vector<std::jthread> threads;
  const auto processors = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < processors; ++i) threads.emplace_back(work);
  threads.clear();
  std::signal(SIGABRT, SIG_DFL);
  return report;
}

}  // namespace almanac::test
