// What looks at GPUs become, without a GPU.
#include <almanac/engine/gpu.h>
#include <almanac/engine/gpu_watch.h>
#include <almanac/engine/limits.h>
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <latch>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

GpuMemory full(std::uint64_t percent) {
  return {.size = 1'000, .own = 10 * percent, .budget = 1'000};
}

GpuDeviceReading card(const GpuMemory& memory, std::string device = "card") {
  return {.device = std::move(device),
          .name = "Card",
          .kind = GpuKind::discrete,
          .trouble = {},
          .heaps = {{memory, true}}};
}

GpuReading reading(const GpuMemory& memory) { return {.devices = {card(memory)}, .trouble = {}}; }

// The types of the events that a look becomes.
std::string look(Desk& desk, const GpuReading& seen, bool is_due = false) {
  desk.now += 1s;
  EXPECT_TRUE(desk.ask(ReportGpu{seen, {}, is_due}));
  std::string types;
  for (const Event& event : desk.last()) {
    types += (types.empty() ? "" : " ") + std::string(type_name(event.body));
  }
  return types;
}

TEST(GpuLevels, HaveHysteresis) {
  const auto after = [](GpuLevel before, std::uint64_t percent) {
    return level_after(before, full(percent), {});
  };
  using enum GpuLevel;
  EXPECT_EQ(after(normal, 79), normal);
  EXPECT_EQ(after(normal, 80), warning);
  EXPECT_EQ(after(normal, 90), critical) << "at once";
  EXPECT_EQ(after(warning, 75), warning);
  EXPECT_EQ(after(warning, 74), normal);
  EXPECT_EQ(after(warning, 89), warning);
  EXPECT_EQ(after(critical, 85), critical);
  EXPECT_EQ(after(critical, 84), warning);
  EXPECT_EQ(after(critical, 75), warning);
  EXPECT_EQ(after(critical, 74), normal) << "at once";
}

TEST(GpuLooks, TellOfADeviceAndThenOnlyOfWhatChanges) {
  Desk desk;
  EXPECT_EQ(look(desk, reading(full(10))), "GpuDeviceAppeared GpuSampled");
  EXPECT_EQ(look(desk, reading(full(11))), "");
  EXPECT_EQ(look(desk, reading(full(12))), "GpuSampled") << "a step from the last sample";
  EXPECT_EQ(look(desk, reading(full(12))), "");
  EXPECT_EQ(look(desk, reading(full(12)), true), "GpuSampled");
  EXPECT_EQ(look(desk, {}), "GpuDeviceVanished");
  EXPECT_EQ(look(desk, {}), "");
  EXPECT_EQ(look(desk, reading(full(12))), "GpuDeviceAppeared GpuSampled");
}

TEST(GpuLooks, RaiseAndClearAlertsBehindTheSampleThatSaysWhy) {
  Desk desk;
  look(desk, reading(full(79)));
  EXPECT_EQ(look(desk, reading(full(80))), "GpuSampled GpuAlertRaised");
  EXPECT_EQ(std::get<GpuAlertRaised>(desk.last()[1].body).level, GpuLevel::warning);
  EXPECT_EQ(look(desk, reading(full(95))), "GpuSampled GpuAlertRaised");
  EXPECT_EQ(std::get<GpuAlertRaised>(desk.last()[1].body).before, GpuLevel::warning);
  EXPECT_EQ(look(desk, reading(full(86))), "GpuSampled") << "still critical";
  EXPECT_EQ(look(desk, reading(full(20))), "GpuSampled GpuAlertCleared");
}

TEST(GpuLooks, ClearTheAlertsOfADeviceThatIsGone) {
  for (const bool is_lost : {false, true}) {
    Desk desk;
    look(desk, reading(full(95)));
    GpuReading gone;
    if (is_lost) gone = reading(full(95));
    if (is_lost) gone.devices[0].trouble = "the device is lost";
    EXPECT_EQ(look(desk, gone), "GpuAlertCleared GpuDeviceVanished");
    const auto& vanished = std::get<GpuDeviceVanished>(desk.last()[1].body);
    EXPECT_EQ(vanished.absence, is_lost ? GpuAbsence::lost : GpuAbsence::removed);
    EXPECT_EQ(look(desk, gone), "");
    EXPECT_EQ(look(desk, reading(full(95))), "GpuDeviceAppeared GpuSampled GpuAlertRaised");
  }
}

TEST(GpuLooks, SayWhenTheDriverDoesNotAnswer) {
  Desk desk;
  look(desk, reading(full(10)));
  const GpuReading none{.devices = {}, .trouble = "it does not start"};
  EXPECT_EQ(look(desk, none), "GpuDeviceVanished");
  const auto& vanished = std::get<GpuDeviceVanished>(desk.last()[0].body);
  EXPECT_EQ(vanished.absence, GpuAbsence::driver);
  EXPECT_EQ(vanished.message, "it does not start");
}

