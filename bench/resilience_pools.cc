// How long does a check-out of a pool take, alone and with 64 threads on 5 instances that do
// nothing with them, or give up the processor while they have one, so that there is always a line?
// Beside the plainest pool: a lock, a condition and a list, with no order among
// those who wait, nothing that ends and nothing that is counted. The 99th of 100 check-outs.
//
//   --quick   20,000 check-outs, with figures that mean little
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/stopwatch.h>
#include <almanac/engine/pool.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr std::size_t instances = 5;
constexpr int rounds = 5;

struct Instance {
  std::atomic<int> users = 0;
  std::uint64_t uses = 0;

  // Nobody else may do so at the same time.
  void use(bool is_long) {
    require(users.fetch_add(1) == 0, "an instance has two users");
    if (is_long) std::this_thread::yield();
    ++uses;
    --users;
  }
};

class LockedPool {
 public:
  LockedPool() {
    for (Instance& instance : all_) idle_.push_back(&instance);
  }
  Instance* check_out() {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, std::chrono::seconds(30), [&] { return !idle_.empty(); })) {
      return nullptr;
    }
    Instance* instance = idle_.back();
    idle_.pop_back();
    return instance;
  }
  void give_back(Instance* instance) {
    {
      std::lock_guard guard(mutex_);
      idle_.push_back(instance);
    }
    returned_.notify_one();
  }

 private:
  std::array<Instance, instances> all_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Instance*> idle_;
};

struct Figures {
  double middle = 0;  // of a check-out, in nanoseconds
  double late = 0;    // the 99th of 100
  double longest = 0;
  double rate = 0;  // uses a second
};

template <class Use>
Figures measure(std::uint64_t check_outs, unsigned threads, const Use& use) {
  std::vector<std::vector<double>> took(threads);
  const Stopwatch whole;
  std::latch begin(threads);
  {
    std::vector<std::jthread> all;
    for (std::vector<double>& own : took) {
      all.emplace_back([&] {
        own.reserve(check_outs / threads);
        begin.arrive_and_wait();
        for (std::uint64_t n = 0; n < check_outs / threads; ++n) own.push_back(use());
      });
    }
  }
  const double seconds = whole.seconds();
  std::vector<double> each;
  for (const auto& own : took) each.insert(each.end(), own.begin(), own.end());
  std::ranges::sort(each);
  return {each[each.size() / 2], each[each.size() * 99 / 100], each.back(),
          double(each.size()) / seconds};
}

double use_pool(Pool<Instance>& pool, bool is_long) {
  const Stopwatch watch;
  auto loan = pool.check_out();
  const double took = double(watch.elapsed().count());
  require(loan.has_value(), "a check-out has failed");
  (*loan)->use(is_long);
  return took;
}

double use_locked(LockedPool& pool, bool is_long) {
  const Stopwatch watch;
  Instance* instance = pool.check_out();
  const double took = double(watch.elapsed().count());
  require(instance != nullptr, "a check-out of the plainest pool has failed");
  instance->use(is_long);
  pool.give_back(instance);
  return took;
}

void report(const std::string& name, const std::vector<Figures>& ours,
            const std::vector<Figures>& plain, double bar_us) {
  const auto middle = [](const std::vector<Figures>& all, double Figures::* figure) {
    std::vector<double> values;
    for (const Figures& each : all) values.push_back(each.*figure);
    return median(values);
  };
  const auto line = [&](std::string_view what, double Figures::* figure, double scale,
                        const std::string& unit) {
    print({"resilience_pools", name + ", " + std::string(what), middle(ours, figure) * scale, unit,
           "lock and condition", middle(plain, figure) * scale});
  };
  line("median", &Figures::middle, 1e-3, "us/check-out");
  line("p99", &Figures::late, 1e-3, "us/check-out");
  line("longest", &Figures::longest, 1e-3, "us/check-out");
  line("rate", &Figures::rate, 1, "uses/s");
  std::fprintf(stderr, "%-18s p99 %9.2f us (bar %.0f)   lock and condition %9.2f us\n",
               name.c_str(), middle(ours, &Figures::late) * 1e-3, bar_us,
               middle(plain, &Figures::late) * 1e-3);
}

struct Case {
  std::string name;
  unsigned threads = 1;
  bool is_long = false;  // whether an instance is kept for as long as others may want it
  double bar_us = 0;
};

void compare(const Case& one, std::uint64_t check_outs) {
  const unsigned threads = one.threads;
  std::vector<Figures> ours;
  std::vector<Figures> plain;
  for (int round = 0; round < rounds; ++round) {
    auto pool = Pool<Instance>::open({.size = instances, .timeout = std::chrono::seconds(30)},
                                     {.create = [] { return std::make_unique<Instance>(); }});
    require(pool.has_value() && pool->warm_up(std::chrono::seconds(30)), "there is no pool");
    ours.push_back(measure(check_outs, threads, [&] { return use_pool(*pool, one.is_long); }));
    const PoolFigures figures = pool->figures();
    require(figures.check_outs == check_outs / threads * threads && figures.in_use == 0,
            "the pool has lost check-outs");
    LockedPool locked;
    plain.push_back(measure(check_outs, threads, [&] { return use_locked(locked, one.is_long); }));
  }
  report(one.name, ours, plain, one.bar_us);
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const std::uint64_t check_outs = quick ? 20'000 : 400'000;
  compare({.name = "1 thread", .threads = 1, .bar_us = 5}, check_outs);
  compare({.name = "64 threads", .threads = 64, .bar_us = 5'000}, check_outs);
  compare({.name = "64 threads in line", .threads = 64, .is_long = true, .bar_us = 5'000},
          check_outs / 4);
  return 0;
}
