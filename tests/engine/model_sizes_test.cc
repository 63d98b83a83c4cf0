// What is learned of models while others come and go, and that nobody waits for ever where too
// little was: by the real loader and a driver that the test scripts.
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/models_on_card.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class ModelSizes : public ModelsOnCard {
 protected:
  // With time between two looks, so that only what is asked for is seen.
  void watch_rarely() {
    open({.gpu_watch = GpuWatchOptions{.setting = {.sample_interval = 10min},
                                       .interval_min = 10min,
                                       .interval_max = 10min},
          .models = {.settle_limit = 30s, .release_limit = 2s, .patience = 100ms}});
    ASSERT_TRUE(comes_to([](const State& state) { return !state.gpu.samples.empty(); }));
  }
  [[nodiscard]] bool others_are_seen(std::uint64_t others) const {
    return comes_to([&](const State& state) {
      return state.gpu.heaps.begin()->value.memory.others() == others;
    });
  }
  TaskId ask_for(std::uint64_t bytes) {
    TaskSpec spec{.kind = "ask"};
    spec.gpu_memory = {.bytes = bytes};
    return submit(std::move(spec));
  }
  // A model of six GiB, while somebody gives three back.
  void load_while_others_give_back() {
    press(3 * card_gib);
    ASSERT_TRUE(others_are_seen(3 * card_gib));
    hold_loads();
    auto lease = ask("a");
    ASSERT_TRUE(comes_to("a", ModelState::loading));
    ASSERT_TRUE(load_goes_on("a"));
    press(0);
    ASSERT_TRUE(others_are_seen(0));
    let_all_go();
    ASSERT_TRUE(lease.get());
    ASSERT_TRUE(comes_to("a", ModelState::resident));
  }
};

TEST_F(ModelSizes, AServersLoadIsNotMeasuredWhileOthersGiveBack) {
  load_elsewhere();
  watch();
  add(spec("a", 6 * card_gib));
  load_while_others_give_back();
  EXPECT_EQ(model("a").learned, 0U);
}

// As it was found: with three learned of six, nine GiB were never thought to come free.
TEST_F(ModelSizes, ATaskThatAsksForNearlyAllIsServed) {
  load_elsewhere();
  watch({.settle_limit = 30s, .release_limit = 30s, .patience = 100ms});
  engine->handle("ask", [](const Attempt&) { return Outcome::success(); });
  add(spec("a", 6 * card_gib));
  load_while_others_give_back();
  const TaskId task = ask_for(9 * card_gib);
  EXPECT_EQ(wait_until_ended(task).state, TaskState::succeeded);
  EXPECT_EQ(evictions(), "a for gpu_memory, ");
}

TEST_F(ModelSizes, ALoadOfTheProgramItselfIsMeasuredWhateverOthersDo) {
  watch();
  add(spec("a", 6 * card_gib));
  load_while_others_give_back();
  EXPECT_EQ(model("a").learned, 6 * card_gib);
}

// The last look was long ago: what was gone by then would count as given back during the load.
TEST_F(ModelSizes, InFrontOfALoadItIsLookedAtOnceMore) {
  load_elsewhere();
  press(3 * card_gib);
  watch_rarely();
  ASSERT_TRUE(others_are_seen(3 * card_gib));
  add(spec("a", 6 * card_gib));
  press(0);
  make_resident("a");
  EXPECT_EQ(model("a").learned, 6 * card_gib);
}

// Its memory comes free when its process is gone, which may be later than it is told of.
TEST_F(ModelSizes, NothingIsLearnedWhileATaskEnds) {
  load_elsewhere();
  watch();
  Gate gate;
  engine->handle("ask", [&](const Attempt&) {
    gate.pass();
    return Outcome::success();
  });
  const TaskId task = ask_for(2 * card_gib);
  ASSERT_TRUE(comes_to([](const State& state) { return !state.tasks.on_gpu.empty(); }));
  press(2 * card_gib);
  ASSERT_TRUE(others_are_seen(2 * card_gib));
  hold_loads();
  add(spec("a", 6 * card_gib));
  auto lease = ask("a");
  ASSERT_TRUE(comes_to("a", ModelState::loading));
  ASSERT_TRUE(load_goes_on("a"));
  gate.open();
  EXPECT_EQ(wait_until_ended(task).state, TaskState::succeeded);
  let_all_go();
  ASSERT_TRUE(lease.get());
  ASSERT_TRUE(comes_to("a", ModelState::resident));
  EXPECT_EQ(model("a").learned, 0U);
}

TEST_F(ModelSizes, NothingIsLearnedBehindWhatHasNotComeFreeInTime) {
  load_elsewhere();
  watch_rarely();
  for (const char* name : {"a", "b"}) add(spec(name, 3 * card_gib));
  make_resident("a");
  EXPECT_EQ(model("a").learned, 3 * card_gib);
  keep_memory();
  ASSERT_TRUE(engine->unload_model("a"));
  EXPECT_EQ(model("a").slow_releases, 1U);
  make_resident("b");
  EXPECT_EQ(model("b").learned, 0U);
}

// ---- Registered anew ----------------------------------------------------------------------------

class ModelsAnew : public ModelsOnCard {
 protected:
  void add_by_commands() {
    ModelSpec spec{.name = "a", .bytes = 6 * card_gib, .residency = 0s};
    spec.commands.load = {"sh", "-c", "echo loaded >> " + mark()};
    spec.commands.unload = {"sh", "-c", "echo gone >> " + mark()};
    add(std::move(spec));
  }
  void watch_quickly() { watch({.settle_limit = 100ms, .release_limit = 100ms}); }
  [[nodiscard]] std::string mark() const { return (folder / "mark").string(); }
};

TEST_F(ModelsAnew, WhatCommandsHaveLoadedIsNotForgottenForFunctions) {
  watch_quickly();
  add_by_commands();
  make_resident("a");
  add(spec("a", 6 * card_gib));
  close();
  watch_quickly();
  ASSERT_TRUE(comes_to("a", ModelState::absent)) << "a server has it still";
  EXPECT_EQ(test::read_file(mark()), "loaded\ngone\n");
  EXPECT_TRUE(model("a").setting.commands.view().empty());
  add(spec("a", 6 * card_gib));
  make_resident("a");
  EXPECT_EQ(loads_of("a"), 1);
  EXPECT_EQ(test::read_file(mark()), "loaded\ngone\n");
}

TEST_F(ModelsAnew, WhatCommandsHaveLoadedTheyUnloadAndFunctionsLoadIt) {
  watch_quickly();
  add_by_commands();
  make_resident("a");
  add(spec("a", 6 * card_gib));
  EXPECT_EQ(model("a").state, ModelState::resident);
  ASSERT_TRUE(engine->unload_model("a"));
  EXPECT_EQ(test::read_file(mark()), "loaded\ngone\n");
  make_resident("a");
  EXPECT_EQ(loads_of("a"), 1);
  EXPECT_EQ(test::read_file(mark()), "loaded\ngone\n");
}

}  // namespace
}  // namespace almanac::test