TEST(GpuLooks, SeeWhatHappenedWhileNobodyLooked) {
  Desk desk;
  look(desk, reading(full(95)));
  Desk later(desk.state());
  EXPECT_EQ(later.state().gpu.devices.begin()->value.presence, GpuPresence::unknown);
  EXPECT_EQ(look(later, reading(full(86))), "GpuDeviceAppeared GpuSampled") << "critical as it was";
  Desk without(desk.state());
  EXPECT_EQ(look(without, {}), "GpuAlertCleared GpuDeviceVanished");
}

TEST(GpuLooks, DescribeACardAnewThatIsNoLongerAsItWas) {
  Desk desk;
  look(desk, reading(full(95)));
  GpuMemory larger = full(95);
  larger.size = 2'000;
  larger.budget = 2'000;
  EXPECT_EQ(look(desk, reading(larger)), "GpuAlertCleared GpuDeviceAppeared GpuSampled");
  EXPECT_EQ(desk.state().ignored, 0U);
}

TEST(GpuLooks, RaiseNoAlertsAboutMemoryOfTheMachine) {
  Desk desk;
  GpuReading seen = reading(full(99));
  seen.devices[0].heaps[0].is_local = false;
  EXPECT_EQ(look(desk, seen), "GpuDeviceAppeared GpuSampled");
}

TEST(GpuLooks, BelieveNoDriverThatNamesTooMany) {
  Desk desk;
  GpuReading seen;
  for (std::size_t i = 0; i <= limits::gpu_devices_max; ++i) {
    seen.devices.push_back(card(full(95), "card " + std::to_string(i)));
    seen.devices.back().heaps.assign(limits::gpu_heaps_max + 1, {full(95), true});
  }
  look(desk, seen);
  EXPECT_EQ(desk.state().gpu.devices.size(), limits::gpu_devices_max);
  EXPECT_EQ(desk.state().gpu.heaps.size(), limits::gpu_devices_max * limits::gpu_heaps_max);
  EXPECT_EQ(desk.state().ignored, 0U);
}

// A reading like the one before, or not at all.
GpuReading any_reading(const GpuReading& before) {
  GpuReading seen = before;
  // Most are a small move away from where a level begins or ends.
  const auto percent = [] {
    return *rc::gen::element<std::uint64_t>(0, 40, 74, 76, 79, 81, 84, 86, 89, 91, 100, 104);
  };
  const auto move = [] { return *rc::gen::element<int>(-60, -15, -9, -3, 3, 9, 15, 60); };
  switch (*rc::gen::weightedElement<int>({{8, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}})) {
    case 0:
      for (GpuDeviceReading& device : seen.devices) {
        for (GpuHeapReading& heap : device.heaps) {
          const auto own = static_cast<std::int64_t>(heap.memory.own) + move();
          heap.memory.own = static_cast<std::uint64_t>(std::max<std::int64_t>(own, 0));
        }
      }
      break;
    case 1:
      for (GpuDeviceReading& device : seen.devices) device.heaps[0].memory.budget = 10 * percent();
      break;
    case 2:
      seen = {};
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
        seen.devices.push_back(card(full(percent()), std::string(1, static_cast<char>('a' + i))));
      }
      break;
    case 3:
      if (!seen.devices.empty()) seen.devices[0].trouble = *rc::gen::element("", "it is lost");
      break;
    default: seen = {.devices = {}, .trouble = "it does not answer"}; break;
  }
  return seen;
}

// What the watch withholds would have been no event; what it tells leaves a state in order, whose
// levels are those that the rule gives one after the other.
RC_GTEST_PROP(GpuNewsTest, WithholdsNothingThatWouldBeAnEvent, ()) {
  Desk desk;
  if (*rc::gen::arbitrary<bool>()) look(desk, reading(full(*rc::gen::inRange(60, 100))));
  Desk after(desk.state());
  GpuNews news({});
  GpuReading seen;
  for (int i = 0; i < 30; ++i) {
    seen = any_reading(seen);
    after.now += 1s;
    if (*rc::gen::weightedElement<bool>({{9, false}, {1, true}})) news.forget();
    auto report = news.take(seen, after.now);
    RC_ASSERT(after.ask(report.value_or(ReportGpu{seen, {}})));
    if (!report) RC_ASSERT(after.last().empty());
    RC_ASSERT(after.state().ignored == 0U);
    RC_ASSERT(broken_invariants(after.state()).empty());
    for (const GpuDeviceReading& device : seen.devices) {
      if (!device.trouble.empty()) continue;
      const NameId id = *after.state().names.find(device.device);
      const GpuHeap& heap = *after.state().gpu.heaps.find({id, 0});
      const GpuMemory& memory = device.heaps[0].memory;
      RC_ASSERT(!differs(heap.memory, memory, {}));
      RC_ASSERT(level_after(heap.level, memory, {}) == heap.level);
    }
  }
}

