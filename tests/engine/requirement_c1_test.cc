// Requirement C1: the memory of each device is followed live, by the real loader and a driver whose
// devices the test scripts, and by Mesa's.
#include <almanac/engine/gpu_vulkan.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/scripted_gpus.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

ScriptedGpu card(std::uint64_t own, std::uint64_t budget, int number = 1) {
  return {.number = number,
          .name = "Scripted " + std::to_string(number),
          .heaps = {{.size = 10 * gib, .own = own, .budget = budget},
                    {.size = 64 * gib, .budget = 60 * gib, .is_local = false}}};
}

class RequirementC1 : public EngineTest {
 protected:
  // Looks as often as it can.
  void watch() {
    open({.gpu_watch = GpuWatchOptions{
              .setting = {.sample_interval = 1h}, .interval_min = 10ms, .interval_max = 10ms}});
  }
  [[nodiscard]] bool comes_to(const std::function<bool(const Gpu&, const Names&)>& wanted) const {
    engine->check_gpus();
    return engine->wait([&](const State& state) { return wanted(state.gpu, state.names); }, 30s);
  }
  [[nodiscard]] bool comes_to(GpuPresence presence, int number = 1) const {
    return comes_to([&](const Gpu& gpu, const Names& names) {
      const auto id = names.find(card(0, 0, number).identity());
      const GpuDevice* device = id ? gpu.devices.find(*id) : nullptr;
      return device != nullptr && device->presence == presence;
    });
  }
  [[nodiscard]] bool uses(std::uint64_t own, std::uint64_t budget) const {
    return comes_to([&](const Gpu& gpu, const Names& names) {
      const auto id = names.find(card(0, 0).identity());
      const GpuHeap* heap = id ? gpu.heaps.find({*id, 0}) : nullptr;
      return heap != nullptr && heap->memory.own == own && heap->memory.budget == budget;
    });
  }

  ScriptedGpus gpus;
};

TEST_F(RequirementC1, EachDeviceAndHeapIsKnown) {
  gpus.set({card(gib, 8 * gib), card(0, 10 * gib, 2)});
  watch();
  ASSERT_TRUE(comes_to(GpuPresence::present, 2));
  ASSERT_TRUE(uses(gib, 8 * gib));
  const auto state = engine->state();
  const NameId id = *state->names.find(card(0, 0).identity());
  const GpuDevice& device = *state->gpu.devices.find(id);
  EXPECT_EQ(state->names.text(device.name), "Scripted 1");
  EXPECT_EQ(device.kind, GpuKind::discrete);
  ASSERT_EQ(device.heaps, 2U);
  const GpuHeap& local = *state->gpu.heaps.find({id, 0});
  EXPECT_TRUE(local.is_local);
  EXPECT_EQ(local.memory,
            (GpuMemory{.size = 10 * gib, .own = gib, .budget = 8 * gib, .is_estimate = false}));
  EXPECT_EQ(local.memory.others(), 2 * gib);
  EXPECT_EQ(local.memory.utilisation(), 0.3);
  EXPECT_FALSE(state->gpu.heaps.find({id, 1})->is_local);
}

TEST_F(RequirementC1, WhatIsUsedIsFollowedAndItsLastHundredSamplesAreKept) {
  gpus.set({card(0, 10 * gib)});
  watch();
  const int changes = static_cast<int>(gpu_samples_kept) + 5;
  const auto own = [](int i) { return i % 2 * gib + i; };  // a step away from the last
  for (int i = 1; i <= changes; ++i) {
    gpus.set({card(own(i), 10 * gib)});
    ASSERT_TRUE(uses(own(i), 10 * gib)) << i;
  }
  const State before = *engine->state();
  const NameId id = *before.names.find(card(0, 0).identity());
  const auto samples = before.gpu.samples_of({id, 0});
  ASSERT_EQ(samples.size(), 100U);
  EXPECT_EQ(samples.back().own, own(changes));
  EXPECT_EQ(samples.front().own, own(changes - 99));
  close();
  open();
  EXPECT_EQ(engine->state()->gpu.samples_of({id, 0}), samples) << "after a restart";
  EXPECT_EQ(engine->state()->gpu.devices.find(id)->presence, GpuPresence::unknown);
}

TEST_F(RequirementC1, DevicesComeAndGo) {
  watch();
  gpus.set({card(0, 10 * gib)});
  ASSERT_TRUE(comes_to(GpuPresence::present));
  gpus.set({card(0, 10 * gib), card(0, 10 * gib, 2)});
  ASSERT_TRUE(comes_to(GpuPresence::present, 2));
  gpus.set({card(0, 10 * gib, 2)});
  ASSERT_TRUE(comes_to(GpuPresence::removed));
  gpus.set({card(0, 10 * gib), card(0, 10 * gib, 2)});
  ASSERT_TRUE(comes_to(GpuPresence::present));
}

