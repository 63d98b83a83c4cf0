// Requirement C11: locks that always time out and say who holds them, a lock for readers and
// writers, a semaphore, for threads and for coroutines, as scopes. Its bucket of tokens:
// token_bucket_test.cc.
#include <almanac/engine/timed_mutex.h>
#include <almanac/engine/timed_semaphore.h>
#include <almanac/engine/timed_shared_mutex.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/manual_steady_clock.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

void expect_within(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << '"' << part << "\" is not in: " << text;
}

// Until so many wait in the line of the lock.
template <class Lock>
void await_waiting(const Lock& lock, std::size_t count) {
  while (lock.waiting() != count) std::this_thread::yield();
}

// What is done, in order, by whichever thread.
class ToldStory {
 public:
  void add(std::string what) {
    std::lock_guard guard(mutex_);
    told_.push_back(std::move(what));
  }
  [[nodiscard]] std::vector<std::string> told() const {
    std::lock_guard guard(mutex_);
    return told_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> told_;
};

using Told = std::vector<std::string>;

TEST(RequirementC11, EveryWaitEndsWithoutBeingToldTo) {
  EXPECT_EQ(LockOptions().timeout, 30s);
  TimedMutex mutex("account");
  EXPECT_EQ(code_of(mutex.lock({.timeout = Duration::max()})), "invalid");
  EXPECT_EQ(code_of(mutex.lock({.timeout = limits::wait_max + 1us})), "invalid");
  EXPECT_EQ(code_of(mutex.lock({.timeout = -1us})), "invalid");
}

TEST(RequirementC11, ATimeOutSaysWhoHoldsTheLockSinceWhenAndWhere) {
  TimedMutex mutex("account");
  const int line = __LINE__ + 1;
  auto held = mutex.lock();
  ASSERT_TRUE(held);
  std::jthread([&] {
    const auto refused = mutex.lock({.timeout = 1ms});
    ASSERT_EQ(code_of(refused), "timed_out");
    const std::string& said = refused.error().message;
    expect_within(said, "mutex \"account\" was not free within 0.001 s");
    expect_within(said, "thread " + std::to_string(::getpid()) + " (");
    expect_within(said, "taken at requirement_c11_test.cc:" + std::to_string(line));
    expect_within(said, "since 20");
  }).join();
  const auto holder = mutex.holder();
  ASSERT_TRUE(holder);
  EXPECT_EQ(int(holder->taken_at.line()), line);
  EXPECT_GE(holder->held_for, 1ms);
  held->release();
  EXPECT_FALSE(mutex.holder());
  EXPECT_TRUE(mutex.lock({.timeout = 0s}));
}

TEST(RequirementC11, AScopeReleasesAndCanBePassedOn) {
  TimedMutex mutex("account");
  {
    auto held = mutex.try_lock();
    ASSERT_TRUE(held);
    EXPECT_FALSE(mutex.try_lock());
    LockHold other = *std::move(held);
    held.reset();
    EXPECT_FALSE(mutex.try_lock());
    TimedMutex second("second");
    other = *second.try_lock();  // releases the first
    EXPECT_TRUE(mutex.try_lock());
    other.release();
    EXPECT_FALSE(second.holder());
  }
  EXPECT_TRUE(mutex.try_lock());
}

TEST(RequirementC11, TakingALockAgainIsAnErrorAtOnce) {
  TimedMutex mutex("account");
  const auto held = mutex.lock();
  const auto again = mutex.lock();
  EXPECT_EQ(code_of(again), "invalid");
  expect_within(again.error().message, "this thread holds mutex \"account\" already");

  TimedSharedMutex shared("table");
  {
    const auto reads = shared.lock_shared();
    EXPECT_EQ(code_of(shared.lock()), "invalid");
    EXPECT_EQ(code_of(shared.lock_shared()), "invalid");
  }
  const auto writes = shared.lock();
  EXPECT_EQ(code_of(shared.lock_shared()), "invalid");

  TimedSemaphore semaphore("doors", 2);
  const auto one = semaphore.acquire();
  EXPECT_TRUE(semaphore.acquire());
}

TEST(RequirementC11, ThoseThatWaitAreServedInTheOrderInWhichTheyCame) {
  TimedMutex mutex("account");
  ToldStory story;
  std::vector<std::jthread> threads;
  auto held = mutex.lock();
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const auto mine = mutex.lock();
      ASSERT_TRUE(mine);
      story.add(std::to_string(i));
    });
    await_waiting(mutex, std::size_t(i) + 1);
  }
  held->release();
  threads.clear();
  EXPECT_EQ(story.told(), (Told{"0", "1", "2", "3", "4", "5", "6", "7"}));
}

