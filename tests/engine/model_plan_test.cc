// Where a model goes and what gives way to it, by itself.
#include <almanac/engine/limits.h>
#include <almanac/engine/model_plan.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t plan_gib = std::uint64_t{1} << 30U;

// One card of ten GiB, and models on it.
class PlanDesk {
 public:
  PlanDesk() { see("card-one", 10 * plan_gib, 0, 10 * plan_gib); }

  void see(std::string_view gpu, std::uint64_t size, std::uint64_t own, std::uint64_t budget) {
    const auto id = story.state().names.find(gpu);
    const std::array sizes{size};
    if (!id || !story.state().gpu.devices.contains(*id)) {
      story.tell(GpuDeviceAppeared{gpu, "Card", GpuKind::discrete, sizes, 1});
    }
    const std::array used{own};
    const std::array may{budget};
    story.tell(GpuSampled{gpu, used, may});
  }
  void add(std::string_view model, std::uint64_t bytes, ModelRegistered setting = {}) {
    setting.model = model;
    setting.bytes = bytes;
    story.tell(setting);
  }
  void load(std::string_view model, std::uint64_t bytes, Duration took = 1s,
            std::string_view gpu = "card-one") {
    story.tell(ModelLoadStarted{model, gpu, bytes, story.now()});
    story.tell(ModelLoaded{model, took});
    story.tell(ModelMeasured{model, bytes});
  }
  [[nodiscard]] NameId id(std::string_view name) const { return *story.state().names.find(name); }
  [[nodiscard]] ModelRoom room() const {
    return {.models = story.state().models,
            .gpus = rooms_of(story.state()),
            .uses = uses,
            .moving = {},
            .now = story.now() + 1h};
  }
  [[nodiscard]] std::uint64_t free() const { return free_bytes(room(), id("card-one")); }
  [[nodiscard]] LoadPlan plan(std::string_view model) const {
    return plan_load(room(), story.state().names, id(model));
  }
  [[nodiscard]] std::vector<std::string> evicted(std::string_view model) const {
    std::vector<std::string> names;
    for (const NameId one : plan(model).evict) names.emplace_back(story.state().names.text(one));
    std::ranges::sort(names);
    return names;
  }

  Story story;
  std::map<NameId, ModelUse> uses;
};

TEST(ModelPlan, KeepsRoomFromTheStartOfALoadUntilItIsMeasured) {
  PlanDesk desk;
  desk.add("a", 4 * plan_gib);
  EXPECT_EQ(desk.free(), 10 * plan_gib);
  desk.story.tell(ModelLoadStarted{"a", "card-one", 4 * plan_gib, desk.story.now()});
  EXPECT_EQ(desk.free(), 6 * plan_gib) << "which the driver does not show yet";
  desk.story.tell(ModelLoaded{"a", 1s});
  EXPECT_EQ(desk.free(), 6 * plan_gib);
  desk.see("card-one", 10 * plan_gib, 4 * plan_gib, 10 * plan_gib);
  EXPECT_EQ(desk.free(), 2 * plan_gib) << "careful while both count";
  desk.story.tell(ModelMeasured{"a", 4 * plan_gib});
  EXPECT_EQ(desk.free(), 6 * plan_gib);
  EXPECT_TRUE(can_load(desk.room(), desk.id("card-one"), 6 * plan_gib));
  EXPECT_FALSE(can_load(desk.room(), desk.id("card-one"), 6 * plan_gib + 1));
}

TEST(ModelPlan, DoesNotBelieveABudgetThatLeavesOutWhatIsLoaded) {
  PlanDesk desk;
  desk.add("a", 7 * plan_gib);
  desk.load("a", 7 * plan_gib);  // and the driver goes on to say that all is free
  EXPECT_EQ(desk.free(), 3 * plan_gib);
  desk.see("card-one", 10 * plan_gib, 0, 99 * plan_gib);
  EXPECT_EQ(desk.free(), 3 * plan_gib);
  desk.see("card-one", 10 * plan_gib, 99 * plan_gib, 10 * plan_gib);
  EXPECT_EQ(desk.free(), 0U);
}

TEST(ModelPlan, SaysTheNumbers) {
  PlanDesk desk;
  desk.see("card-one", 10 * plan_gib, 0, 6 * plan_gib);
  desk.add("a", 9 * plan_gib + plan_gib / 5);
  const LoadPlan plan = desk.plan("a");
  EXPECT_EQ(plan.kind, LoadPlan::Kind::no_way);
  EXPECT_EQ(plan.reason,
            "needs 9.2 GiB, device card-one has 6.0 free, 4.0 used by others, evictable 0");
}