TEST_F(RequirementC1, ALostDeviceIsSeenAndIsBackWithItsHistory) {
  gpus.set({card(gib, 10 * gib)});
  watch();
  ASSERT_TRUE(uses(gib, 10 * gib));
  ScriptedGpu lost = card(gib, 10 * gib);
  lost.is_lost = true;
  gpus.set({lost});
  ASSERT_TRUE(comes_to(GpuPresence::lost));
  gpus.set({card(gib, 10 * gib)});
  ASSERT_TRUE(comes_to(GpuPresence::present));
  EXPECT_TRUE(comes_to(
      [](const Gpu& gpu, const Names&) { return gpu.devices.begin()->value.samples == 2; }));
}

// A driver that is started again fails, or names no device, for a while.
TEST_F(RequirementC1, ARestartOfTheDriverIsSeen) {
  gpus.set({card(gib, 10 * gib)});
  watch();
  ASSERT_TRUE(uses(gib, 10 * gib));
  constexpr int initialization_failed = -3;
  gpus.fail(initialization_failed);
  ASSERT_TRUE(comes_to(GpuPresence::driver));
  gpus.set({card(gib, 10 * gib)});
  ASSERT_TRUE(comes_to(GpuPresence::present));
}

TEST_F(RequirementC1, AnEstimateIsCalledOne) {
  ScriptedGpu plain = card(0, 0);
  plain.has_budget = false;
  gpus.set({plain});
  watch();
  ASSERT_TRUE(comes_to(GpuPresence::present));
  const auto state = engine->state();
  const GpuMemory memory = state->gpu.heaps.begin()->value.memory;
  EXPECT_TRUE(memory.is_estimate);
  EXPECT_EQ(memory.available(), 8 * gib);
  EXPECT_EQ(memory.used(), 0U);
}

// Of one device that says 0 for its budget, which the extension forbids, and of too much.
TEST_F(RequirementC1, ADriverThatLiesIsNotBelieved) {
  gpus.set({card(99 * gib, 0), card(99 * gib, 20 * gib, 2)});
  const GpuReading seen = Vulkan(GpuWatchOptions{}).read();
  ASSERT_EQ(seen.devices.size(), 2U);
  EXPECT_TRUE(seen.devices[0].heaps[0].memory.is_estimate);
  EXPECT_EQ(seen.devices[1].heaps[0].memory.used(), 10 * gib);
  EXPECT_EQ(seen.devices[1].heaps[0].memory.available(), 0U);
}

TEST_F(RequirementC1, WithoutALoaderOrADeviceThereIsNothingAndTheEngineWorks) {
  const GpuReading none = Vulkan({.loader = "libno-such-thing.so"}).read();
  EXPECT_TRUE(none.devices.empty());
  EXPECT_EQ(none.trouble, "there is no Vulkan loader (libno-such-thing.so)");
  const GpuReading other = Vulkan({.loader = "libm.so.6"}).read();
  EXPECT_EQ(other.trouble, "libm.so.6 is no Vulkan loader");
  open({.gpu_watch = GpuWatchOptions{.loader = "libno-such-thing.so"}});
  wait_until_ended(submit_shell("true"));
  EXPECT_TRUE(engine->state()->gpu.devices.empty());
}

TEST_F(RequirementC1, TheExampleTellsOfAGpu) {
  gpus.set({{.name = "Scripted", .heaps = {{.size = 10 * gib, .own = gib, .budget = 3 * gib}}}});
  EXPECT_EQ(
      run_command({"/bin/sh", "-c",
                   "cd " + folder.path().string() + " && " +
                       std::filesystem::absolute(program_path("example_gpu")).string() + " 30"})
          .output,
      "Scripted is there\nScripted: warning, 8 GiB of 10 GiB used, 7 GiB of it by others\n"
      "01a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1 heap 0: 80% used, 2 GiB free\n");
}

TEST_F(RequirementC1, MesasDriverIsADeviceLikeAnother) {
  const std::string manifest = mesa_driver();
  if (manifest.empty()) {
    std::cout << "mesa-vulkan-drivers is missing: `./dev test` installs it\n";
    return;
  }
  for (const auto& [name, value] : loader_environment(manifest)) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  Vulkan vulkan(GpuWatchOptions{});
  const GpuReading seen = vulkan.read();
  ASSERT_EQ(seen.devices.size(), 1U) << seen.trouble;
  EXPECT_EQ(seen.devices[0].kind, GpuKind::cpu);
  EXPECT_EQ(seen.devices[0].trouble, "");
  ASSERT_FALSE(seen.devices[0].heaps.empty());
  EXPECT_GT(seen.devices[0].heaps[0].memory.size, gib / 4);
  EXPECT_EQ(vulkan.read().devices[0].device, seen.devices[0].device);
}

}  // namespace
}  // namespace almanac::test
