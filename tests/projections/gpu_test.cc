// What the state knows of GPUs.
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <array>

namespace almanac::test {
namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

NameId id_of(const State& state, std::string_view device) { return *state.names.find(device); }

const GpuDevice& device_of(const Story& story, std::string_view device = "card") {
  return *story.state().gpu.devices.find(id_of(story.state(), device));
}

const GpuHeap& heap_of(const Story& story, std::uint32_t heap = 0) {
  return *story.state().gpu.heaps.find({id_of(story.state(), "card"), heap});
}

bool appear(Story& story, std::uint64_t size = 8 * gib) {
  const std::array sizes{size, 4 * gib};
  return story.tell(GpuDeviceAppeared{"card", "Card", GpuKind::discrete, sizes, 1});
}

bool sample(Story& story, std::uint64_t own) {
  const std::array used{own, std::uint64_t{0}};
  const std::array budget{6 * gib, 4 * gib};
  return story.tell(GpuSampled{"card", used, budget});
}

TEST(GpuMemory, IsWhatTheDriverSays) {
  const GpuMemory memory{.size = 10 * gib, .own = 2 * gib, .budget = 7 * gib};
  EXPECT_EQ(memory.others(), 3 * gib);
  EXPECT_EQ(memory.used(), 5 * gib);
  EXPECT_EQ(memory.available(), 5 * gib);
  EXPECT_EQ(memory.utilisation(), 0.5);
  EXPECT_TRUE(memory.reaches(50));
  EXPECT_FALSE(memory.reaches(51));
}

// Budgets are advice, and come from another moment than what is used.
TEST(GpuMemory, StaysWithinItsSizeWhateverTheDriverSays) {
  for (const std::uint64_t budget :
       {std::uint64_t{0}, gib, 10 * gib, 99 * gib, ~std::uint64_t{0}}) {
    for (const std::uint64_t own : {std::uint64_t{0}, gib, 99 * gib, ~std::uint64_t{0}}) {
      const GpuMemory memory{.size = 10 * gib, .own = own, .budget = budget};
      EXPECT_LE(memory.used(), memory.size);
      EXPECT_LE(memory.others(), memory.used());
      EXPECT_LE(memory.available(), memory.size);
    }
  }
  EXPECT_EQ(GpuMemory().utilisation(), 0);
  EXPECT_FALSE(GpuMemory().reaches(0)) << "a heap without a size is never full";
}

TEST(GpuMemory, OfAnEstimateIsUsedByNobodyElse) {
  const GpuMemory memory{.size = 10 * gib, .budget = 8 * gib, .is_estimate = true};
  EXPECT_EQ(memory.used(), 0U);
  EXPECT_EQ(memory.available(), 8 * gib);
}

TEST(Gpu, KeepsTheLastHundredSamples) {
  Story story;
  appear(story);
  for (std::uint64_t i = 1; i <= gpu_samples_kept; ++i) EXPECT_TRUE(sample(story, i));
  const GpuHeapKey heap{id_of(story.state(), "card"), 0};
  EXPECT_EQ(story.state().gpu.samples_of(heap).front().own, 1U);
  for (std::uint64_t i = 1; i <= 50; ++i) sample(story, gpu_samples_kept + i);
  const auto samples = story.state().gpu.samples_of(heap);
  ASSERT_EQ(samples.size(), gpu_samples_kept);
  for (std::size_t i = 0; i < samples.size(); ++i) EXPECT_EQ(samples[i].own, 51 + i);
  EXPECT_EQ(story.state().gpu.samples.size(), 2 * gpu_samples_kept);
  EXPECT_EQ(heap_of(story).memory.own, 150U);
  EXPECT_EQ(device_of(story).sampled_at, story.state().time);
}

TEST(Gpu, GoesOnWhereItWasWhenADeviceIsBack) {
  Story story;
  appear(story);
  sample(story, gib);
  EXPECT_TRUE(story.tell(GpuDeviceVanished{"card", GpuAbsence::lost, "it is lost"}));
  EXPECT_EQ(device_of(story).presence, GpuPresence::lost);
  EXPECT_FALSE(sample(story, gib)) << "of one that is not there";
  EXPECT_TRUE(appear(story));
  EXPECT_EQ(device_of(story).presence, GpuPresence::present);
  EXPECT_EQ(device_of(story).samples, 1U);
  EXPECT_TRUE(appear(story, 16 * gib)) << "another card in its place";
  EXPECT_EQ(device_of(story).samples, 0U);
  EXPECT_EQ(story.state().gpu.samples.size(), 0U);
  EXPECT_EQ(heap_of(story).memory.size, 16 * gib);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>{});
}