TEST(ModelPlan, AdmitsNothingToAGpuThatIsNotKnownToWork) {
  PlanDesk desk;
  desk.add("a", plan_gib);
  EXPECT_EQ(desk.plan("a").kind, LoadPlan::Kind::load);
  desk.story.tell(GpuDeviceVanished{"card-one", GpuAbsence::lost, {}});
  EXPECT_EQ(desk.plan("a").kind, LoadPlan::Kind::wait);
  EXPECT_FALSE(can_load(desk.room(), desk.id("card-one"), 1));
  PlanDesk restarted;
  restarted.add("a", plan_gib);
  restarted.story.tell(EngineStarted{"0.1.0", 1, 4, 42});
  EXPECT_EQ(restarted.plan("a").kind, LoadPlan::Kind::wait) << "nobody has looked";
}

TEST(ModelPlan, ALaterLookCounts) {
  PlanDesk desk;
  auto rooms = rooms_of(desk.story.state());
  const GpuMemory memory{.size = 10 * plan_gib, .own = plan_gib, .budget = 5 * plan_gib};
  GpuReading seen{.devices = {{.device = "card-one", .name = "Card", .heaps = {{memory, true}}}}};
  rooms.front().level = GpuLevel::critical;
  refresh(rooms, desk.story.state(), seen, {});
  EXPECT_EQ(rooms.front().level, GpuLevel::normal) << "which the next event will say";
  EXPECT_TRUE(rooms.front().is_usable);
  EXPECT_EQ(rooms.front().memory, memory);
  seen.devices.front().trouble = "it is lost";
  refresh(rooms, desk.story.state(), seen, {});
  EXPECT_FALSE(rooms.front().is_usable);
}

TEST(ModelPlan, EvictsNeitherPinnedNorUsedNorFreshNorDearerOnes) {
  PlanDesk desk;
  for (const char* model : {"pinned", "used", "fresh", "high", "leaving"}) {
    ModelRegistered setting;
    if (model == std::string_view("pinned")) setting.pinned = true;
    if (model == std::string_view("fresh")) setting.residency = 2h;
    if (model == std::string_view("high")) setting.priority = 1;
    desk.add(model, 2 * plan_gib, setting);
    desk.load(model, 2 * plan_gib);
  }
  desk.uses[desk.id("used")].in_use = 1;
  desk.add("new", 2 * plan_gib);
  EXPECT_EQ(desk.evicted("new"), std::vector<std::string>{"leaving"});
  EXPECT_EQ(evictable(desk.room(), desk.id("card-one"), 0).size(), 1U);
  desk.uses[desk.id("leaving")].is_leaving = true;
  EXPECT_EQ(desk.plan("new").kind, LoadPlan::Kind::wait) << "one is on its way";
  desk.add("new", 2 * plan_gib, {.priority = 1});
  desk.uses.erase(desk.id("leaving"));
  EXPECT_EQ(evictable(desk.room(), desk.id("card-one"), 1).size(), 2U);
}

TEST(ModelPlan, EvictsNothingThatDoesNotMakeRoom) {
  PlanDesk desk;
  desk.add("a", 2 * plan_gib);
  desk.load("a", 2 * plan_gib);
  desk.see("card-one", 10 * plan_gib, 2 * plan_gib, 5 * plan_gib);
  desk.add("new", 6 * plan_gib);
  const LoadPlan plan = desk.plan("new");
  EXPECT_EQ(plan.kind, LoadPlan::Kind::no_way);
  EXPECT_TRUE(plan.evict.empty());
  EXPECT_EQ(plan.reason,
            "needs 6.0 GiB, device card-one has 3.0 free, 5.0 used by others, evictable 2.0");
}

TEST(ModelPlan, GoesWhereThereIsRoomAndElseWhereItIsCheapest) {
  PlanDesk desk;
  desk.see("card-two", 20 * plan_gib, 0, 20 * plan_gib);
  desk.add("new", 8 * plan_gib);
  EXPECT_EQ(desk.plan("new").gpu, desk.id("card-two")) << "with more room";
  desk.add("new", 8 * plan_gib, {.gpu = "card-one"});
  EXPECT_EQ(desk.plan("new").gpu, desk.id("card-one")) << "the only one it goes to";
  desk.add("new", 8 * plan_gib);
  desk.add("a", 9 * plan_gib);
  desk.load("a", 9 * plan_gib, 10s);
  desk.add("b", 19 * plan_gib);
  desk.load("b", 19 * plan_gib, 2s, "card-two");
  EXPECT_EQ(desk.evicted("new"), std::vector<std::string>{"b"}) << "which is loaded sooner again";
}

