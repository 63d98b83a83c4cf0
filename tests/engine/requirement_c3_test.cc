// Requirement C3: models are registered with their size and tracked by use; the least recently used
// is unloaded on critical, room is checked before a load, and a smaller model is used for want of
// it. By the real loader and a driver that the test scripts.
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/models_on_card.h>

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class RequirementC3 : public ModelsOnCard {};

TEST_F(RequirementC3, AModelIsLoadedOnceAndItsSizeIsLearned) {
  watch();
  add(spec("llama", 4 * card_gib, 5 * card_gib));
  std::vector<std::jthread> users;
  for (int i = 0; i < 8; ++i) {
    users.emplace_back([&] {
      auto lease = use("llama");
      EXPECT_EQ(lease ? lease->model() : "", "llama");
    });
  }
  users.clear();
  EXPECT_EQ(loads_of("llama"), 1);
  ASSERT_TRUE(comes_to("llama", ModelState::resident));
  EXPECT_EQ(model("llama").learned, 5 * card_gib);
  EXPECT_EQ(model("llama").setting.bytes, 4 * card_gib);
  ASSERT_TRUE(comes_to([&](const State& state) {
    return state.models.all.find(*state.names.find("llama"))->uses == 8;
  }));
  EXPECT_NE(model("llama").used_at, Time());
  ASSERT_TRUE(engine->unload_model("llama"));
  EXPECT_EQ(model("llama").state, ModelState::absent);
  EXPECT_EQ(model("llama").evictions, 0U);
}

TEST_F(RequirementC3, TheLeastRecentlyUsedIsUnloadedOnCritical) {
  watch();
  for (const char* name : {"first", "second", "pinned"}) add(spec(name, 2 * card_gib));
  ASSERT_TRUE(engine->change_model("pinned", true));
  for (const char* name : {"pinned", "first", "second"}) make_resident(name);
  { ASSERT_TRUE(use("first")); }
  press(3 * card_gib + card_gib / 2);
  ASSERT_TRUE(comes_to("second", ModelState::absent));
  EXPECT_EQ(model("second").evictions, 1U);
  EXPECT_EQ(model("first").state, ModelState::resident) << "75 % is enough";
  EXPECT_EQ(model("pinned").state, ModelState::resident);
}

TEST_F(RequirementC3, RoomIsMadeByWhatIsCheapestAndNeverByWhatIsUsed) {
  set_card(20 * card_gib);
  watch();
  for (const char* name : {"dear", "used", "idle", "pinned"}) add(spec(name, 4 * card_gib));
  ASSERT_TRUE(engine->change_model("pinned", true));
  ASSERT_TRUE(engine->change_model("dear", {}, 1));
  for (const char* name : {"dear", "idle", "pinned"}) make_resident(name);
  auto lease = use("used");
  ASSERT_TRUE(lease);
  ModelSpec next = spec("new", 5 * card_gib);
  next.priority = 1;
  add(next);
  auto other = use("new");
  ASSERT_TRUE(other);
  ASSERT_TRUE(comes_to("new", ModelState::resident));
  EXPECT_EQ(model("idle").state, ModelState::absent);
  EXPECT_EQ(model("dear").state, ModelState::resident) << "one of the two is enough";
  EXPECT_EQ(evictions(), "idle for new, ") << "no memory was ever critical";
  EXPECT_EQ(model("idle").slow_releases, 0U) << "its memory was waited for";
  EXPECT_EQ(model("used").state, ModelState::resident);
  EXPECT_LE(most_at_once(), 20 * card_gib) << "nothing was loaded before there was room";
  const auto refused = engine->use_model("idle", {.timeout = 50ms});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::timed_out);
  EXPECT_NE(refused.error().message.find("needs 4.0 GiB, device "), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find(" 3.0 free, 0.0 used by others, evictable 0"),
            std::string::npos)
      << refused.error().message;
}

TEST_F(RequirementC3, ASmallerModelIsUsedUnderPressureFromOthersAndThatIsOnRecord) {
  watch();
  press(5 * card_gib);
  ModelSpec large = spec("large", 8 * card_gib);
  large.alternative = "small";
  add(large);
  add(spec("small", 2 * card_gib));
  ASSERT_TRUE(comes_to([](const State& state) {
    return state.gpu.heaps.begin()->value.memory.others() == 5 * card_gib;
  }));
  auto lease = use("large");
  ASSERT_TRUE(lease) << describe(lease.error());
  EXPECT_EQ(lease->model(), "small");
  EXPECT_TRUE(lease->is_degraded());
  EXPECT_EQ(loads_of("large"), 0);
  ASSERT_TRUE(comes_to([&](const State& state) {
    return state.models.all.find(*state.names.find("large"))->degraded == 1;
  }));
  const auto strict = engine->use_model("large", {.timeout = 50ms, .may_degrade = false});
  ASSERT_FALSE(strict);
  EXPECT_NE(strict.error().message.find("5.0 used by others"), std::string::npos)
      << strict.error().message;
  press(0);
  auto whole = engine->use_model("large", {.timeout = 60s, .may_degrade = false});
  ASSERT_TRUE(whole) << "there is room for both";
  EXPECT_EQ(whole->model(), "large");
}

