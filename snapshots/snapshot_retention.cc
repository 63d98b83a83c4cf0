#include <almanac/snapshots/snapshot_retention.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

namespace almanac {
namespace {

namespace chrono = std::chrono;

using Period = std::int64_t;

Period hour_of(Time time) { return chrono::floor<chrono::hours>(time.time_since_epoch()).count(); }

chrono::sys_days date_of(Time time) { return chrono::floor<chrono::days>(time); }

Period day_of(Time time) { return date_of(time).time_since_epoch().count(); }

Period week_of(Time time) {
  constexpr chrono::sys_days a_monday = chrono::year(1970) / chrono::January / 5;
  return chrono::floor<chrono::weeks>(date_of(time) - a_monday).count();
}

Period year_of(Time time) { return static_cast<int>(chrono::year_month_day(date_of(time)).year()); }

Period month_of(Time time) {
  const chrono::year_month_day date(date_of(time));
  return year_of(time) * 12 + static_cast<unsigned>(date.month());
}

struct PeriodRule {
  RetentionRule rule;
  std::uint64_t RetentionPolicy::* count;
  Period (*period_of)(Time);
};
constexpr std::array period_rules = {
    PeriodRule{RetentionRule::hourly, &RetentionPolicy::hourly, hour_of},
    PeriodRule{RetentionRule::daily, &RetentionPolicy::daily, day_of},
    PeriodRule{RetentionRule::weekly, &RetentionPolicy::weekly, week_of},
    PeriodRule{RetentionRule::monthly, &RetentionPolicy::monthly, month_of},
    PeriodRule{RetentionRule::yearly, &RetentionPolicy::yearly, year_of},
};

}  // namespace

std::string_view name_of(RetentionRule rule) {
  constexpr std::array<std::string_view, 9> names = {
      "newest", "within", "last", "hourly", "daily", "weekly", "monthly", "yearly", "tagged"};
  return names.at(std::to_underlying(rule));
}

std::vector<RetainedSnapshot> retain(std::span<const SnapshotTime> snapshots,
                                     const RetentionPolicy& policy, Time now) {
  if (snapshots.empty()) return {};
  std::map<std::uint64_t, std::vector<RetentionRule>, std::greater<>> kept;
  const SnapshotTime newest = *std::ranges::max_element(snapshots, {}, &SnapshotTime::number);
  kept[newest.number].push_back(RetentionRule::newest);

  std::vector<SnapshotTime> youngest_first(snapshots.begin(), snapshots.end());
  std::ranges::sort(youngest_first, std::greater<>(), [](const SnapshotTime& snapshot) {
    return std::tie(snapshot.made_at, snapshot.number);
  });
  if (policy.within) {
    const Time reference = std::min(newest.made_at, now);
    for (const SnapshotTime& each : youngest_first) {
      if (reference - each.made_at > *policy.within) continue;
      kept[each.number].push_back(RetentionRule::within);
    }
  }
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(policy.last, youngest_first.size()); ++i) {
    kept[youngest_first[i].number].push_back(RetentionRule::last);
  }
  for (const auto& [rule, count, period_of] : period_rules) {
    std::uint64_t left = policy.*count;
    std::optional<Period> before;
    for (const SnapshotTime& each : youngest_first) {
      if (left == 0) break;
      const Period period = period_of(each.made_at);
      if (std::exchange(before, period) == period) continue;
      kept[each.number].push_back(rule);
      --left;
    }
  }
  for (const SnapshotTime& each : youngest_first) {
    if (policy.tagged && each.has_tag) kept[each.number].push_back(RetentionRule::tagged);
  }
  std::vector<RetainedSnapshot> retained;
  for (auto& [number, rules] : kept) retained.push_back({number, std::move(rules)});
  return retained;
}

}  // namespace almanac
