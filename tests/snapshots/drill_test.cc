// Drills on a real archive.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/drill.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <set>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class Drill : public ::testing::Test {
 protected:
  Drill() {
    fs::create_directory(place());
    for (std::uint64_t number : {1, 100, 200}) {
      EXPECT_TRUE(log.append(numbered_events(number, 40)));
      auto to = Repository::open(folder / "backup", Access::write);
      EXPECT_TRUE(create_snapshot(*log, folder / "log", *to, {.made_at = noon}));
    }
  }
  [[nodiscard]] fs::path place() const { return folder / "place"; }
  [[nodiscard]] Repository repository(Access access = Access::read) const {
    return std::move(*Repository::open(folder / "backup", access));
  }
  Result<DrillReport> run(std::uint64_t seed) {
    Time now = noon;
    return drill(repository(), {.folder = place(), .seed = seed, .clock = [now]() mutable {
                                  return now += std::chrono::seconds(3);
                                }});
  }

  static constexpr Time noon{Duration(1'700'000'000'000'000)};
  TempFolder folder;
  TestLog log{folder / "log"};
};

TEST_F(Drill, RestoresMomentsDrawnByChanceAndLeavesNothing) {
  std::set<Position> drawn;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto report = run(seed);
    ASSERT_TRUE(report) << describe(report.error());
    EXPECT_GE(report->plan.at, Position(1));
    EXPECT_LE(report->plan.at, Position(120));
    EXPECT_GE(report->plan.next->position, report->plan.at);
    EXPECT_EQ(report->restored.state.position, report->plan.at);
    EXPECT_EQ(report->took, std::chrono::seconds(3));
    EXPECT_EQ(run(seed)->plan.at, report->plan.at) << "the same chance";
    drawn.insert(report->plan.at);
  }
  EXPECT_GT(drawn.size(), 10U);
  EXPECT_TRUE(fs::is_empty(place()));
}

TEST_F(Drill, NoticesAStateThatTheEventsDoNotLeadTo) {
  Manifest third = *repository().manifest(3);
  third.state[0] ^= std::byte{1};
  Repository writing = repository(Access::write);
  ASSERT_TRUE(writing.remove(third.number));
  ASSERT_TRUE(writing.add(third));
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto report = run(seed);
    const auto at = plan_restore(repository(), {})->at;
    if (report) {
      EXPECT_NE(report->plan.next->position, at);
      continue;
    }
    EXPECT_EQ(code_of(report), "corrupt");
    EXPECT_NE(report.error().message.find("snapshot 3"), std::string::npos);
    ++wrong;
  }
  EXPECT_GT(wrong, 0);
  EXPECT_TRUE(fs::is_empty(place()));
}

TEST_F(Drill, NeedsAPlaceToRestoreIn) {
  fs::remove(place());
  EXPECT_NE(code_of(run(1)), "ok");
  EXPECT_FALSE(fs::exists(place()));
}

}  // namespace
}  // namespace almanac::test