TEST_F(RequirementC3, ABudgetThatLiesDoesNotLeadToMoreThanThereIs) {
  watch({.settle_limit = 100ms, .release_limit = 100ms});
  lie();
  add(spec("a", 6 * card_gib));
  add(spec("b", 6 * card_gib));
  auto lease = use("a");
  ASSERT_TRUE(lease);
  EXPECT_FALSE(engine->use_model("b", {.timeout = 500ms}));
  EXPECT_EQ(model("a").learned, 0U) << "there is nothing to learn from it";
  lease = ModelLease();
  ASSERT_TRUE(use("b"));
  EXPECT_LE(most_at_once(), 10 * card_gib);
}

TEST_F(RequirementC3, MemoryThatDoesNotComeFreeIsWaitedForUpToALimit) {
  watch({.settle_limit = 30s, .release_limit = 300ms});
  add(spec("a", 6 * card_gib));
  make_resident("a");
  keep_memory();
  add(spec("b", 6 * card_gib));
  const auto refused = engine->use_model("b", {.timeout = 2s});
  ASSERT_FALSE(refused) << "what is measured counts, not what was said";
  EXPECT_EQ(loads_of("b"), 0);
  ASSERT_TRUE(comes_to("a", ModelState::absent));
  EXPECT_EQ(model("a").slow_releases, 1U);
}

TEST_F(RequirementC3, AGpuThatIsLostInTheMiddleOfALoadEndsIt) {
  watch();
  hold_loads();
  add(spec("llama", 4 * card_gib));
  std::jthread user([&] {
    const auto lease = use("llama");
    EXPECT_EQ(lease ? ErrorCode::busy : lease.error().code, ErrorCode::model_loading);
  });
  ASSERT_TRUE(comes_to("llama", ModelState::loading));
  lose(true);
  ASSERT_TRUE(comes_to([&](const State& state) {
    return state.models.all.find(*state.names.find("llama"))->failures == 1;
  }));
  user.join();
  const auto refused = engine->use_model("llama", {.timeout = 1500ms});
  ASSERT_FALSE(refused) << "nothing is admitted to what is lost";
  EXPECT_EQ(loads_of("llama"), 1);
  lose(false);
  let_all_go();
  EXPECT_TRUE(use("llama"));
}

TEST_F(RequirementC3, WhatIsLoadedGoesWithItsGpuAndItsUsersAreTold) {
  watch();
  add(spec("llama", 4 * card_gib));
  make_resident("llama");
  auto lease = use("llama");
  ASSERT_TRUE(lease);
  EXPECT_FALSE(lease->is_lost());
  lose(true);
  ASSERT_TRUE(comes_to("llama", ModelState::absent));
  EXPECT_TRUE(lease->is_lost());
}

TEST_F(RequirementC3, TwoLoadsThatRaceHaveTheRoomOneAfterTheOther) {
  watch();
  add(spec("a", 6 * card_gib));
  add(spec("b", 6 * card_gib));
  std::vector<std::jthread> users;
  for (const std::string name : {"a", "b"}) {
    users.emplace_back([this, name] {
      for (int i = 0; i < 3; ++i) EXPECT_TRUE(use(name)) << name << i;
    });
  }
  users.clear();
  EXPECT_EQ(most_at_once(), 6 * card_gib);
  EXPECT_EQ(model("a").slow_releases + model("b").slow_releases, 0U);
  EXPECT_EQ(engine->state()->ignored, 0U);
}

TEST_F(RequirementC3, AnotherEngineAsksTheCommandsWhatIsLoaded) {
  const auto mark = folder / "loaded";
  const auto by_command = [&](const std::string& name, const std::string& check) {
    ModelSpec spec{.name = name, .bytes = card_gib, .residency = 0s};
    spec.commands.load = {"sh", "-c", "echo $ALMANAC_MODEL >> " + mark.string()};
    spec.commands.unload = {"sh", "-c", "echo gone >> " + mark.string()};
    if (!check.empty()) spec.commands.check = {"sh", "-c", check};
    return spec;
  };
  watch({.settle_limit = 100ms, .release_limit = 100ms});
  add(by_command("stays", "true"));
  add(by_command("went", "false"));
  add(by_command("unsaid", ""));
  for (const char* name : {"stays", "went", "unsaid"}) make_resident(name);
  EXPECT_EQ(test::read_file(mark), "stays\nwent\nunsaid\n");
  close();
  watch({.settle_limit = 100ms, .release_limit = 100ms});
  ASSERT_TRUE(comes_to("stays", ModelState::resident));
  ASSERT_TRUE(comes_to("went", ModelState::absent));
  ASSERT_TRUE(comes_to("unsaid", ModelState::absent));
  EXPECT_EQ(test::read_file(mark), "stays\nwent\nunsaid\ngone\n");
  EXPECT_TRUE(use("stays"));
  EXPECT_EQ(model("stays").loads, 1U);
}

