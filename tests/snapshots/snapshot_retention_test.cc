// Which snapshots stay, by the rules and by what must hold of any of them.
#include <almanac/snapshots/snapshot_retention.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <vector>

namespace almanac::test {
namespace {

namespace chrono = std::chrono;
using namespace std::chrono_literals;

// A Saturday.
constexpr Time midday = chrono::sys_days(chrono::year(2026) / chrono::November / 21) + 12h;
constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// So many, the last one at midday and each `apart` from the next.
std::vector<SnapshotTime> every(Duration apart, std::uint64_t count) {
  std::vector<SnapshotTime> snapshots;
  for (std::uint64_t number = 1; number <= count; ++number) {
    snapshots.push_back({number, midday - apart * static_cast<std::int64_t>(count - number)});
  }
  return snapshots;
}

std::vector<std::uint64_t> numbers_kept(const std::vector<SnapshotTime>& snapshots,
                                        const RetentionPolicy& policy, Time now = midday) {
  std::vector<std::uint64_t> numbers;
  for (const auto& kept : retain(snapshots, policy, now)) numbers.push_back(kept.number);
  return numbers;
}

struct RetentionRow {
  const char* name;
  Duration apart;
  std::uint64_t count;
  RetentionPolicy policy;
  std::vector<std::uint64_t> kept;
};

TEST(SnapshotRetention, KeepsWhatTheRulesSay) {
  const std::vector<RetentionRow> rows = {
      {"no rule", 1h, 5, {}, {5}},
      {"within, its edge included", 1h, 5, {.within = 2h}, {5, 4, 3}},
      {"within nothing", 1h, 3, {.within = 0h}, {3}},
      {"last", 1h, 5, {.last = 2}, {5, 4}},
      {"last, more than there are", 1h, 2, {.last = unlimited}, {2, 1}},
      // 12:00 | 11:30 11:00 | 10:30 10:00
      {"the newest of an hour", 30min, 5, {.hourly = 2}, {5, 4}},
      // Saturday 12:00 to 00:00, then Friday's, of which that at 18:00 is the newest.
      {"the newest of a day", 6h, 8, {.daily = 3}, {8, 5, 1}},
      {"days without one do not count", chrono::days(3), 4, {.daily = 3}, {4, 3, 2}},
      // Sunday 15th is the end of a week that began on Monday 9th.
      {"weeks begin on Monday", chrono::days(1), 14, {.weekly = 2}, {14, 8}},
      // November 21, October 31, September 30.
      {"the newest of a month", chrono::days(1), 100, {.monthly = 3}, {100, 79, 48}},
      // 2025 ended 325 days before.
      {"the newest of a year", chrono::days(1), 400, {.yearly = 5}, {400, 75}},
      {"rules add up", chrono::days(1), 14, {.last = 2, .weekly = 2}, {14, 13, 8}},
  };
  for (const RetentionRow& row : rows) {
    EXPECT_EQ(numbers_kept(every(row.apart, row.count), row.policy), row.kept) << row.name;
  }
}

TEST(SnapshotRetention, SaysByWhichRules) {
  const auto kept = retain(every(1h, 3), {.within = 1h, .last = 1, .daily = 1}, midday);
  ASSERT_EQ(kept.size(), 2U);
  using enum RetentionRule;
  EXPECT_EQ(kept[0].rules, (std::vector{newest, within, last, daily}));
  EXPECT_EQ(kept[1].rules, (std::vector{within}));
  EXPECT_EQ(name_of(newest), "newest");
  EXPECT_EQ(name_of(yearly), "yearly");
  EXPECT_EQ(name_of(tagged), "tagged");
}

TEST(SnapshotRetention, KeepsWhatHasATagUnlessToldOtherwise) {
  auto snapshots = every(chrono::days(100), 4);
  snapshots[1].has_tag = true;
  EXPECT_EQ(numbers_kept(snapshots, {.last = 1}), (std::vector<std::uint64_t>{4, 2}));
  EXPECT_EQ(retain(snapshots, {}, midday)[1].rules, std::vector{RetentionRule::tagged});
  EXPECT_EQ(numbers_kept(snapshots, {.tagged = false}), (std::vector<std::uint64_t>{4}));
}

TEST(SnapshotRetention, KnowsTheCalendarInFrontOf1970) {
  const std::vector<SnapshotTime> snapshots = {{1, Time(-1h)}, {2, Time(0h)}};
  EXPECT_EQ(numbers_kept(snapshots, {.daily = 2}), (std::vector<std::uint64_t>{2, 1}));
}

TEST(SnapshotRetention, LetsNoAgeComeFromALogThatStandsStill) {
  EXPECT_EQ(numbers_kept(every(1h, 3), {.within = 2h}, midday + chrono::years(1)).size(), 3U);
}

TEST(SnapshotRetention, LetsNoWrongClockMakeOthersOld) {
  auto snapshots = every(1h, 4);
  snapshots.back().made_at = midday + chrono::years(5);
  EXPECT_EQ(numbers_kept(snapshots, {.within = 2h}), (std::vector<std::uint64_t>{4, 3, 2}));
  snapshots.back().made_at = midday - chrono::years(5);
  EXPECT_EQ(numbers_kept(snapshots, {.last = 2}), (std::vector<std::uint64_t>{4, 3, 2}));
}

// ---- Of any snapshots and any policy.

std::vector<SnapshotTime> any_snapshots() {
  std::vector<SnapshotTime> snapshots;
  Time time = midday;
  const auto count = *rc::gen::inRange(1, 60);
  for (int number = 1; number <= count; ++number) {
    // Now and then a clock is put back.
    time += chrono::minutes(*rc::gen::inRange(-1000, 30'000));
    snapshots.push_back({static_cast<std::uint64_t>(number), time});
  }
  return snapshots;
}

RetentionPolicy any_policy() {
  auto count = [] { return *rc::gen::inRange<std::uint64_t>(0, 12); };
  RetentionPolicy policy{.within = {},
                         .last = count(),
                         .hourly = count(),
                         .daily = count(),
                         .weekly = count(),
                         .monthly = count(),
                         .yearly = count()};
  if (*rc::gen::arbitrary<bool>()) policy.within = chrono::hours(*rc::gen::inRange(0, 5000));
  return policy;
}

std::set<std::uint64_t> set_of(const std::vector<std::uint64_t>& numbers) {
  return {numbers.begin(), numbers.end()};
}

RC_GTEST_PROP(SnapshotRetention, AlwaysKeepsTheNewest, ()) {
  const auto snapshots = any_snapshots();
  const auto kept = retain(snapshots, any_policy(), midday);
  RC_ASSERT(kept.front().number == snapshots.back().number);
  RC_ASSERT(kept.front().rules.front() == RetentionRule::newest);
}

RC_GTEST_PROP(SnapshotRetention, RemovesNothingTheSecondTime, ()) {
  const auto snapshots = any_snapshots();
  const auto policy = any_policy();
  const auto kept = numbers_kept(snapshots, policy);
  auto left = snapshots;
  std::erase_if(left, [&](const auto& each) { return !set_of(kept).contains(each.number); });
  RC_ASSERT(numbers_kept(left, policy) == kept);
}

RC_GTEST_PROP(SnapshotRetention, KeepsMoreByALargerPolicy, ()) {
  const auto snapshots = any_snapshots();
  const auto small = any_policy();
  const auto more = any_policy();
  RetentionPolicy large = small;
  if (more.within) large.within = small.within.value_or(Duration(0)) + *more.within;
  for (auto count :
       {&RetentionPolicy::last, &RetentionPolicy::hourly, &RetentionPolicy::daily,
        &RetentionPolicy::weekly, &RetentionPolicy::monthly, &RetentionPolicy::yearly}) {
    large.*count += more.*count;
  }
  RC_ASSERT(std::ranges::includes(set_of(numbers_kept(snapshots, large)),
                                  set_of(numbers_kept(snapshots, small))));
}

// Snapshots that are made and thinned day by day are those that thinning once would leave.
RC_GTEST_PROP(SnapshotRetention, LosesNothingByRemovingOften, ()) {
  const auto policy = any_policy();
  std::vector<SnapshotTime> all;
  std::vector<SnapshotTime> thinned;
  Time time = midday;
  for (std::uint64_t number = 1; number <= 40; ++number) {
    time += chrono::minutes(*rc::gen::inRange(1, 30'000));
    all.push_back({number, time});
    thinned.push_back(all.back());
    const auto kept = set_of(numbers_kept(thinned, policy, time));
    std::erase_if(thinned, [&](const auto& each) { return !kept.contains(each.number); });
  }
  RC_ASSERT(numbers_kept(thinned, policy, time) == numbers_kept(all, policy, time));
}

}  // namespace
}  // namespace almanac::test
