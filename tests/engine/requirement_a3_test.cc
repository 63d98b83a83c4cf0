// Requirement A3: of every operation the duration, success and retries are tracked; averages, slow
// operations, the success rate (above 95 % with retries).
#include <almanac/engine/duration_histogram.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/monitor.h>
#include <almanac/engine/retry.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

class RequirementA3 : public ::testing::Test {
 protected:
  RequirementA3() : monitor(*Monitor::make({.slow_kept = 3, .clock = [this] { return now; }})) {}
  // One that takes so long.
  void operate(std::string_view name, nanoseconds took, bool succeeds = true, int retries = 0) {
    TrackedOperation tracked = monitor->operation(name).begin();
    for (int i = 0; i < retries; ++i) tracked.retried();
    now += took;
    succeeds ? tracked.succeeded() : tracked.failed();
  }
  [[nodiscard]] OperationReport report(std::string_view name) const {
    return monitor->operation(name).report();
  }

  nanoseconds now{0};
  std::unique_ptr<Monitor> monitor;
};

TEST_F(RequirementA3, DurationsOutcomesAndRetriesAreCountedByName) {
  operate("ask", 10ms);
  operate("ask", 20ms, true, 2);
  operate("ask", 60ms, false, 3);
  operate("rank", 1s);
  const OperationReport ask = report("ask");
  EXPECT_EQ(ask.succeeded, 2U);
  EXPECT_EQ(ask.failed, 1U);
  EXPECT_EQ(ask.retries, 5U);
  EXPECT_EQ(ask.average, 30ms);
  EXPECT_EQ(ask.longest, 60ms);
  EXPECT_NEAR(ask.success_rate(), 2.0 / 3, 1e-9);
  EXPECT_EQ(report("rank").succeeded, 1U);
  EXPECT_EQ(report("unknown").success_rate(), 1);
}

TEST_F(RequirementA3, WhatSucceedsAfterRetriesIsASuccess) {
  for (int i = 0; i < 100; ++i) operate("ask", 1ms, i % 25 != 0, i % 3);
  EXPECT_GT(report("ask").success_rate(), 0.95);
  EXPECT_EQ(report("ask").health(), Health::healthy);
}

