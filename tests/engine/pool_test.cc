// A pool as programs use it: who waits and how, what is called where, and its end.
#include <almanac/engine/pool.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/pool_watch.h>

#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Kind = PoolEvent::Kind;

struct Reasoner {
  int number = 0;
};

struct PoolTest : ::testing::Test {
  Pool<Reasoner> open(PoolOptions options) {
    options.on_event = watch.observer();
    auto opened = Pool<Reasoner>::open(std::move(options),
                                       {.create = [this] { return create(); }, .probe = probe});
    EXPECT_TRUE(opened) << describe(opened.error());
    return std::move(*opened);
  }
  Result<std::unique_ptr<Reasoner>> create() {
    const int number = ++created;
    if (is_broken) return fail(ErrorCode::io, "the reasoner does not start");
    return std::make_unique<Reasoner>(number);
  }

  PoolWatch watch;
  std::atomic<int> created = 0;
  std::atomic<bool> is_broken = false;
  std::function<Result<void>(Reasoner&)> probe = {};
};

TEST_F(PoolTest, DoesWhatTheExampleShows) {
  EXPECT_EQ(run_command({program_path("example_pool").string()}).output,
            "that is so\none has failed, and another takes its place\n");
}

TEST_F(PoolTest, OptionsThatMakeNoSenseAreRefused) {
  const std::vector<PoolOptions> all = {
      {.size = 0},
      {.size = 1'000, .temporary_max = 1},
      {.size = 1, .temporary_max = SIZE_MAX},
      {.timeout = Duration(-1)},
      {.age_max = std::chrono::days(367)},
      {.error_rules = {{.pattern = "(", .is_expression = true}}},
      {.backoff = Duration(0)},
  };
  for (const PoolOptions& options : all) {
    const auto opened =
        Pool<Reasoner>::open(options, {.create = [] { return std::make_unique<Reasoner>(); }});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::invalid) << describe(opened.error());
  }
}

TEST_F(PoolTest, ACallbackGetsAnInstanceWhenThereIsOneAgain) {
  auto pool = open({.size = 1, .temporary_max = 0, .temporary_after = 1ms, .timeout = 1h});
  auto loan = pool.check_out();
  ASSERT_TRUE(loan);
  std::promise<int> number;
  pool.check_out([&](Result<PoolLoan<Reasoner>> own) { number.set_value((*own)->number); });
  EXPECT_EQ(pool.figures().waiting, 1U);
  ASSERT_TRUE(watch.sees(Kind::exhausted));
  loan->give_back();
  auto given = number.get_future();
  ASSERT_EQ(given.wait_for(30s), std::future_status::ready);
  EXPECT_EQ(given.get(), 1);
}

TEST_F(PoolTest, ACallbackIsToldWhenItsTimeIsUp) {
  auto pool = open({.size = 1, .temporary_max = 0});
  auto loan = pool.check_out();
  std::promise<Error> refused;
  pool.check_out(20ms, [&](Result<PoolLoan<Reasoner>> own) { refused.set_value(own.error()); });
  const Error error = refused.get_future().get();
  EXPECT_EQ(error.code, ErrorCode::busy);
  EXPECT_NE(error.message.find("1 are in use"), std::string::npos) << error.message;
}

