// Locks whose waits always end, for threads and coroutines, and a rate of the program's own.
#include <almanac/engine/timed_mutex.h>
#include <almanac/engine/timed_semaphore.h>
#include <almanac/engine/timed_shared_mutex.h>
#include <almanac/engine/token_bucket.h>

#include <chrono>
#include <cstdio>
#include <thread>

namespace {

using namespace std::chrono_literals;
using namespace almanac;

// [threads]
// Moves money from one account to another, for at most two seconds.
Result<void> move_money(TimedMutex& account, long& balance, long amount) {
  auto held = account.lock({.timeout = 2s});  // 30 s unless told otherwise
  if (!held) return std::unexpected(held.error());
  balance += amount;
  return {};  // the hold ends here, and with it the lock
}
// [threads]

// [coroutines]
// A coroutine of the loop: it waits for a place and for a token, and keeps no thread from working.
Async<void> call(CoroutineLoop& loop, TimedSemaphore& places, TokenBucket& calls, int number) {
  auto place = co_await places.acquire_on(loop);
  auto token = co_await calls.take_on(loop, {.timeout = 10s});
  if (!place || !token || !*token) co_return;
  std::printf("call %d\n", number);
  co_await loop.sleep(1ms);
}

void call_all() {
  CoroutineLoop loop;
  TimedSemaphore places("search", 2);
  TokenBucket calls("search", {.per_minute = 6'000, .burst = 2});
  for (int number = 1; number <= 4; ++number) loop.start(call(loop, places, calls, number));
  loop.run();  // this thread is the loop's until all have ended
}
// [coroutines]

}  // namespace

int main() {
  TimedMutex account("account");
  long balance = 0;
  {
    auto held = account.lock();
    std::jthread([&] {
      auto held_too_long = account.lock({.timeout = 10ms});
      std::printf("%s\n", describe(held_too_long.error()).c_str());
    }).join();
  }
  if (auto moved = move_money(account, balance, 100); !moved) return 1;
  std::printf("balance %ld\n", balance);

  // [shared]
  TimedSharedMutex prices("prices");
  if (auto reads = prices.lock_shared()) {
    auto writes = prices.lock();  // this thread reads: an error at once, not a wait for itself
    std::printf("%s\n", writes ? "written" : describe(writes.error()).c_str());
  }
  // [shared]
  call_all();
  return 0;
}