TEST_F(RequirementA3, OfWhatFailsThreeTimesInTenOver95PercentSucceedByRetries) {
  OperationMonitor& ask = monitor->operation("ask");
  std::uint64_t attempts = 0;
  std::mt19937 chance(3);
  for (int i = 0; i < 1'000; ++i) {
    TrackedOperation tracked = ask.begin();
    const auto answered = retry({.policy = RetryPolicy::fixed,
                                 .backoff = {.initial = 0s, .max = 0s},
                                 .on_retry = [&](const RetryNote&) { tracked.retried(); }},
                                [&]() -> Result<void> {
                                  ++attempts;
                                  if (chance() % 10 >= 3) return {};
                                  return fail(ErrorCode::busy, "BorrowMutError");
                                });
    answered ? tracked.succeeded() : tracked.failed();
  }
  EXPECT_GT(report("ask").success_rate(), 0.95);
  EXPECT_LT(report("ask").success_rate(), 1);
  EXPECT_EQ(report("ask").retries, attempts - 1'000);
}

TEST_F(RequirementA3, PercentilesAreThoseOfWhatEnded) {
  for (int i = 1; i <= 1'000; ++i) operate("ask", i * 1ms);
  const OperationReport ask = report("ask");
  const auto expect_near = [](nanoseconds found, nanoseconds exact) {
    EXPECT_GE(found, exact);
    EXPECT_LE(static_cast<double>(found.count()), static_cast<double>(exact.count()) * 1.032);
  };
  expect_near(ask.p50, 500ms);
  expect_near(ask.p90, 900ms);
  expect_near(ask.p95, 950ms);
  expect_near(ask.p99, 990ms);
  EXPECT_EQ(ask.longest, 1s);
}

RC_GTEST_PROP(DurationHistogram, IsNeverBelowTheExactPercentileAndAtMost32ThousandthsAbove, ()) {
  const auto power = *rc::gen::inRange(1, 46);
  auto durations = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(
      rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << power)));
  const auto share = *rc::gen::inRange(0, 1'001) / 1'000.0;
  DurationHistogram histogram;
  for (const auto took : durations) {
    histogram.add(DurationHistogram::bucket_of(nanoseconds(took)), 1);
  }
  std::ranges::sort(durations);
  const auto rank = std::max(1.0, std::ceil(share * static_cast<double>(durations.size())));
  const auto exact = durations[static_cast<std::size_t>(rank) - 1];
  const auto found = histogram.quantile(share).count();
  RC_ASSERT(found >= exact);
  RC_ASSERT(static_cast<double>(found) <= static_cast<double>(exact) * 1.032);
}

TEST(DurationHistogram, HasABucketForEveryDuration) {
  EXPECT_EQ(DurationHistogram::bucket_of(nanoseconds::max()), DurationHistogram::bucket_count - 1);
  EXPECT_EQ(DurationHistogram::bucket_of(nanoseconds(-1)), 0U);
  EXPECT_EQ(DurationHistogram().quantile(0.5), nanoseconds(0));
  for (std::size_t bucket = 0; bucket + 1 < DurationHistogram::bucket_count; ++bucket) {
    const auto longest = DurationHistogram::longest_in(bucket);
    EXPECT_EQ(DurationHistogram::bucket_of(longest), bucket);
    EXPECT_EQ(DurationHistogram::bucket_of(longest + nanoseconds(1)), bucket + 1);
  }
}

TEST_F(RequirementA3, TheLastSlowOperationsAreKept) {
  operate("ask", 29s);
  for (int i = 0; i < 5; ++i) operate("ask", 30s + i * 1s, i != 4, i);
  const OperationReport ask = report("ask");
  ASSERT_EQ(ask.slow.size(), 3U);
  EXPECT_EQ(ask.slow.front().took, 32s);
  EXPECT_EQ(ask.slow.back().took, 34s);
  EXPECT_FALSE(ask.slow.back().succeeded);
  EXPECT_EQ(ask.slow.back().retries, 4U);
  EXPECT_EQ(ask.slow_in_window, 5U);
}

TEST_F(RequirementA3, AScopeThatEndsWithoutAWordHasFailed) {
  OperationMonitor& ask = monitor->operation("ask");
  { auto forgotten = ask.begin(); }
  EXPECT_THROW(ask.call([] { throw std::runtime_error("connection refused"); }),
               std::runtime_error);
  EXPECT_FALSE(ask.call([] { return false; }));
  EXPECT_FALSE(ask.call([] { return std::optional<int>(); }).has_value());
  EXPECT_FALSE(ask.call([] { return Result<int>(fail(ErrorCode::io, "timed out")); }).has_value());
  EXPECT_EQ(ask.call([] { return 7; }), 7);
  ask.call([] {});
  const OperationReport report = ask.report();
  EXPECT_EQ(report.failed, 5U);
  EXPECT_EQ(report.succeeded, 2U);
  EXPECT_EQ(report.errors[1].total, 1U) << "the time-out of the Result";
  EXPECT_EQ(report.errors[2].total, 1U) << "the connection of the exception";
}

TEST_F(RequirementA3, NothingIsLostOrCountedTwiceByManyThreads) {
  constexpr std::uint64_t each = 50'000;
  auto busy = *Monitor::make({.window = 100ms});
  OperationMonitor& ask = busy->operation("ask");
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < each; ++i) {
        TrackedOperation tracked = ask.begin();
        if (i % 4 == 0) tracked.retried();
        i % 100 == 0 ? tracked.failed("timed out") : tracked.succeeded();
        if (i % 10'000 == 0) (void)busy->report();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const OperationReport report = ask.report();
  EXPECT_EQ(report.succeeded, 8 * each / 100 * 99);
  EXPECT_EQ(report.failed, 8 * each / 100);
  EXPECT_EQ(report.retries, 8 * each / 4);
  EXPECT_EQ(report.errors[1].total, 8 * each / 100);
  EXPECT_GT(report.p50, nanoseconds(0));
}

TEST_F(RequirementA3, NamesAreBounded) {
  for (int i = 0; i < 2'000; ++i) operate(std::to_string(i), 1ms);
  EXPECT_EQ(monitor->report().operations.size(), limits::monitored_operations_max + 1);
  EXPECT_EQ(report("…").succeeded, 1'000U);
}

TEST_F(RequirementA3, AReportIsOneObjectOfJson) {
  operate("ask", 10ms, false);
  const auto json = nlohmann::json::parse(to_json(monitor->report()));
  EXPECT_EQ(json["health"], "healthy");
  EXPECT_EQ(json["operations"][0]["operation"], "ask");
  EXPECT_EQ(json["operations"][0]["failed"], 1);
  EXPECT_EQ(json["operations"][0]["average_ns"], 10'000'000);
  EXPECT_EQ(json["operations"][0]["errors"]["timeout"]["total"], 0);
}

}  // namespace
}  // namespace almanac::test