TEST_F(RequirementC3, ALoadThatFailsSaysWhyAndIsNotTriedAtOnce) {
  watch();
  ModelSpec broken{.name = "broken", .bytes = card_gib};
  broken.commands.load = {"sh", "-c", "echo no such weights; exit 3"};
  broken.commands.unload = {"true"};
  add(broken);
  for (const auto code : {ErrorCode::model_loading, ErrorCode::timed_out}) {
    const auto refused = use("broken", code == ErrorCode::timed_out ? 100ms : 60s);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, code);
    EXPECT_NE(refused.error().message.find("exit code 3: no such weights"), std::string::npos)
        << refused.error().message;
  }
  EXPECT_EQ(model("broken").failures, 1U);
  broken.alternative = "other";
  add(broken);
  add(spec("other", card_gib));
  const auto lease = use("broken");
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->model(), "other");
}

TEST_F(RequirementC3, ALoadThatTakesTooLongIsEnded) {
  watch();
  hold_loads();
  ModelSpec slow = spec("slow", card_gib);
  slow.timeout = 50ms;
  add(slow);
  const auto refused = use("slow");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::model_loading);
}

TEST_F(RequirementC3, TheExampleUsesTheLargeOneOrTheSmallOne) {
  const auto run_example = [&](const std::string& gibibytes) {
    return run_command({"/bin/sh", "-c",
                        "cd " + folder.path().string() + " && " +
                            std::filesystem::absolute(program_path("example_model")).string() +
                            " " + gibibytes})
        .output;
  };
  EXPECT_EQ(run_example("4"), "loading large\nusing large\n");
  EXPECT_EQ(run_example("40"), "loading small\nusing small\n");
}

TEST_F(RequirementC3, WhatIsUsedGoesWhenItIsGivenBack) {
  watch();
  add(spec("llama", 4 * card_gib));
  auto lease = use("llama");
  ASSERT_TRUE(lease);
  ASSERT_TRUE(comes_to("llama", ModelState::resident));
  EXPECT_EQ(engine->unload_model("llama", 50ms).error().code, ErrorCode::timed_out);
  EXPECT_EQ(engine->models().front().in_use, 1U);
  std::jthread unloader([&] { EXPECT_TRUE(engine->unload_model("llama")); });
  lease = ModelLease();
  unloader.join();
  EXPECT_EQ(model("llama").state, ModelState::absent);
}

TEST_F(RequirementC3, WhatAFunctionThrowsIsAnErrorAndAFailedUnloadIsTriedAgain) {
  watch();
  ModelSpec wild = spec("wild", card_gib);
  wild.on_load = [](const ModelJob&) -> Result<void> { throw std::runtime_error("no weights"); };
  add(wild);
  const auto refused = use("wild");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no weights"), std::string::npos);
  ModelSpec sticky = spec("sticky", card_gib);
  std::atomic<int> tries = 0;
  sticky.on_unload = [&, unload = sticky.on_unload](const ModelJob& job) -> Result<void> {
    if (++tries == 1) return fail(ErrorCode::io, "not now");
    return unload(job);
  };
  add(sticky);
  make_resident("sticky");
  ASSERT_TRUE(engine->unload_model("sticky"));
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(model("sticky").failures, 1U);
}

TEST_F(RequirementC3, WhatIsAskedInVainIsSaidSo) {
  open();
  EXPECT_EQ(use("llama").error().code, ErrorCode::refused) << "no GPU is watched";
  close();
  watch();
  EXPECT_EQ(use("llama").error().code, ErrorCode::not_found);
  add(spec("llama", 4 * card_gib));
  hold_loads();
  std::jthread user([&] { EXPECT_EQ(use("llama").error().code, ErrorCode::stopped); });
  ASSERT_TRUE(comes_to("llama", ModelState::loading));
  const auto status = engine->models();
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status.front().waiting, 1U);
  EXPECT_EQ(status.front().name, "llama");
  engine->stop();
}

}  // namespace
}  // namespace almanac::test
