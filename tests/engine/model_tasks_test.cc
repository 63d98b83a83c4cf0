// Tasks that name models, by a whole engine: the real loader and a driver that the test scripts.
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/gate.h>
#include <almanac/tests/support/models_on_card.h>

#include <almanac/engine/model_turns.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class ModelTasks : public ModelsOnCard {
 protected:
  void watch_with(Duration patience) {
    watch({.settle_limit = 30s, .release_limit = 30s, .patience = patience});
    engine->handle("ask", [this](const Attempt& attempt) { return run(attempt); });
  }
  // Notes which model, and on which GPU, in the order of beginning.
  Outcome run(const Attempt& attempt) {
    std::unique_lock lock(mutex_);
    begun_ += attempt.models.empty() ? "-" : attempt.models.front().name;
    gpus_seen_ += attempt.models.empty() ? "" : attempt.models.front().gpu;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_held_ || attempt.stop.stop_requested(); });
    return Outcome::success();
  }
  TaskId ask_for(const std::string& model) {
    return submit({.kind = "ask", .demands = {{model, 1}}});
  }
  void hold_tasks(bool is_held) {
    const std::lock_guard lock(mutex_);
    is_held_ = is_held;
    changed_.notify_all();
  }
  [[nodiscard]] std::string begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  [[nodiscard]] std::string gpus_seen() {
    const std::lock_guard lock(mutex_);
    return gpus_seen_;
  }
  void TearDown() override {
    hold_tasks(false);
    ModelsOnCard::TearDown();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string begun_;
  std::string gpus_seen_;
  bool is_held_ = false;
};

TEST_F(ModelTasks, AreGivenTheirModelAndItsGpu) {
  watch_with(30s);
  add(spec("a", 4 * card_gib));
  const TaskId id = ask_for("a");
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_EQ(begun(), "a");
  EXPECT_EQ(gpus_seen(), ScriptedGpu{}.identity());
  EXPECT_EQ(loads_of("a"), 1);
}

TEST_F(ModelTasks, OfTwoThatDoNotFitTogetherAreBatched) {
  watch_with(6s);
  add(spec("a", 6 * card_gib));
  add(spec("b", 6 * card_gib));
  hold_loads();
  for (int i = 0; i < 10; ++i) {
    ask_for("a");
    ask_for("b");
  }
  let_all_go();
  wait_until_all_ended();
  EXPECT_EQ(loads_of("a") + loads_of("b"), 2) << begun();
  EXPECT_LE(most_at_once(), 10 * card_gib);
  EXPECT_TRUE(begun() == std::string(10, 'a') + std::string(10, 'b') ||
              begun() == std::string(10, 'b') + std::string(10, 'a'))
      << begun();
}

// Work for a never ends by itself: each task submits the next.
TEST_F(ModelTasks, NoneStarvesWhateverComes) {
  watch({.settle_limit = 30s, .release_limit = 30s, .patience = 200ms});
  std::atomic<bool> is_over = false;
  std::atomic<int> done = 0;
  engine->handle("ask", [&](const Attempt&) {
    ++done;
    if (!is_over) (void)engine->submit({.kind = "ask", .demands = {{"a", 1}}});
    return Outcome::success();
  });
  engine->handle("other", [&](const Attempt&) {
    is_over = true;
    return Outcome::success();
  });
  add(spec("a", 6 * card_gib));
  add(spec("b", 6 * card_gib));
  for (int i = 0; i < 3; ++i) ask_for("a");
  ASSERT_TRUE(comes_to("a", ModelState::resident));
  const TaskId other = submit({.kind = "other", .demands = {{"b", 1}}});
  EXPECT_EQ(wait_until_ended(other).state, TaskState::succeeded);
  wait_until_all_ended();
  EXPECT_GE(done, 3);
  EXPECT_GE(loads_of("a"), 1);
  EXPECT_EQ(loads_of("b"), 1);
}