TEST(ModelPlan, RelievesACriticalGpuOfWhatWasUsedLongestAgo) {
  PlanDesk desk;
  for (const char* model : {"pinned", "a", "b"}) {
    desk.add(model, plan_gib, {.pinned = model == std::string_view("pinned")});
    desk.load(model, plan_gib);
  }
  desk.story.tell(ModelUsed{"a", 1, desk.story.now()});
  EXPECT_FALSE(to_relieve(desk.room(), desk.id("card-one")));
  desk.story.tell(GpuAlertRaised{"card-one", 0, GpuLevel::warning, GpuLevel::normal});
  EXPECT_FALSE(to_relieve(desk.room(), desk.id("card-one")));
  desk.story.tell(GpuAlertRaised{"card-one", 0, GpuLevel::critical, GpuLevel::warning});
  EXPECT_EQ(to_relieve(desk.room(), desk.id("card-one")), desk.id("b"));
  desk.uses[desk.id("b")].in_use = 1;
  EXPECT_EQ(to_relieve(desk.room(), desk.id("card-one")), desk.id("a"));
  desk.uses[desk.id("a")].is_leaving = true;
  EXPECT_FALSE(to_relieve(desk.room(), desk.id("card-one"))) << "one after the other";
}

// What the cheapest set costs, by looking at every set there is.
using Cost = std::tuple<std::int32_t, Duration, Time, int>;

Cost cost_of(const std::vector<EvictionCandidate>& set) {
  Cost cost{std::numeric_limits<std::int32_t>::min(), Duration(0), Time(), 0};
  for (const EvictionCandidate& one : set) {
    auto& [priority, load_time, used_at, count] = cost;
    priority = std::max(priority, one.priority);
    load_time += one.load_time;
    used_at = std::max(used_at, one.used_at);
    ++count;
  }
  return cost;
}

std::uint64_t bytes_of(const std::vector<EvictionCandidate>& set) {
  std::uint64_t bytes = 0;
  for (const EvictionCandidate& one : set) bytes += one.bytes;
  return bytes;
}

std::vector<EvictionCandidate> any_candidates(std::size_t count) {
  std::vector<EvictionCandidate> candidates;
  for (std::uint32_t i = 0; i < count; ++i) {
    candidates.push_back({.model = NameId{i},
                          .bytes = *rc::gen::inRange<std::uint64_t>(0, 20),
                          .priority = *rc::gen::inRange(-2, 3),
                          .load_time = Duration(*rc::gen::inRange(0, 9)),
                          .used_at = Time(Duration(*rc::gen::inRange(0, 9)))});
  }
  return candidates;
}

std::vector<EvictionCandidate> candidates_named(const std::vector<EvictionCandidate>& candidates,
                                                const std::vector<NameId>& models) {
  std::vector<EvictionCandidate> set;
  for (const NameId id : models) {
    set.push_back(*std::ranges::find(candidates, id, &EvictionCandidate::model));
  }
  return set;
}

RC_GTEST_PROP(CheapestSet, IsTheCheapestOfAllThatMakeRoom, ()) {
  const auto candidates = any_candidates(*rc::gen::inRange<std::size_t>(0, 11));
  const auto bytes = *rc::gen::inRange<std::uint64_t>(1, 60);
  std::optional<Cost> best;
  for (std::uint32_t set = 0; set < (1U << candidates.size()); ++set) {
    std::vector<EvictionCandidate> one;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if ((set >> i & 1U) != 0) one.push_back(candidates[i]);
    }
    if (bytes_of(one) < bytes) continue;
    if (!best || cost_of(one) < *best) best = cost_of(one);
  }
  const auto found = cheapest_set(candidates, bytes);
  RC_ASSERT(found.has_value() == best.has_value());
  if (!found) return;
  const auto set = candidates_named(candidates, *found);
  RC_ASSERT(bytes_of(set) >= bytes);
  RC_ASSERT(cost_of(set) == *best);
}

RC_GTEST_PROP(CheapestSet, OfManyHasNoneThatCouldBeLeftOut, ()) {
  const auto candidates = any_candidates(limits::model_search_max + 40);
  const auto bytes = *rc::gen::inRange<std::uint64_t>(1, 500);
  const auto found = cheapest_set(candidates, bytes);
  RC_ASSERT(found.has_value() == (bytes_of(candidates) >= bytes));
  if (!found) return;
  const auto set = candidates_named(candidates, *found);
  RC_ASSERT(bytes_of(set) >= bytes);
  if (set.size() <= limits::model_search_max) return;
  for (const EvictionCandidate& one : set) RC_ASSERT(bytes_of(set) - one.bytes < bytes);
}

}  // namespace
}  // namespace almanac::test