TEST(RequirementC11, ReadersReadTogetherAndNoneOfThemPassesAWriter) {
  TimedSharedMutex shared("table");
  ToldStory story;
  auto first = shared.lock_shared();
  ASSERT_TRUE(first);
  std::jthread([&] { EXPECT_TRUE(shared.lock_shared({.timeout = 0s})); }).join();

  std::jthread writer([&] {
    const auto held = shared.lock();
    ASSERT_TRUE(held);
    EXPECT_FALSE(shared.try_lock_shared());
    story.add("writer");
  });
  await_waiting(shared, 1);
  EXPECT_FALSE(shared.try_lock_shared());
  std::jthread reader([&] {
    const auto held = shared.lock_shared();
    ASSERT_TRUE(held);
    story.add("reader");
  });
  await_waiting(shared, 2);
  first->release();
  writer.join();
  reader.join();
  EXPECT_EQ(story.told(), (Told{"writer", "reader"}));
  EXPECT_TRUE(shared.holders().empty());
}

TEST(RequirementC11, WhoGivesUpIsInNobodysWay) {
  TimedSharedMutex shared("table");
  const auto first = shared.lock_shared();
  std::stop_source stop;
  std::jthread writer(
      [&] { EXPECT_EQ(code_of(shared.lock({.stop = stop.get_token()})), "stopped"); });
  await_waiting(shared, 1);
  std::jthread reader([&] { EXPECT_TRUE(shared.lock_shared()); });
  await_waiting(shared, 2);
  stop.request_stop();
  reader.join();  // beside the first one, which holds it still
  writer.join();
  EXPECT_EQ(shared.waiting(), 0U);
  EXPECT_EQ(shared.holders().size(), 1U);
  EXPECT_EQ(code_of(shared.lock({.stop = stop.get_token()})), "stopped");

  std::jthread([&] { EXPECT_EQ(code_of(shared.lock({.timeout = 1ms})), "timed_out"); }).join();
  std::jthread([&] { EXPECT_TRUE(shared.lock_shared({.timeout = 0s})); }).join();
}

TEST(RequirementC11, OfASemaphoreWhoWantsManyIsNotPassedByThoseWhoWantOne) {
  TimedSemaphore semaphore("doors", 3);
  EXPECT_EQ(code_of(semaphore.acquire(0)), "invalid");
  EXPECT_EQ(code_of(semaphore.acquire(4)), "invalid");
  ToldStory story;
  auto two = semaphore.acquire(2);
  std::jthread many([&] {
    const auto held = semaphore.acquire(3);
    ASSERT_TRUE(held);
    story.add("many");
  });
  await_waiting(semaphore, 1);
  EXPECT_FALSE(semaphore.try_acquire());
  std::jthread few([&] {
    const auto held = semaphore.acquire();
    ASSERT_TRUE(held);
    story.add("few");
  });
  await_waiting(semaphore, 2);
  EXPECT_EQ(semaphore.holders().front().units, 2U);
  two->release();
  many.join();
  few.join();
  EXPECT_EQ(story.told(), (Told{"many", "few"}));
  EXPECT_TRUE(semaphore.try_acquire(3));
}

// Coroutines on a loop whose time is the test's.
class RequirementC11OnALoop : public testing::Test {
 protected:
  using Wait = std::function<LockAwaiter()>;
  Async<void> take(std::string who, Wait wait, Duration hold = Duration(0)) {
    auto held = co_await wait();
    EXPECT_TRUE(loop.is_here());
    story.add(who + " " + std::string(code_of(held)));
    if (held && hold > Duration(0)) co_await loop.sleep(hold);
  }
  void pass(Duration time) {
    clock.advance(time);
    loop.run_ready();
  }

  ManualSteadyClock clock;
  CoroutineLoop loop{[this] { return clock.now(); }};
  ToldStory story;
};

TEST_F(RequirementC11OnALoop, CoroutinesWaitInTheLineOfThreads) {
  TimedMutex mutex("account");
  auto held = mutex.try_lock();
  loop.start(take("first", [&] { return mutex.lock_on(loop); }, 1s));
  loop.run_ready();
  std::jthread thread([&] {
    const auto mine = mutex.lock();
    ASSERT_TRUE(mine);
    story.add("thread");
  });
  await_waiting(mutex, 2);
  loop.start(take("second", [&] { return mutex.lock_on(loop); }));
  loop.run_ready();
  EXPECT_EQ(mutex.waiting(), 3U);
  held->release();
  loop.run_ready();
  EXPECT_EQ(mutex.holder()->who, "a coroutine");
  EXPECT_EQ(story.told(), (Told{"first ok"}));
  pass(1s);
  thread.join();
  loop.run_ready();
  EXPECT_EQ(story.told(), (Told{"first ok", "thread", "second ok"}));
}

