// Threads that fight for instances which die, are slow, cannot be made and do not answer: never two
// users of one, and none is lost.
#include <almanac/engine/pool.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr int threads_max = 64;
constexpr std::size_t size = 5;
constexpr std::size_t temporary_max = 3;

struct Census {
  std::atomic<int> alive = 0;
  std::atomic<int> alive_max = 0;
  std::atomic<int> shared = 0;  // times that one had two users
  std::atomic<std::uint64_t> uses = 0;
  std::atomic<std::uint64_t> refusals = 0;
  std::atomic<std::uint32_t> chance = 1;

  // True once in so many times, in all threads together.
  bool strikes(std::uint32_t once_in) { return ++chance % once_in == 0; }
};

class Mortal {
 public:
  explicit Mortal(Census& census) : census_(census) {
    const int alive = ++census_.alive;
    int most = census_.alive_max;
    while (alive > most && !census_.alive_max.compare_exchange_weak(most, alive)) {}
  }
  ~Mortal() {
    if (users_ != 0) ++census_.shared;
    --census_.alive;
  }
  void enter() {
    if (++users_ != 1) ++census_.shared;
  }
  void leave() { --users_; }

 private:
  Census& census_;
  std::atomic<int> users_ = 0;
};

PoolOptions options() {
  return {.size = size,
          .temporary_max = temporary_max,
          .temporary_after = 1ms,
          .timeout = 30s,
          .uses_max = 1'000,
          .error_rules = {{.pattern = "dead"}},
          .probe_interval = Duration(200),
          .backoff = Duration(50),
          .backoff_max = 1ms};
}

Pool<Mortal> open(Census& census, std::function<void(const PoolEvent&)> on_event) {
  PoolOptions all = options();
  all.on_event = std::move(on_event);
  return std::move(
      *Pool<Mortal>::open(std::move(all), {.create = [&]() -> Result<std::unique_ptr<Mortal>> {
                                             if (census.strikes(7))
                                               return fail(ErrorCode::io, "not today");
                                             return std::make_unique<Mortal>(census);
                                           },
                                           .probe = [&](Mortal& mortal) -> Result<void> {
                                             mortal.enter();
                                             mortal.leave();
                                             if (census.strikes(11))
                                               return fail(ErrorCode::io, "no answer");
                                             return {};
                                           }}));
}

void use(PoolLoan<Mortal>& loan, Census& census) {
  loan->enter();
  ++census.uses;
  loan->leave();
  if (census.strikes(97)) loan.failed("dead");
  if (census.strikes(301)) loan.discard("enough of it");
}

// By threads, but for some of the check-outs that are callbacks.
void fight(Pool<Mortal>& pool, Census& census, std::uint64_t times) {
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_max; ++i) {
    threads.emplace_back([&, times] {
      for (std::uint64_t n = 0; n < times; ++n) {
        if (n % 16 == 0) {
          pool.check_out([&](Result<PoolLoan<Mortal>> loan) {
            loan ? use(*loan, census) : void(++census.refusals);
          });
          continue;
        }
        auto loan = pool.check_out(n % 17 == 0 ? Duration(30) : Duration(30s));
        loan ? use(*loan, census) : void(++census.refusals);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(PoolStress, NeverTwoUsersOfOneAndNoneIsLost) {
  const std::uint64_t all = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? 10'000'000 : 150'000;
  const std::uint64_t times = all / threads_max;
  Census census;
  std::uint64_t created = 0;
  std::uint64_t retired = 0;
  std::vector<bool> is_alive(1);
  bool is_in_order = true;
  const auto on_event = [&](const PoolEvent& event) {
    if (event.kind == PoolEvent::Kind::created) {
      is_in_order = is_in_order && event.instance == ++created;
      is_alive.push_back(true);
    } else if (event.kind == PoolEvent::Kind::retired) {
      ++retired;
      is_in_order = is_in_order && is_alive[event.instance];
      is_alive[event.instance] = false;
    }
  };
  PoolFigures figures;
  {
    auto pool = open(census, on_event);
    fight(pool, census, times);
    // What callbacks wait for comes yet.
    while (census.uses + census.refusals < times * threads_max) std::this_thread::yield();
    ASSERT_TRUE(pool.warm_up(30s));
    figures = pool.figures();
  }
  EXPECT_EQ(census.shared, 0);
  EXPECT_EQ(census.alive, 0);
  EXPECT_LE(census.alive_max, int(size + temporary_max));
  EXPECT_EQ(figures.check_outs, census.uses);
  EXPECT_EQ(figures.timeouts, census.refusals);
  EXPECT_EQ(figures.in_use, 0U);
  EXPECT_EQ(figures.events_untold, 0U);
  EXPECT_TRUE(is_in_order) << "each is made once, and goes once, later";
  EXPECT_EQ(created, retired);
  EXPECT_GE(created, figures.created);
  EXPECT_GT(figures.created, times / 10) << "they die often enough";
}

}  // namespace
}  // namespace almanac::test
