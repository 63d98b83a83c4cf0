// Work that names models, once more on a GPU of the rehearsal: how often they are loaded, and for
// how long at most one is waited for.
#include <almanac/engine/what_if.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr Time order_noon(std::chrono::seconds(1'700'000'000));

ModelSpec order_model(int number, std::uint64_t bytes, Duration load_time) {
  return {.name = "m" + std::to_string(number),
          .bytes = bytes,
          .residency = Duration(0),
          .load_time = load_time,
          .commands = {.load = {"load"}, .unload = {"unload"}, .check = {}}};
}

RecordedTask order_task(Time arrived, int model, Duration took) {
  RecordedTask task{.arrived = arrived,
                    .spec = {.kind = "ask", .demands = {{"m" + std::to_string(model), 1}}},
                    .cancelled = {}};
  task.attempts = {{.took = took}};
  return task;
}

WhatIfReport order_report(const RecordedWork& work, const WhatIfSettings& settings) {
  auto report = what_if(work, settings);
  EXPECT_TRUE(report) << describe(report.error());
  return report.value_or(WhatIfReport());
}

// Requests of twelve models, some far more often asked for than others, with room for two.
RecordedWork many_requests() {
  RecordedWork work;
  std::mt19937 draw(7);
  Time at = order_noon;
  for (int i = 0; i < 2'000; ++i) {
    at += std::chrono::seconds(draw() % 20);
    const auto model = std::min(draw() % 12, draw() % 12);
    work.tasks.push_back(order_task(at, static_cast<int>(model), 5s));
  }
  return work;
}

WhatIfSettings two_of_twelve(ModelOrder order) {
  WhatIfSettings settings{.slots = 2};
  for (int i = 0; i < 12; ++i) settings.models.models.push_back(order_model(i, 10, 4s));
  settings.models.memory = 20;
  settings.models.order = order;
  settings.models.patience = 2min;
  return settings;
}

TEST(ModelOrder, HalfTheLoadsOfFirstComeAndNoWaitBeyondTheBound) {
  const RecordedWork work = many_requests();
  const auto first_come = order_report(work, two_of_twelve(ModelOrder::first_come));
  const auto batched = order_report(work, two_of_twelve(ModelOrder::batched));
  ASSERT_TRUE(first_come.models && batched.models);
  EXPECT_EQ(first_come.succeeded, 2'000U);
  EXPECT_EQ(batched.succeeded, 2'000U);
  EXPECT_GE(first_come.models->loads, 2 * batched.models->loads);
  EXPECT_EQ(batched.models->beyond, 0U);
  EXPECT_LE(batched.models->longest_wait, batched.models->bound);
  EXPECT_GE(batched.models->longest_wait, 1min) << "or there was nothing to wait for";
}

TEST(ModelOrder, FirstComeIsInOrderAndUnloadsWhatWasUsedLongestAgo) {
  RecordedWork work;
  int second = 0;
  for (const int model : {0, 1, 0, 2, 0, 1}) {
    work.tasks.push_back(order_task(order_noon + std::chrono::seconds(second++), model, 10s));
  }
  WhatIfSettings settings{.slots = 4};
  for (int i = 0; i < 3; ++i) settings.models.models.push_back(order_model(i, 10, 0s));
  settings.models.memory = 20;
  settings.models.order = ModelOrder::first_come;
  const auto report = order_report(work, settings);
  std::vector<std::uint64_t> order;
  for (const WhatIfStart& start : report.starts) order.push_back(start.task.value);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(report.models->loads, 4U) << "m0 and m1, m2 for m1, and m1 again for m2";
  EXPECT_EQ(report.models->evictions, 2U);
}

TEST(ModelOrder, ALoadTakesItsTimeAndWhatDoesNotFitIsRefused) {
  RecordedWork work;
  work.tasks.push_back(order_task(order_noon, 0, 10s));
  WhatIfSettings settings{.slots = 1};
  settings.models = {.models = {order_model(0, 10, 7s)}, .memory = 10};
  EXPECT_EQ(order_report(work, settings).waits.max, 7s);
  settings.models.memory = 9;
  EXPECT_EQ(what_if(work, settings).error().code, ErrorCode::invalid);
}

// Whatever comes when, of models of whatever size.
RC_GTEST_PROP(ModelOrderProperties, NobodyWaitsBeyondTheBoundAndAllIsDone, ()) {
  WhatIfSettings settings{.slots = *rc::gen::inRange<std::uint32_t>(1, 5)};
  settings.models.memory = 10;
  settings.models.patience = std::chrono::seconds(*rc::gen::inRange(0, 60));
  const int models = *rc::gen::inRange(1, 7);
  for (int i = 0; i < models; ++i) {
    ModelSpec one = order_model(i, *rc::gen::inRange<std::uint64_t>(1, 11),
                                std::chrono::seconds(*rc::gen::inRange(0, 10)));
    one.residency = std::chrono::seconds(*rc::gen::inRange(0, 20));
    settings.models.models.push_back(one);
  }
  RecordedWork work;
  Time at = order_noon;
  const int tasks = *rc::gen::inRange(1, 60);
  for (int i = 0; i < tasks; ++i) {
    at += std::chrono::seconds(*rc::gen::inRange(0, 8));
    work.tasks.push_back(order_task(at, *rc::gen::inRange(0, models),
                                    std::chrono::seconds(*rc::gen::inRange(1, 15))));
  }
  const auto report = what_if(work, settings);
  RC_ASSERT(report.has_value());
  RC_ASSERT(report->unfinished == 0U);
  RC_ASSERT(report->models->beyond == 0U);
}

}  // namespace
}  // namespace almanac::test