TEST_F(RequirementC11OnALoop, CoroutinesTimeOutAndAreStopped) {
  TimedSharedMutex shared("table");
  auto held = shared.try_lock();
  std::stop_source stop;
  loop.start(take("late", [&] { return shared.lock_on(loop, {.timeout = 5s}); }));
  loop.start(take("told", [&] { return shared.lock_shared_on(loop, {.stop = stop.get_token()}); }));
  loop.start(take("asks too much", [&] { return shared.lock_on(loop, {.timeout = -1s}); }));
  loop.run_ready();
  EXPECT_EQ(story.told(), (Told{"asks too much invalid"}));
  pass(5s - 1us);
  EXPECT_EQ(shared.waiting(), 2U);
  pass(1us);
  std::jthread([&] { stop.request_stop(); }).join();
  EXPECT_EQ(shared.waiting(), 0U);
  loop.run_ready();
  EXPECT_EQ(story.told(), (Told{"asks too much invalid", "late timed_out", "told stopped"}));
}

TEST_F(RequirementC11OnALoop, AStopAndATimeOutAtOnceEndAWaitOnce) {
  TimedMutex mutex("account");
  const auto held = mutex.try_lock();
  std::stop_source stop;
  loop.start(
      take("told", [&] { return mutex.lock_on(loop, {.timeout = 5s, .stop = stop.get_token()}); }));
  loop.run_ready();
  stop.request_stop();
  pass(5s);
  EXPECT_EQ(story.told(), (Told{"told stopped"}));
}

TEST_F(RequirementC11OnALoop, ASemaphoreLetsSoManyIn) {
  TimedSemaphore semaphore("doors", 2);
  for (const char* who : {"one", "two", "three"}) {
    loop.start(take(who, [&] { return semaphore.acquire_on(loop); }, 1s));
  }
  loop.run_ready();
  EXPECT_EQ(story.told(), (Told{"one ok", "two ok"}));
  pass(1s);
  EXPECT_EQ(story.told(), (Told{"one ok", "two ok", "three ok"}));
  pass(1s);
  EXPECT_TRUE(semaphore.holders().empty());
}

// Of what every taker sees: never two writers, never a writer beside a reader.
class LockTable {
 public:
  void read() {
    EXPECT_EQ(writers_, 0);
    ++read_;
  }
  void write() {
    EXPECT_EQ(++writers_, 1);
    ++written_;  // what the thread sanitizer looks at
    --writers_;
  }

 private:
  std::atomic<int> writers_ = 0;
  std::atomic<int> read_ = 0;
  int written_ = 0;
};

Async<void> use_table(CoroutineLoop& loop, TimedSharedMutex& shared, LockTable& table, int times) {
  for (int i = 0; i < times; ++i) {
    const LockOptions options{.timeout = Duration(i % 3 * 50)};
    if (i % 4 == 0) {
      const auto held = co_await shared.lock_on(loop, options);
      if (held) table.write();
    } else {
      const auto held = co_await shared.lock_shared_on(loop, options);
      if (held) table.read();
    }
  }
}

TEST(RequirementC11, ManyThatWaitGiveUpAndStopLeaveTheLockFree) {
  TimedSharedMutex shared("table");
  LockTable table;
  constexpr int times = 10'000;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < times; ++i) {
        std::stop_source stop;
        std::jthread stops;
        if (i % 100 == 0) stops = std::jthread([&] { stop.request_stop(); });
        const LockOptions options{.timeout = Duration((i + t) % 3 * 50), .stop = stop.get_token()};
        if ((i + t) % 3 == 0) {
          if (const auto held = shared.lock(options)) table.write();
        } else {
          if (const auto held = shared.lock_shared(options)) table.read();
        }
      }
    });
  }
  threads.emplace_back([&] {
    CoroutineLoop loop;
    for (int c = 0; c < 4; ++c) loop.start(use_table(loop, shared, table, times));
    loop.run();
  });
  threads.clear();
  EXPECT_EQ(shared.waiting(), 0U);
  EXPECT_TRUE(shared.try_lock());
}

TEST(RequirementC11, TheExampleDoesWhatItSays) {
  ChildProcess program({program_path("example_locks")});
  expect_within(program.read_line(), "mutex \"account\" was not free within 0.010 s: thread ");
  EXPECT_EQ(program.read_line(), "balance 100");
  expect_within(program.read_line(), "this thread holds shared mutex \"prices\" already");
  for (const char* call : {"call 1", "call 2", "call 3", "call 4"}) {
    EXPECT_EQ(program.read_line(), call);
  }
  EXPECT_EQ(program.wait(), 0);
}

}  // namespace
}  // namespace almanac::test
