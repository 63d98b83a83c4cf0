// What should be done next, and why: the ready tasks in the order in which dispatch would start
// them (dispatch.h), with what gives each its place. For people and programs that do the work
// themselves, and for those who wonder about the order. Pure.
#pragma once

#include <almanac/log/types.h>
#include <almanac/projections/state.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

struct RecommendOptions {
  Time now;                     // scores are as of then, however old the state
  std::optional<NameId> queue;  // only of this one
  std::optional<NameId> owner;  // only of this one
  std::size_t limit = 10;
};

struct Recommendation {
  TaskId id;
  QueuePolicy policy = QueuePolicy::priority;
  // Their sum is the score; of policies without one (fifo, deadline, fair) there are none.
  std::vector<RankFactor> factors;
  std::optional<Duration> until_deadline;  // negative once it has passed
  // In a fair queue, by how much its owner would be ahead of the others; see ranking.h.
  std::optional<Duration> ahead;

  [[nodiscard]] std::int64_t score() const;
};

// O(lanes + tasks looked at * log lanes), which is `limit` without an owner; and what moving ranks
// to `now` costs.
[[nodiscard]] std::vector<Recommendation> recommend(State state, const RecommendOptions& options);

}  // namespace almanac
