// Requirement A4: health by thresholds that can be set; error patterns are recognised (borrow
// errors, time-outs, connections); an alert above 10 % errors.
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/monitor.h>

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

class RequirementA4 : public ::testing::Test {
 protected:
  void make(MonitorOptions options = {}) {
    options.clock = [this] { return now; };
    options.on_alert = [this](const MonitorAlert& alert) { alerts.push_back(alert); };
    options.on_health = [this](const HealthChange& change) { changes.push_back(change.to); };
    monitor = *Monitor::make(std::move(options));
  }
  void operate(int succeeding, int failing, std::string_view why = {}, nanoseconds took = 1ms) {
    OperationMonitor& ask = monitor->operation("ask");
    for (int i = 0; i < succeeding + failing; ++i) {
      TrackedOperation tracked = ask.begin();
      now += took;
      i < succeeding ? tracked.succeeded() : tracked.failed(why);
    }
  }
  [[nodiscard]] OperationReport report() const { return monitor->operation("ask").report(); }
  [[nodiscard]] std::uint64_t errors(std::string_view rule) const {
    for (const ErrorCount& error : report().errors) {
      if (error.rule == rule) return error.in_window;
    }
    return 0;
  }

  nanoseconds now{0};
  std::unique_ptr<Monitor> monitor;
  std::vector<MonitorAlert> alerts;
  std::vector<Health> changes;
};

TEST_F(RequirementA4, HealthFollowsItsThresholdsAndSaysWhy) {
  make();
  operate(0, 9);
  EXPECT_EQ(report().health(), Health::healthy) << "9 say nothing";
  make();
  operate(95, 5);
  EXPECT_EQ(report().health(), Health::healthy) << "5 % are not above 5 %";
  operate(0, 1, "Operation timed out");
  EXPECT_EQ(report().health(), Health::degraded);
  ASSERT_EQ(report().reasons.size(), 1U);
  EXPECT_EQ(report().reasons[0].sentence,
            "6 of the last 101 operations 'ask' failed (5.9%), 1 of them by timeout");
  operate(0, 27);
  EXPECT_EQ(report().health(), Health::unhealthy) << "33 of 128";
  EXPECT_EQ(monitor->report().health(), Health::unhealthy);
  now += 6min;
  EXPECT_EQ(report().health(), Health::healthy) << "the window has gone on";
  EXPECT_EQ(changes, (std::vector{Health::degraded, Health::unhealthy, Health::healthy}));
}

TEST_F(RequirementA4, ThresholdsCanBeSet) {
  make({.failures = {.ended_min = 2, .degraded_permille = 500, .unhealthy_permille = 900}});
  operate(1, 1);
  EXPECT_EQ(report().health(), Health::healthy);
  operate(0, 1);
  EXPECT_EQ(report().health(), Health::degraded);
  operate(0, 100);
  EXPECT_EQ(report().health(), Health::unhealthy);
}

TEST_F(RequirementA4, ManySlowOperationsDegrade) {
  make();
  operate(18, 0);
  operate(2, 0, {}, 30s);
  EXPECT_EQ(report().health(), Health::healthy) << "10 % are not above 10 %";
  operate(1, 0, {}, 30s);
  EXPECT_EQ(report().health(), Health::degraded);
  EXPECT_EQ(report().reasons[0].sentence, "3 of the last 21 operations 'ask' were slow (14.3%)");
}

TEST_F(RequirementA4, ErrorsAreRecognisedByTheirTextAndCountedInAWindow) {
  make();
  operate(0, 2, "thread 'main' panicked: already borrowed: BorrowMutError");
  operate(0, 3, "Request TIMED OUT after 5 s");
  operate(0, 4, "Connection reset by peer");
  operate(0, 5, "something else");
  EXPECT_EQ(errors("borrow"), 2U);
  EXPECT_EQ(errors("timeout"), 3U);
  EXPECT_EQ(errors("connection"), 4U);
  now += 4min;
  operate(0, 1, "connection timed out");
  EXPECT_EQ(errors("timeout"), 4U) << "one error may follow several rules";
  EXPECT_EQ(errors("connection"), 5U);
  now += 2min;
  EXPECT_EQ(errors("timeout"), 1U);
  EXPECT_EQ(errors("borrow"), 0U);
  EXPECT_EQ(report().errors[0].total, 2U);
}

TEST_F(RequirementA4, AThreadThatLooksLateAtAnEarlyClockWipesNothing) {
  make();
  now = 10min;
  operate(0, 9, "timed out");
  now -= 1min;
  operate(0, 1, "timed out");
  EXPECT_EQ(report().failed_in_window, 10U);
  EXPECT_EQ(errors("timeout"), 10U);
}