// Runs until it first waits, and on the thread that resumes it from then on.
struct Started {
  struct promise_type {
    Started get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Started use_often(Pool<Reasoner>& pool, int times, std::promise<int> done) {
  int uses = 0;
  for (int i = 0; i < times; ++i) {
    auto loan = co_await pool.check_out_async();
    if (loan) uses += (*loan)->number;
  }
  done.set_value(uses);
}

TEST_F(PoolTest, CoroutinesShareAnInstance) {
  auto pool = open({.size = 1, .temporary_max = 0});
  constexpr int times = 1'000;
  std::vector<std::future<int>> uses;
  for (int i = 0; i < 8; ++i) {
    std::promise<int> done;
    uses.push_back(done.get_future());
    use_often(pool, times, std::move(done));
  }
  for (auto& each : uses) EXPECT_EQ(each.get(), times);
  EXPECT_EQ(pool.figures().check_outs, 8U * times);
}

TEST_F(PoolTest, CoroutinesAreHandedToALoopOfTheProgram) {
  std::promise<std::coroutine_handle<>> handed;
  auto pool = open({.size = 1, .resume = [&](std::span<const std::coroutine_handle<>> handles) {
                      handed.set_value(handles.front());
                    }});
  auto loan = pool.check_out();
  std::promise<int> done;
  auto uses = done.get_future();
  use_often(pool, 1, std::move(done));
  loan->give_back();
  const auto handle = handed.get_future().get();
  EXPECT_EQ(uses.wait_for(0s), std::future_status::timeout);
  handle.resume();
  EXPECT_EQ(uses.get(), 1);
}

TEST_F(PoolTest, AFactoryThatFailsIsWhatWaitersAreTold) {
  is_broken = true;
  auto pool = open({.size = 1, .timeout = 50ms, .backoff = 10s, .backoff_max = 10s});
  ASSERT_TRUE(watch.sees(Kind::creation_failed));
  const auto loan = pool.check_out();
  ASSERT_FALSE(loan);
  EXPECT_EQ(loan.error().code, ErrorCode::io);
  EXPECT_NE(loan.error().message.find("the reasoner does not start"), std::string::npos);
  EXPECT_EQ(created, 1) << "it is paced";
}

TEST_F(PoolTest, WhoWaitsIsServedWhenTheFactoryWorksAgain) {
  is_broken = true;
  auto pool = open({.size = 1, .timeout = 30s, .backoff = 1ms, .backoff_max = 5ms});
  ASSERT_TRUE(watch.sees(Kind::creation_failed, 3));
  is_broken = false;
  EXPECT_TRUE(pool.check_out());
}

TEST_F(PoolTest, AFactoryMayThrow) {
  auto pool = Pool<Reasoner>::open(
      {.size = 1, .timeout = 20ms, .on_event = watch.observer()},
      {.create = []() -> Result<std::unique_ptr<Reasoner>> { throw std::runtime_error("boom"); }});
  ASSERT_TRUE(pool);
  ASSERT_TRUE(watch.sees(Kind::creation_failed));
  EXPECT_NE(pool->check_out().error().message.find("boom"), std::string::npos);
}

TEST_F(PoolTest, AnInstanceIsProbedBeforeItsFirstUse) {
  probe = [](Reasoner& reasoner) -> Result<void> {
    if (reasoner.number == 1) return fail(ErrorCode::io, "it answers nonsense");
    return {};
  };
  auto pool = open({.size = 1, .backoff = 1ms});
  EXPECT_EQ((*pool.check_out())->number, 2);
  EXPECT_EQ(pool.figures().creations_failed, 1U);
}

TEST_F(PoolTest, AProbeThatSaysNoEndsAnIdleInstance) {
  std::atomic<bool> is_gone = false;
  probe = [&](Reasoner& reasoner) -> Result<void> {
    if (is_gone && reasoner.number == 1) return fail(ErrorCode::io, "it is gone");
    return {};
  };
  auto pool = open({.size = 1, .probe_interval = 5ms, .backoff = 1ms});
  ASSERT_TRUE(watch.sees(Kind::created));
  is_gone = true;
  ASSERT_TRUE(watch.sees(Kind::created, 2));
  EXPECT_EQ(watch.retirements(), std::vector{PoolRetirement::probe});
  EXPECT_EQ((*pool.check_out())->number, 2);
}

TEST_F(PoolTest, ErrorRulesDecideWhatIsTheEndOfAnInstance) {
  auto pool = open({.size = 1,
                    .error_rules = {{.pattern = "BorrowMutError"},
                                    {.pattern = "time-?out|timed out", .is_expression = true}},
                    .backoff = 1ms});
  const auto number_after = [&](std::string_view message) {
    {
      auto loan = pool.check_out();
      loan->failed(message);
    }
    return (*pool.check_out())->number;
  };
  EXPECT_EQ(number_after("no such atom"), 1);
  EXPECT_EQ(number_after("already borrowed: BorrowMutError"), 2);
  EXPECT_EQ(number_after("it has timed out"), 3);
  EXPECT_EQ(number_after(std::string(4'096, '.') + "BorrowMutError"), 3) << "behind the 4 KiB";
  EXPECT_EQ(pool.figures().failures, 4U);
  EXPECT_EQ(pool.figures().retired_for(PoolRetirement::error), 2U);
}

TEST_F(PoolTest, ACallReportsWhatComesOfIt) {
  auto pool = open({.size = 1, .error_rules = {{.pattern = "dead"}}, .backoff = 1ms});
  const Result<int> number =
      pool.call([](Reasoner& reasoner) -> Result<int> { return reasoner.number; });
  EXPECT_EQ(number, 1);
  EXPECT_FALSE(pool.call([](Reasoner&) -> Result<int> { return fail(ErrorCode::io, "dead"); }));
  EXPECT_THROW((void)pool.call([](Reasoner&) -> Result<int> { throw std::runtime_error("dead"); }),
               std::runtime_error);
  EXPECT_EQ(pool.call([](Reasoner& reasoner) -> Result<int> { return reasoner.number; }), 3);
}

// Asks its pool for figures wherever it can, which nobody could who holds the lock.
struct Asking {
  std::function<void()> ask;
  ~Asking() { ask(); }
};

TEST_F(PoolTest, NoLockIsHeldWhereAnybodyElseIsCalled) {
  std::atomic<Pool<Asking>*> own = nullptr;
  std::atomic<int> answers = 0;
  const auto ask = [&] {
    if (Pool<Asking>* pool = own) answers += pool->figures().size == 1 ? 1 : 0;
  };
  Gate is_known;
  auto opened =
      Pool<Asking>::open({.size = 1, .backoff = 1ms, .on_event = [&](const PoolEvent&) { ask(); }},
                         {.create =
                              [&] {
                                is_known.pass();
                                ask();
                                return std::make_unique<Asking>(ask);
                              },
                          .probe = [&](Asking&) -> Result<void> {
                            ask();
                            return {};
                          }});
  ASSERT_TRUE(opened);
  Pool<Asking>& pool = *opened;
  own = &pool;
  is_known.open();
  pool.check_out()->discard("enough");
  std::promise<void> called;
  pool.check_out([&](Result<PoolLoan<Asking>>) {
    ask();
    called.set_value();
  });
  called.get_future().wait();
  own = nullptr;
  EXPECT_GE(answers, 9) << "two made, probed and told of, one ended, told of and a callback";
}

TEST_F(PoolTest, ClosedItTurnsAwayWhoWaitsAndTakesBackWhatIsOut) {
  auto pool = open({.size = 1, .temporary_max = 0, .timeout = 30s});
  auto loan = pool.check_out();
  auto thread = std::async(std::launch::async, [&] { return pool.check_out().error().code; });
  std::promise<ErrorCode> called;
  pool.check_out([&](Result<PoolLoan<Reasoner>> own) { called.set_value(own.error().code); });
  while (pool.figures().waiting < 2) std::this_thread::yield();
  pool.close();
  EXPECT_EQ(thread.get(), ErrorCode::stopped);
  EXPECT_EQ(called.get_future().get(), ErrorCode::stopped);
  EXPECT_EQ(pool.check_out().error().code, ErrorCode::stopped);
  loan->give_back();
  ASSERT_TRUE(watch.sees(Kind::retired));
  EXPECT_EQ(watch.retirements(), std::vector{PoolRetirement::closed});
}

}  // namespace
}  // namespace almanac::test
