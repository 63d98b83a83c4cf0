#include <almanac/tools/recommendation_json.h>

#include <almanac/tools/terms_json.h>

#include <nlohmann/json.hpp>

namespace almanac {

using nlohmann::ordered_json;

std::vector<Recommendation> recommend_for(const State& state, const RecommendFor& wanted) {
  RecommendOptions options{.now = wanted.now, .limit = wanted.limit};
  if (!wanted.queue.empty()) options.queue = state.names.find(wanted.queue);
  if (!wanted.owner.empty()) options.owner = state.names.find(wanted.owner);
  const bool nothing =
      (!wanted.queue.empty() && !options.queue) || (!wanted.owner.empty() && !options.owner);
  return nothing ? std::vector<Recommendation>() : recommend(state, options);
}

ordered_json recommendation_json(const State& state, const Recommendation& next,
                                 std::string_view label) {
  const Task& task = *state.tasks.all.find(next.id);
  ordered_json json{{"id", next.id.value},
                    {"label", label},
                    {"queue", state.names.text(task.queue)},
                    {"kind", state.names.text(task.kind)},
                    {"policy", name(next.policy)},
                    {"score", next.score()},
                    {"factors", ordered_json::object()}};
  for (const auto& [name, points] : next.factors) json["factors"][std::string(name)] = points;
  if (next.until_deadline) json["until_deadline_us"] = next.until_deadline->count();
  if (next.ahead) json["ahead_us"] = next.ahead->count();
  add_terms(json, state, next.id);
  return json;
}

}  // namespace almanac