TEST_F(RequirementA4, RulesCanBeExpressionsAndBadOnesAreRefused) {
  make({.errors = {{.name = "code", .regex = R"(\bE[0-9]{4}\b)"}}});
  operate(0, 1, "error e1234: no");
  operate(0, 1, "error E12345: no");
  EXPECT_EQ(errors("code"), 1U);
  const auto refused = [](std::vector<ErrorRule> rules, std::string_view why) {
    const auto made = Monitor::make({.errors = std::move(rules)});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::invalid);
    EXPECT_NE(made.error().message.find(why), std::string::npos) << made.error().message;
  };
  refused({{.name = "bad", .regex = "("}}, "the rule 'bad' is no regular expression");
  refused({{.name = "empty"}}, "something to look for");
  refused({{.name = "empty", .parts = {""}}}, "something to look for");
  refused({{.name = "two", .parts = {"a"}}, {.name = "two", .parts = {"b"}}}, "two rules 'two'");
}

TEST_F(RequirementA4, AnAlertIsRaisedAboveTenPercentAndEndsAtFive) {
  make();
  operate(90, 10);
  EXPECT_TRUE(alerts.empty()) << "10 % are not above 10 %";
  operate(0, 1);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_TRUE(alerts[0].is_raised);
  EXPECT_EQ(alerts[0].operation, "ask");
  EXPECT_EQ(alerts[0].failed, 11U);
  EXPECT_EQ(alerts[0].ended, 101U);
  for (int i = 0; i < 50; ++i) operate(1, 0);
  operate(0, 10);
  EXPECT_EQ(alerts.size(), 1U) << "it goes on, and is told once";
  EXPECT_TRUE(report().is_alerting);
  operate(258, 0);
  EXPECT_TRUE(report().is_alerting) << "21 of 419 are 5.01 %";
  operate(1, 0);
  EXPECT_FALSE(report().is_alerting) << "21 of 420 are 5 %";
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_FALSE(alerts[1].is_raised);
}

TEST_F(RequirementA4, FewOperationsRaiseNoAlert) {
  make();
  operate(0, 9);
  EXPECT_TRUE(alerts.empty());
  operate(0, 1);
  EXPECT_EQ(alerts.size(), 1U);
}

TEST_F(RequirementA4, WhatChangesWhileACallbackRunsIsToldBehindIt) {
  int telling = 0;
  std::vector<bool> told;
  monitor = *Monitor::make({.on_alert =
                                [&](const MonitorAlert& alert) {
                                  EXPECT_EQ(++telling, 1);
                                  if (alert.is_raised) {
                                    now += 6min;
                                    std::thread([&] { (void)monitor->report(); }).join();
                                  }
                                  told.push_back(alert.is_raised);
                                  --telling;
                                },
                            .clock = [this] { return now; }});
  operate(0, 10);
  EXPECT_EQ(told, (std::vector{true, false}));
}

// What is told is in turn raised and ended, however many threads make it so; the callback uses the
// monitor, which it could not with a lock held, and throws.
TEST_F(RequirementA4, EveryChangeIsToldOnceInOrderWithNoLockHeld) {
  set_verbosity(Verbosity::quiet);  // of what the callback throws
  std::atomic<std::int64_t> time = 0;
  std::mutex mutex;
  std::vector<bool> told;
  std::unique_ptr<Monitor> busy;
  std::atomic<int> telling = 0;
  busy = *Monitor::make({.window = 1s,
                         .on_alert =
                             [&](const MonitorAlert& alert) {
                               EXPECT_EQ(++telling, 1) << "one at a time";
                               (void)busy->report();
                               std::lock_guard guard(mutex);
                               told.push_back(alert.is_raised);
                               --telling;
                               throw std::runtime_error("a callback that throws");
                             },
                         .clock = [&] { return nanoseconds(time.load()); }});
  OperationMonitor& ask = busy->operation("ask");
  for (int round = 0; round < 20; ++round) {
    for (const bool succeeds : {false, true}) {
      time += nanoseconds(2s).count();
      std::vector<std::thread> threads;
      for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&] {
          for (int i = 0; i < 50; ++i) {
            TrackedOperation tracked = ask.begin();
            succeeds ? tracked.succeeded() : tracked.failed();
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      (void)busy->report();
    }
  }
  ASSERT_EQ(told.size(), 40U);
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], i % 2 == 0) << i;
}

}  // namespace
}  // namespace almanac::test
