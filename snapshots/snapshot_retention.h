// Which snapshots of a log stay, by age, by number, and one each hour, day, week, month and year
// (grandfather, father, son). Pure; any thread.
#pragma once

#include <almanac/log/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace almanac {

// A snapshot stays when one of the rules keeps it. What is 0 or missing keeps nothing.
struct RetentionPolicy {
  // Those not older than the newest by more than that: a log in which nothing happens loses none.
  std::optional<Duration> within;
  std::uint64_t last = 0;  // the newest so many
  // The newest one of each of the newest so many periods in which there is one. Periods are those
  // of UTC; weeks begin on Monday.
  std::uint64_t hourly = 0;
  std::uint64_t daily = 0;
  std::uint64_t weekly = 0;
  std::uint64_t monthly = 0;
  std::uint64_t yearly = 0;
  bool tagged = true;  // those that have a tag

  bool operator==(const RetentionPolicy&) const = default;
};

inline constexpr Duration keep_within_default = std::chrono::days(30);

enum class RetentionRule : std::uint8_t {
  newest,  // whatever the policy says
  within,
  last,
  hourly,
  daily,
  weekly,
  monthly,
  yearly,
  tagged,
};
[[nodiscard]] std::string_view name_of(RetentionRule rule);

struct SnapshotTime {
  std::uint64_t number = 0;
  Time made_at;
  bool has_tag = false;
};

struct RetainedSnapshot {
  std::uint64_t number = 0;
  std::vector<RetentionRule> rules;  // that keep it, in the order of the enumeration
};

// Those that stay, the newest first. All snapshots are of one log. The newest is the one with the
// largest number; ages and periods go by `made_at`. One made behind `now` was made by a clock that
// was wrong: it stays for its time, and makes no other one older. O(n log n).
[[nodiscard]] std::vector<RetainedSnapshot> retain(std::span<const SnapshotTime> snapshots,
                                                   const RetentionPolicy& policy, Time now);

}  // namespace almanac
