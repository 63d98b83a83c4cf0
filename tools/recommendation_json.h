// What should be done next, as programs read it: what `almanac recommend --json` prints.
#pragma once

#include <almanac/engine/recommend.h>
#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <string_view>
#include <vector>

namespace almanac {

// recommend() by names; empty = of any. Where nothing has the name, nothing is recommended.
struct RecommendFor {
  Time now;
  std::size_t limit = 10;
  std::string_view queue = {};
  std::string_view owner = {};
};
[[nodiscard]] std::vector<Recommendation> recommend_for(const State& state,
                                                        const RecommendFor& wanted);
// Of one task of the state.
[[nodiscard]] nlohmann::ordered_json recommendation_json(const State& state,
                                                         const Recommendation& next,
                                                         std::string_view label);

}  // namespace almanac
