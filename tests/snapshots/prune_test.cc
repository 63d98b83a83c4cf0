// Pruning real repositories: what goes, what stays whole, and a year of it.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/prune.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/noon.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class Prune : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path store() const { return folder / "backup"; }
  [[nodiscard]] Repository repository(Access access = Access::read) const {
    auto opened = Repository::open(store(), access);
    EXPECT_TRUE(opened) << describe(opened.error());
    return std::move(*opened);
  }
  // A task more, and a snapshot.
  Manifest snapshot(Time made_at) {
    const std::size_t told = story.events().size();
    story.enqueue({.id = ++tasks});
    for (std::size_t i = told; i < story.events().size(); ++i) {
      EXPECT_TRUE(log->append({story.events()[i].event}));
    }
    return snapshot_of(*log, folder / "log", made_at);
  }
  Manifest snapshot_of(TestLog& of, const fs::path& place, Time made_at) {
    auto repository = this->repository(Access::write);
    auto report = create_snapshot(*of, place, repository, {.made_at = made_at});
    EXPECT_TRUE(report) << describe(report.error());
    return report ? report->manifest : Manifest{};
  }
  PruneReport pruned(const PruneOptions& options) {
    auto repository = this->repository(options.dry_run ? Access::read : Access::write);
    auto report = prune(repository, options);
    EXPECT_TRUE(report) << describe(report.error());
    return report ? std::move(*report) : PruneReport{};
  }
  void expect_whole(const std::vector<std::uint64_t>& numbers) {
    EXPECT_EQ(repository().numbers(), numbers);
    auto verified = verify_archive(repository(), {});
    ASSERT_TRUE(verified) << describe(verified.error());
    for (const CheckedSnapshot& each : verified->snapshots) {
      for (const Error& error : each.damage) ADD_FAILURE() << describe(error);
    }
    auto unreferenced = repository().unreferenced();
    ASSERT_TRUE(unreferenced);
    EXPECT_TRUE(unreferenced->empty());
  }
  [[nodiscard]] std::uint64_t bytes_on_disk() const {
    std::uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(store())) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return bytes;
  }

  TempFolder folder;
  Story story;
  std::uint64_t tasks = 0;
  std::unique_ptr<TestLog> log = std::make_unique<TestLog>(folder / "log");
};

TEST_F(Prune, RemovesWhatNoRuleKeepsAndWhatOnlyThatNeeded) {
  for (int day = 0; day < 4; ++day) snapshot(noon + day * 24h);
  const std::uint64_t before = bytes_on_disk();
  const auto report = pruned({.policy = {.last = 1, .weekly = 2}, .now = noon + 96h});
  // The frames of all are in the newest, and its state stands on that of the first.
  EXPECT_EQ(report.files, 2U);
  EXPECT_EQ(report.bytes, before - bytes_on_disk());
  ASSERT_EQ(report.snapshots.size(), 4U);
  EXPECT_EQ(report.snapshots[0].snapshot.number, 4U);
  using enum RetentionRule;
  EXPECT_EQ(report.snapshots[0].rules, (std::vector{newest, last, weekly}));
  for (std::size_t i = 1; i < 4; ++i) EXPECT_FALSE(report.snapshots[i].is_kept());
  expect_whole({4});
  EXPECT_EQ(snapshot(noon + 96h).number, 5U);
  expect_whole({5, 4});
}

TEST_F(Prune, KeepsThirtyDaysWhenNothingElseIsSaid) {
  for (int day : {0, 1, 31}) snapshot(noon + day * 24h);
  pruned({.now = noon + 31 * 24h});
  expect_whole({3, 2});
}

TEST_F(Prune, TellsWhatWouldGoAndChangesNothing) {
  for (int day = 0; day < 3; ++day) snapshot(noon + day * 24h);
  const std::uint64_t before = bytes_on_disk();
  PruneOptions options{.policy = {.last = 1}, .now = noon, .dry_run = true};
  const auto would = pruned(options);
  EXPECT_EQ(bytes_on_disk(), before);
  expect_whole({3, 2, 1});
  options.dry_run = false;
  const auto did = pruned(options);
  EXPECT_EQ(did.files, would.files);
  EXPECT_EQ(did.bytes, would.bytes);
  expect_whole({3});
  EXPECT_EQ(pruned(options).bytes, 0U);
}

TEST_F(Prune, KeepsTheStateThatADeltaStandsOn) {
  snapshot(noon);
  snapshot(noon + 1h);
  const Manifest last = snapshot(noon + 2h);
  ASSERT_TRUE(last.base.has_value());
  pruned({.policy = {.last = 1}, .now = noon + 2h});
  const auto files = repository().files();
  EXPECT_EQ(std::ranges::count(files, name_of(last.timeline, *last.base)), 1);
  expect_whole({3});
}

TEST_F(Prune, PrunesEachLogByItself) {
  snapshot(noon);
  snapshot(noon + 1h);
  TestLog other(folder / "other");
  ASSERT_TRUE(other.append(numbered_events(1, 3)));
  snapshot_of(other, folder / "other", noon + 100h);
  pruned({.policy = {.last = 1}, .now = noon + 100h});
  expect_whole({3, 2});
}

