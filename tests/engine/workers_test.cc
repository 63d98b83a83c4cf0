#include <almanac/engine/workers.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <almanac/log/this_thread.h>

#include <gtest/gtest.h>

#include <latch>
#include <semaphore>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr int jobs = 40;

// Handlers that return only when all of them have begun.
class WorkersTest : public ::testing::Test {
 protected:
  void start_all_and_wait() {
    std::latch gate(1);
    const auto handler = std::make_shared<const Handler>([&](const Attempt&) {
      begun_.release();
      gate.wait();
      return Outcome::success();
    });
    workers_.start(std::vector<WorkerJob>(jobs, {.handler = handler}));
    int begun = 0;
    while (begun < jobs && begun_.try_acquire_for(10s)) ++begun;
    gate.count_down();
    ASSERT_EQ(begun, jobs);
    for (int i = 0; i < jobs; ++i) ASSERT_TRUE(finished_.try_acquire_for(10s)) << "job " << i;
  }

  std::counting_semaphore<> begun_{0};
  std::counting_semaphore<> finished_{0};
  TempFolder folder_;
  TestLog log_{folder_ / "log"};
  CoreLog core_log_{*log_};
  Workers workers_{core_log_, [this](const Command&) { finished_.release(); }};
};

TEST_F(WorkersTest, NoJobWaitsForAnotherOnNewThreads) { start_all_and_wait(); }

TEST_F(WorkersTest, NoJobWaitsForAnotherOnThreadsThatAreIdle) {
  for (int round = 0; round < 50; ++round) start_all_and_wait();
}

TEST_F(WorkersTest, JobsThatEndAtOnceAreAllDone) {
  const auto handler =
      std::make_shared<const Handler>([](const Attempt&) { return Outcome::success(); });
  for (int round = 0; round < 500; ++round) {
    for (int i = 0; i < jobs; ++i) workers_.start({{.handler = handler}});
    for (int i = 0; i < jobs; ++i) ASSERT_TRUE(finished_.try_acquire_for(10s));
  }
}

TEST_F(WorkersTest, NoJobWaitsForAnotherWhereOneWasExpected) {
  for (int round = 0; round < 50; ++round) {
    workers_.expect_job();
    start_all_and_wait();
  }
}

TEST_F(WorkersTest, AJobIsDoneThatComesLaterThanExpected) {
  const auto handler =
      std::make_shared<const Handler>([](const Attempt&) { return Outcome::success(); });
  start_all_and_wait();
  for (int round = 0; round < 50; ++round) {
    workers_.expect_job();
    this_thread::wait_for({}, 1ms);
    workers_.start({{.handler = handler}});
    ASSERT_TRUE(finished_.try_acquire_for(10s)) << "round " << round;
  }
}

}  // namespace
}  // namespace almanac::test