TEST(GpuNews, TellsOfACalmDeviceOnceInAnInterval) {
  GpuNews news({.sample_interval = 60s});
  Time now{1'000s};
  EXPECT_TRUE(news.take(reading(full(10)), now));
  int told = 0;
  for (int i = 0; i < 600; ++i) told += news.take(reading(full(10)), now += 1s) ? 1 : 0;
  EXPECT_EQ(told, 10);
  EXPECT_TRUE(news.take({}, now));
  for (int i = 0; i < 600; ++i) EXPECT_FALSE(news.take({}, now += 1s)) << "there is none";
}

TEST(NextLook, IsSoonNearAThresholdAndWhileThingsChange) {
  const GpuWatchOptions options{.interval_min = 100ms, .interval_max = 1s};
  const auto next = [&](Duration last, const GpuReading& before, const GpuReading& now) {
    return next_look(last, before, now, options);
  };
  EXPECT_EQ(next(100ms, reading(full(10)), reading(full(10))), 200ms);
  EXPECT_EQ(next(800ms, reading(full(10)), reading(full(10))), 1s);
  EXPECT_EQ(next(1s, reading(full(10)), reading(full(40))), 100ms);
  EXPECT_EQ(next(1s, reading(full(77)), reading(full(77))), 100ms);
  EXPECT_EQ(next(1s, reading(full(70)), reading(full(70))), 1s);
  EXPECT_EQ(next(1s, reading(full(99)), reading(full(99))), 1s) << "it is full and stays so";
  EXPECT_EQ(next(1s, {}, reading(full(10))), 100ms);
  EXPECT_EQ(next(1s, {}, {}), 1s);
}

// What a watch told, and how it was answered.
struct Listener {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<ReportGpu> told;

  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 30s, [&] { return told.size() >= count; }));
  }
};

TEST(GpuWatch, TellsAgainWhatWasRefused) {
  Listener listener;
  const auto tell = [&](Command command, std::function<void(Result<Answer>)> done) {
    const std::lock_guard lock(listener.mutex);
    listener.told.push_back(std::get<ReportGpu>(command));
    if (listener.told.size() < 3) {
      done(fail(ErrorCode::busy, "the engine's mailbox is full"));
    } else {
      done(Answer());
    }
    listener.changed.notify_one();
  };
  GpuWatch watch({.clock = [] { return Time(1'000s); },
                  .read = [] { return reading(full(10)); },
                  .tell = tell},
                 {.interval_min = 10ms, .interval_max = 10ms});
  listener.wait_for(3);
  EXPECT_EQ(listener.told.front().reading.devices.size(), 1U);
}

TEST(GpuWatch, LooksAtOnceWhenAskedTo) {
  Listener listener;
  std::atomic<std::uint64_t> percent = 10;
  const auto tell = [&](Command command, std::function<void(Result<Answer>)> done) {
    const std::lock_guard lock(listener.mutex);
    listener.told.push_back(std::get<ReportGpu>(command));
    done(Answer());
    listener.changed.notify_one();
  };
  GpuWatch watch({.clock = [] { return Time(1'000s); },
                  .read = [&] { return reading(full(percent)); },
                  .tell = tell},
                 {.interval_min = 1h, .interval_max = 1h});
  listener.wait_for(1);
  percent = 50;
  watch.look_now();
  listener.wait_for(2);
  EXPECT_EQ(listener.told.back().reading.devices[0].heaps[0].memory.own, 500U);
}

TEST(GpuWatchOptions, AreRefusedWhereTheyMakeNoSense) {
  EXPECT_TRUE(check(GpuWatchOptions()));
  const auto is_refused = [](const GpuWatchOptions& options) {
    const auto checked = check(options);
    return !checked && checked.error().code == ErrorCode::invalid;
  };
  EXPECT_TRUE(is_refused({.setting = {.warning_percent = 90, .critical_percent = 80}}));
  EXPECT_TRUE(is_refused({.setting = {.critical_percent = 101}}));
  EXPECT_TRUE(is_refused({.setting = {.warning_percent = 5, .hysteresis_percent = 5}}));
  EXPECT_TRUE(is_refused({.setting = {.step_percent = 0}}));
  EXPECT_TRUE(is_refused({.interval_min = 0ms}));
  EXPECT_TRUE(is_refused({.interval_min = 2s, .interval_max = 1s}));
  EXPECT_TRUE(is_refused({.setting = {.sample_interval = 1ms}}));
}

}  // namespace
}  // namespace almanac::test