TEST_F(Prune, LetsADamagedSnapshotStandInForNoOther) {
  std::vector<Manifest> made;
  for (int hour = 0; hour < 4; ++hour) made.push_back(snapshot(noon + hour * 1h));
  const auto damage = [&](const Manifest& manifest) {
    fs::remove(repository().path_of(name_of(manifest.timeline, manifest.checkpoint)));
  };
  damage(made[3]);
  auto report = pruned({.policy = {.last = 2}, .now = noon + 4h});
  // Whole: 3 and 2. Whole or not: 4 and 3.
  EXPECT_EQ(repository().numbers(), (std::vector<std::uint64_t>{4, 3, 2}));
  EXPECT_FALSE(report.snapshots[0].snapshot.whole());
  snapshot(noon + 5h);
  pruned({.policy = {.last = 1}, .now = noon + 5h});
  expect_whole({5});
}

TEST_F(Prune, RemovesNothingWhileAManifestCannotBeRead) {
  for (int hour = 0; hour < 3; ++hour) snapshot(noon + hour * 1h);
  write_file(store() / "manifests" / "2", "nonsense");
  auto repository = this->repository(Access::write);
  auto refused = prune(repository, {.policy = {.last = 1}, .now = noon});
  ASSERT_EQ(code_of(refused), "corrupt");
  EXPECT_NE(refused.error().message.find("manifests/2"), std::string::npos);
  EXPECT_NE(refused.error().next_step.find("bring it back"), std::string::npos);
  EXPECT_EQ(repository.numbers().size(), 3U);
  fs::remove(store() / "manifests" / "2");
  ASSERT_TRUE(prune(repository, {.policy = {.last = 1}, .now = noon}));
  expect_whole({3});
}

TEST_F(Prune, RemovesNothingOfWhatItCannotList) {
  snapshot(noon);
  fs::rename(store() / "manifests", store() / "away");
  write_file(store() / "manifests", "no folder");
  EXPECT_EQ(pruned({.now = noon}).files, 0U);
  fs::remove(store() / "manifests");
  fs::rename(store() / "away", store() / "manifests");
  expect_whole({1});
}

TEST_F(Prune, StopsWhenItIsToldToAndGoesOnAfterwards) {
  for (int hour = 0; hour < 4; ++hour) snapshot(noon + hour * 1h);
  std::stop_source stop;
  PruneOptions options{.policy = {.last = 1}, .now = noon, .stop = stop.get_token()};
  std::uint64_t removed = 0;
  options.progress = [&](std::uint64_t bytes_removed, std::uint64_t) {
    removed = bytes_removed;
    stop.request_stop();
  };
  {
    auto repository = this->repository(Access::write);
    EXPECT_EQ(code_of(prune(repository, options)), "stopped");
  }
  EXPECT_EQ(repository().numbers().size(), 3U);
  EXPECT_GT(removed, 0U);
  options.stop = {};
  pruned(options);
  expect_whole({4});
}

// ---- A year.

bool is_campaign() { return std::getenv("ALMANAC_CAMPAIGN") != nullptr; }

class PrunedYear : public Prune {
 protected:
  // What was committed is in the store once the log was closed, and only that can be trimmed.
  void trim(Position before) {
    log.reset();
    log = std::make_unique<TestLog>(folder / "log");
    ASSERT_TRUE((*log)->set_checkpoint(before));
    ASSERT_TRUE((*log)->trim({.before = before}));
  }
};

// Snapshots come, old ones go, and the log is trimmed to what happened since the last one.
TEST_F(PrunedYear, HoldsAYearInTheRoomOfWhatItKeeps) {
  const Duration apart = is_campaign() ? Duration(1h) : Duration(73h);
  const RetentionPolicy policy{
      .within = {}, .last = 2, .hourly = 24, .daily = 7, .weekly = 4, .monthly = 12};
  constexpr std::size_t kept_max = 2 + 24 + 7 + 4 + 12;
  std::string data(2'000, 'x');
  std::mt19937_64 random(1);
  std::uint64_t made = 0;
  for (Time at = noon; at < noon + 365 * 24h; at += apart) {
    std::ranges::generate(data, [&] { return static_cast<char>(random()); });
    ASSERT_TRUE(log->append({{.at = at, .body = CustomEvent{"hour", as_bytes(data)}}}));
    const Manifest manifest = snapshot_of(*log, folder / "log", at);
    ASSERT_EQ(manifest.number, ++made);
    ASSERT_EQ(manifest.first(), Position(1));
    if (made % 50 == 0) trim(manifest.tail.last);
    pruned({.policy = policy, .now = at});
  }
  EXPECT_GT(*(*log)->first(), Position(1));
  const auto numbers = repository().numbers();
  EXPECT_GE(numbers.size(), 24U + 4U);
  EXPECT_LE(numbers.size(), kept_max);
  expect_whole(numbers);
  // The states and manifests of the snapshots that stayed; and frames, which merging wrote again
  // four times at most, where one of them still has what was merged.
  const std::uint64_t frames = repository().manifest(made)->bytes();
  std::uint64_t others = 0;
  for (std::uint64_t number : numbers) {
    others += repository().manifest(number)->checkpoint.file.bytes;
    others += fs::file_size(repository().path_of(number));
  }
  EXPECT_LE(bytes_on_disk(), 5 * frames + others);
  std::cout << made << " snapshots made, " << numbers.size() << " kept in " << bytes_on_disk()
            << " bytes, of which the newest needs " << frames << "\n";
}

}  // namespace
}  // namespace almanac::test
