// Moments drawn by chance from the run of an engine, restored: the state has the digest that it had
// there while it ran.
#include <almanac/engine/engine.h>
#include <almanac/log/log.h>
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/restore.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

struct Extent {
  std::uint64_t events = 1'000'000;
  std::uint64_t moments = 2'000;
};

Extent extent() {
  if (std::getenv("ALMANAC_CAMPAIGN") != nullptr) return {};
  return {.events = 10'000, .moments = 40};
}

// Where the engine was, seen by a reader of its state.
struct SeenTask {
  Position position;
  Time time;
  Digest digest{};
};

class RestoreOfARun : public ::testing::Test {
 protected:
  // Runs in ten parts, each of which is archived, and looks at the state all the while.
  void run() {
    for (std::uint64_t part = 1; part <= parts; ++part) {
      run_until(wanted.events * part / parts);
      archive();
    }
  }
  void run_until(std::uint64_t events) {
    auto engine = Engine::open({.folder = folder / "log", .slots = 4});
    ASSERT_TRUE(engine) << describe(engine.error());
    (*engine)->handle("work", [](const Attempt& attempt) {
      return attempt.id.value % 7 == 0 ? almanac::Outcome::failure("no")
                                       : almanac::Outcome::success();
    });
    // Each has three events or a few more.
    const std::vector<TaskSpec> specs(apart() / 3, {.kind = "work"});
    while ((*engine)->state()->position.value < events) {
      ASSERT_TRUE((*engine)->submit(specs));
      look(**engine);
    }
    ASSERT_TRUE((*engine)->wait([](const State& state) { return state.tasks.live() == 0; },
                                std::chrono::minutes(10)));
    look(**engine);
  }
  void look(const Engine& engine) {
    const auto state = engine.state();
    const std::uint64_t last = seen.empty() ? 0 : seen.back().position.value;
    if (state->position.value < last + apart()) return;
    seen.push_back({state->position, state->time, digest(*state)});
  }
  void archive() {
    auto log = Log::open(folder / "log", {.access = Access::read});
    ASSERT_TRUE(log) << describe(log.error());
    auto to = Repository::open(folder / "backup", Access::write);
    auto made = create_snapshot(**log, folder / "log", *to, {.made_at = system_now()});
    ASSERT_TRUE(made) << describe(made.error());
  }

  // By its position or, where the next event was not at the same time, by that.
  [[nodiscard]] RestorePoint point_of(const SeenTask& moment, bool by_time) const {
    if (by_time && is_last_at_its_time(moment)) return {.moment = moment.time};
    return {.moment = moment.position};
  }
  [[nodiscard]] bool is_last_at_its_time(const SeenTask& moment) const {
    auto log = Log::open(folder / "log", {.access = Access::read});
    return *(*log)->position_at(moment.time + Duration(1)) == moment.position.next();
  }

  // A digest goes through all tasks: no more of them than it takes to have enough to draw from.
  [[nodiscard]] std::uint64_t apart() const { return wanted.events / wanted.moments / 4; }

  static constexpr std::uint64_t parts = 10;
  const Extent wanted = extent();
  TempFolder folder;
  std::vector<SeenTask> seen;
};

TEST_F(RestoreOfARun, GivesTheDigestThatItHadThere) {
  run();
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_GE(seen.size(), wanted.moments);
  ASSERT_GE(seen.back().position.value, wanted.events);
  std::ranges::shuffle(seen, std::mt19937_64(std::random_device{}()));
  seen.resize(wanted.moments);
  const auto from = Repository::open(folder / "backup", Access::read);
  std::uint64_t by_time = 0;
  for (const SeenTask& moment : seen) {
    const RestorePoint point =
        point_of(moment, &moment - seen.data() < std::ptrdiff_t(seen.size() / 2));
    if (std::holds_alternative<Time>(point.moment)) ++by_time;
    auto plan = plan_restore(*from, point);
    ASSERT_TRUE(plan) << describe(plan.error());
    ASSERT_EQ(plan->at, moment.position);
    auto report = almanac::restore(*from, *plan, folder / "restored", {.now = system_now()});
    ASSERT_TRUE(report) << describe(report.error());
    ASSERT_EQ(digest(report->state), moment.digest) << "at " << moment.position.value;
    if (&moment == &seen.front() || &moment == &seen.back()) {
      auto log = Log::open(folder / "restored", {.access = Access::read});
      EXPECT_EQ(digest(*state_at(**log, folder / "restored", moment.position)), moment.digest);
    }
    fs::remove_all(folder / "restored");
  }
  std::cout << seen.size() << " moments restored, " << by_time << " by their times\n";
  EXPECT_GT(by_time, 0U);
}

}  // namespace
}  // namespace almanac::test