TEST_F(ModelTasks, HaveNobodyBehindThemAndSayWhatIsMissing) {
  watch_with(10min);
  press(5 * card_gib);
  ASSERT_TRUE(comes_to([&](const State& state) {
    return std::ranges::any_of(state.gpu.heaps, [](const auto& entry) {
      return entry.value.memory.others() >= 5 * card_gib;
    });
  }));
  add(spec("large", 9 * card_gib));
  const TaskId waits = ask_for("large");
  EXPECT_EQ(wait_until_ended(submit({.kind = "ask"})).state, TaskState::succeeded);
  ASSERT_TRUE(comes_to([&](const State& state) { return !state.tasks.blocked.empty(); }));
  const auto state = engine->state();
  const ModelWait wait = model_wait(*state, *state->names.find("large"), state->time);
  EXPECT_EQ(wait.kind, ModelWait::Kind::short_of_memory);
  EXPECT_TRUE(contains(wait.numbers, "needs 9.0 GiB, device ")) << wait.numbers;
  EXPECT_TRUE(contains(wait.numbers, " has 5.0 free, 5.0 used by others, evictable 0"))
      << wait.numbers;
  press(0);
  EXPECT_EQ(wait_until_ended(waits).state, TaskState::succeeded);
}

TEST_F(ModelTasks, KeepTheirModelWhereItIs) {
  watch_with(10min);
  add(spec("a", 6 * card_gib));
  hold_tasks(true);
  const TaskId id = ask_for("a");
  wait_for(id, TaskState::running);
  const auto refused = engine->unload_model("a", 50ms);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(contains(refused.error().message, "used by 1")) << refused.error().message;
  hold_tasks(false);
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_TRUE(engine->unload_model("a", 60s));
}

TEST_F(ModelTasks, WaitUntilALostGpuIsBack) {
  watch_with(10min);
  add(spec("a", 4 * card_gib));
  hold_tasks(true);
  const TaskId first = ask_for("a");
  wait_for(first, TaskState::running);
  lose(true);
  ASSERT_TRUE(comes_to("a", ModelState::absent));
  const TaskId second = ask_for("a");
  hold_tasks(false);
  EXPECT_EQ(wait_until_ended(first).state, TaskState::succeeded) << "what runs is its own affair";
  EXPECT_EQ(task(second).state, TaskState::ready);
  lose(false);
  EXPECT_EQ(wait_until_ended(second).state, TaskState::succeeded);
  EXPECT_EQ(loads_of("a"), 2);
}

TEST_F(ModelTasks, GoOnInTheNextEngine) {
  watch_with(10min);
  add(spec("a", 6 * card_gib));
  hold_loads();
  const TaskId id = ask_for("a");
  ASSERT_TRUE(comes_to("a", ModelState::loading));
  engine->stop_at_once();
  let_all_go();
  close();
  watch_with(10min);
  EXPECT_EQ(task(id).state, TaskState::ready);
  add(spec("a", 6 * card_gib));
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
}

TEST_F(ModelTasks, ThatAskForMemoryHaveItOneAfterTheOther) {
  watch_with(10min);
  hold_tasks(true);
  const TaskId first = submit({.kind = "ask", .gpu_memory = GpuMemorySpec{6 * card_gib}});
  wait_for(first, TaskState::running);
  const TaskId second = submit({.kind = "ask", .gpu_memory = GpuMemorySpec{6 * card_gib}});
  const TaskId small = submit({.kind = "ask", .gpu_memory = GpuMemorySpec{2 * card_gib}});
  wait_for(small, TaskState::running);
  EXPECT_EQ(task(second).state, TaskState::ready);
  hold_tasks(false);
  EXPECT_EQ(wait_until_ended(second).state, TaskState::succeeded);
  wait_until_all_ended();
  const std::string gpu = ScriptedGpu{}.identity();
  EXPECT_EQ(gpus_seen(), gpu + gpu + gpu);
  EXPECT_TRUE(engine->state()->tasks.on_gpu.empty());
}

TEST_F(ModelTasks, ThatAskForMemoryTakeThePlaceOfAnIdleModel) {
  watch_with(1s);
  add(spec("a", 6 * card_gib));
  make_resident("a");
  const TaskId id = submit({.kind = "ask", .gpu_memory = GpuMemorySpec{6 * card_gib}});
  EXPECT_EQ(wait_until_ended(id).state, TaskState::succeeded);
  EXPECT_EQ(evictions(), "a for gpu_memory, ");
}

}  // namespace
}  // namespace almanac::test
