// The steps of the runner of models, with no GPU, no thread and no clock but the one the test
// turns: what it waits for, and what it learns of a load.
#include <almanac/engine/model_runner.h>
#include <almanac/tests/support/gpu_desk.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

// One card of ten GiB; loads and unloads end at once, or fail.
class RunnerDesk : public ::testing::Test, public GpuDesk {
 protected:
  // As the watch tells it, to the log and to the runner.
  void see(std::uint64_t others_gib) {
    look(others_gib * desk_gib);
    others_ = others_gib;
    show();
  }
  // The same, which is too little for the log.
  void show() {
    GpuReading reading;
    const GpuMemory memory{.size = 10 * desk_gib, .own = 0, .budget = (10 - others_) * desk_gib};
    reading.devices.push_back({.device = "card",
                               .name = "Card",
                               .kind = GpuKind::discrete,
                               .trouble = {},
                               .heaps = {{memory, true}}});
    runner.saw(reading);
  }
  void turn(Duration later = 100ms) {
    desk.now += later;
    looks_ = 0;
    (void)runner.take_steps();
  }
  TaskId want(const std::string& name) {
    return desk.submit({.kind = "ask", .demands = {{name, 1}}});
  }
  [[nodiscard]] const Model& model(const std::string& name) const {
    return *desk.state().models.all.find(id_of(name));
  }
  // From the wish for it until it is loaded, and so much is used by others then.
  void load_until_it_settles(const std::string& name, std::uint64_t others_gib) {
    want(name);
    turn();
    ASSERT_EQ(model(name).state, ModelState::loading);
    turn();
    see(others_);
    turn();
    turn();
    ASSERT_EQ(model(name).state, ModelState::settling);
    see(others_gib);
    turn();
  }
  void come_to_rest() {
    show();
    turn();
  }

  std::uint64_t others_ = 0;
  int looks_ = 0;  // asked for in the last turn
  int works_ = 0;
  bool works_fail_ = false;
  bool works_last_ = false;
  ModelWork* work_ = nullptr;  // the last that was begun
  ModelRunner runner{
      {.clock = [this] { return desk.now; },
       .state = [this] { return std::make_shared<const State>(desk.state()); },
       .tell =
           [this](Command command, const std::function<void(Result<Answer>)>& done) {
             done(desk.ask(std::move(command)));
           },
       .report = [this](Command command) { (void)desk.ask(std::move(command)); },
       .look = [this] { ++looks_; },
       .place = {},
       .steady_clock = [this] { return SteadyTime(desk.now.time_since_epoch()); },
       .begin_work =
           [this](const std::shared_ptr<ModelTable>&, ModelEntry& entry, ModelWork::Kind kind,
                  const ModelJob&, const Model&, const ModelPlace&) {
             ++works_;
             entry.work = std::make_unique<ModelWork>();
             entry.work->kind = kind;
             work_ = entry.work.get();
             if (works_last_) return;
             entry.work->result =
                 works_fail_ ? fail(ErrorCode::model_loading, "no") : Result<void>();
           }},
      {.settle_limit = 10s, .release_limit = 10s, .patience = 30s}};
};

TEST_F(RunnerDesk, BeginsNoLoadBeforeItHasLookedSinceThatWasDecided) {
  add("a", 6);
  want("a");
  see(3);
  turn();
  ASSERT_EQ(model("a").state, ModelState::loading);
  turn();
  EXPECT_EQ(works_, 0);
  EXPECT_EQ(looks_, 1);
  see(0);
  turn();
  EXPECT_EQ(works_, 1);
}

TEST_F(RunnerDesk, WaitsForNoDriverThatDoesNotAnswer) {
  add("a", 6);
  want("a");
  see(3);
  turn();
  turn();
  EXPECT_EQ(works_, 0);
  turn(1s);
  EXPECT_EQ(works_, 1);
  turn();
  see(9);
  turn();
  come_to_rest();
  EXPECT_EQ(model("a").state, ModelState::resident);
  EXPECT_EQ(model("a").learned, 0U) << "nobody has looked in front of it";
}

TEST_F(RunnerDesk, LearnsWhatALoadHasTakenOnceItHasComeToRest) {
  add("a", 6);
  load_until_it_settles("a", 5);
  EXPECT_EQ(model("a").state, ModelState::settling) << "one look is not enough";
  come_to_rest();
  EXPECT_EQ(model("a").state, ModelState::resident);
  EXPECT_EQ(model("a").learned, 5 * desk_gib);
}

TEST_F(RunnerDesk, LearnsNothingOfWhatDoesNotComeToRest) {
  add("a", 6);
  load_until_it_settles("a", 6);
  for (std::uint64_t i = 0; model("a").state == ModelState::settling && i < 20; ++i) {
    see(7 - i % 2);
    turn(1s);
  }
  EXPECT_EQ(model("a").state, ModelState::resident) << "it is waited for up to a limit";
  EXPECT_EQ(model("a").learned, 0U);
}

// Six are taken, three of which others have given back: what is free in front of the load and
// behind it does not tell.
TEST_F(RunnerDesk, LooksWhileAModelIsLoaded) {
  see(3);
  add("a", 6);
  works_last_ = true;
  want("a");
  turn();
  turn();
  show();
  turn();
  ASSERT_EQ(works_, 1);
  turn(1s);
  EXPECT_EQ(looks_, 1);
  see(0);
  turn();
  see(6);
  turn();
  work_->result = Result<void>();
  turn();
  turn();
  ASSERT_EQ(model("a").state, ModelState::settling);
  come_to_rest();
  come_to_rest();
  EXPECT_EQ(model("a").state, ModelState::resident);
  EXPECT_EQ(model("a").learned, 0U);
}

TEST_F(RunnerDesk, LearnsNothingWhileATaskThatHadMemoryEnds) {
  see(0);
  const TaskId task = ask_for(2);
  desk.start();
  desk.now += 1s;
  see(2);
  add("a", 6);
  load_until_it_settles("a", 8);
  desk.finish(task, AttemptStatus::succeeded);
  come_to_rest();
  EXPECT_EQ(model("a").state, ModelState::resident);
  EXPECT_EQ(model("a").learned, 0U);
}

TEST_F(RunnerDesk, LearnsNothingJustBehindALoadThatHasFailed) {
  see(0);
  add("broken", 3);
  works_fail_ = true;
  const TaskId task = want("broken");
  for (int i = 0; i < 4 && model("broken").failures == 0; ++i) {
    turn();
    show();
  }
  ASSERT_EQ(model("broken").failures, 1U);
  works_fail_ = false;
  desk.cancel(task);
  add("a", 6);
  load_until_it_settles("a", 6);
  come_to_rest();
  EXPECT_EQ(model("a").learned, 0U) << "what it had taken may still come free";
  desk.now += 1h;
  add("b", 3);
  load_until_it_settles("b", 9);
  come_to_rest();
  EXPECT_EQ(model("b").learned, 3 * desk_gib) << "that was long ago";
}

}  // namespace
}  // namespace almanac::test