TEST(Gpu, IsUnknownWhenAnEngineStarts) {
  Story story;
  appear(story);
  story.tell(EngineStarted{.version = "1"});
  EXPECT_EQ(device_of(story).presence, GpuPresence::unknown);
}

TEST(Gpu, KnowsTheAlertOfAHeap) {
  Story story;
  appear(story);
  EXPECT_TRUE(story.tell(GpuAlertRaised{"card", 0, GpuLevel::critical, GpuLevel::normal}));
  EXPECT_EQ(heap_of(story).level, GpuLevel::critical);
  EXPECT_EQ(heap_of(story).alert, story.state().position);
  EXPECT_EQ(heap_of(story, 1).level, GpuLevel::normal);
  EXPECT_TRUE(story.tell(GpuAlertCleared{"card", 0}));
  EXPECT_EQ(heap_of(story), (GpuHeap{.memory = heap_of(story).memory, .is_local = true}));
}

TEST(Gpu, IgnoresWhatContradictsIt) {
  Story story;
  EXPECT_FALSE(sample(story, 1));
  EXPECT_FALSE(story.tell(GpuDeviceVanished{"card"}));
  appear(story);
  const std::array one{gib};
  const std::array two{gib, gib};
  EXPECT_FALSE(story.tell(GpuSampled{"card", one, two})) << "it has two heaps";
  EXPECT_FALSE(story.tell(GpuSampled{"card", two, one}));
  EXPECT_FALSE(story.tell(GpuAlertRaised{"card", 2, GpuLevel::warning, GpuLevel::normal}));
  EXPECT_FALSE(story.tell(GpuAlertRaised{"card", 0, GpuLevel::normal, GpuLevel::normal}));
  EXPECT_FALSE(story.tell(GpuAlertCleared{"card", 2}));
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>{});
}

TEST(Gpu, IsInTheDigestWithAllOfIt) {
  Story story;
  const Digest before = digest(story.state());
  State none = story.state();
  forget_presence(none.gpu);
  EXPECT_EQ(digest(none), before) << "what knows none is as it was";
  tell_gpus(story);
  const NameId card = id_of(story.state(), "6e76696c-0001");
  const auto differs = [&](const auto& change) {
    State other = story.state();
    change(other.gpu);
    return digest(other) != digest(story.state());
  };
  EXPECT_TRUE(differs([&](Gpu& gpu) { gpu = {}; }));
  EXPECT_TRUE(differs([&](Gpu& gpu) { gpu.devices.edit(card)->presence = GpuPresence::lost; }));
  EXPECT_TRUE(differs([&](Gpu& gpu) { gpu.heaps.edit({card, 0})->memory.own = 7; }));
  EXPECT_TRUE(differs([&](Gpu& gpu) { gpu.heaps.edit({card, 0})->level = GpuLevel::normal; }));
  EXPECT_TRUE(differs([&](Gpu& gpu) { gpu.samples.edit({{card, 0}, 0})->budget = 7; }));
}

TEST(Gpu, ThatIsBrokenIsFound) {
  Story story;
  tell_gpus(story);
  const NameId card = id_of(story.state(), "6e76696c-0001");
  const auto is_found = [&](const auto& change) {
    State other = story.state();
    change(other.gpu);
    return !broken_invariants(other).empty();
  };
  EXPECT_FALSE(is_found([](Gpu&) {}));
  EXPECT_TRUE(is_found([&](Gpu& gpu) { gpu.heaps.erase({card, 1}); }));
  EXPECT_TRUE(is_found([&](Gpu& gpu) { gpu.heaps.set({card, 7}, {}); }));
  EXPECT_TRUE(is_found([&](Gpu& gpu) { gpu.samples.erase({{card, 0}, 0}); }));
  EXPECT_TRUE(is_found([&](Gpu& gpu) { gpu.heaps.edit({card, 0})->level = GpuLevel::normal; }));
  EXPECT_TRUE(is_found([&](Gpu& gpu) { gpu.devices.edit(card)->presence = GpuPresence::lost; }));
}

}  // namespace
}  // namespace almanac::test
