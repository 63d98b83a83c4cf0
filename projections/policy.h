// How the policy of a queue ranks its ready tasks: pure, from the task, its terms, the queue's
// settings and the time. Ranks are compared within one queue only.
#pragma once

#include <almanac/log/events/queue.h>
#include <almanac/projections/names.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

struct Task;
struct TaskTerms;

// The parts of the urgency score, each with a weight in points.
enum class UrgencyPart : std::uint8_t {
  low,         // of a priority below 0
  medium,      // of the priority 0
  high,        // of one above
  priority,    // for each point of the priority
  deadline,    // when it is as close as can be: a quarter for each step of closeness
  overdue,     // once it has passed, beside the former
  short_work,  // for an estimate up to Policy::short_work
};
inline constexpr std::size_t urgency_part_count = 7;
[[nodiscard]] std::string_view name(UrgencyPart part);
[[nodiscard]] std::optional<UrgencyPart> urgency_part_from(std::string_view name);

// Steps of closeness: a window, a quarter of it, a sixteenth and a 64th before the deadline.
inline constexpr int closeness_steps = 4;

struct OwnerWeight {
  NameId owner;
  std::int32_t weight = 0;
  bool operator==(const OwnerWeight&) const = default;
};
// The share of an owner that has no weight.
inline constexpr std::int32_t owner_weight_default = 100;
// What a task without an estimate costs its owner.
inline constexpr Duration assumed_estimate = std::chrono::minutes(1);

// The settings behind QueueConfigured, of which each policy uses its own. A value.
struct Policy {
  QueuePolicy kind = QueuePolicy::priority;
  Duration ageing{0};                                      // priority, urgency
  Duration window{0};                                      // urgency
  Duration short_work{0};                                  // urgency
  std::array<std::int32_t, urgency_part_count> weights{};  // urgency
  std::vector<OwnerWeight> owners;                         // fair, by owner

  [[nodiscard]] std::int32_t weight(UrgencyPart part) const {
    return weights[static_cast<std::size_t>(part)];
  }
  bool operator==(const Policy&) const = default;
};

// What the event says; `names` gets the owners it names.
[[nodiscard]] Policy policy_of(const QueueConfigured& event, Names& names);

// One reason for a place in the order.
struct RankFactor {
  std::string_view name;
  std::int64_t points = 0;
};

// The parts of the score of a task at a time, for policies that have one (priority, urgency): those
// that are not 0. Waiting is the last and counts whole points only.
[[nodiscard]] std::vector<RankFactor> score_factors(const Policy& policy, const Task& task,
                                                    const TaskTerms& terms, Time at);

struct Rank {
  std::int64_t value = 0;          // the smallest runs first, among equals the one submitted first
  std::optional<Time> changes_at;  // when time alone changes the value next
};

// The rank at a time; in a fair queue the tag in Ranking says it instead. Ageing makes no changes:
// all scores grow alike, so what is compared is when each would have been 0. O(1).
[[nodiscard]] Rank rank_of(const Policy& policy, const Task& task, const TaskTerms& terms, Time at);

// What a task costs its owner in a fair queue: its estimate by the owner's weight, in microseconds
// at the default weight. At least 1.
[[nodiscard]] std::int64_t fair_cost(const Policy& policy, const TaskTerms& terms);

}  // namespace almanac
