#include <almanac/engine/recommend.h>

#include <almanac/engine/dispatch.h>

namespace almanac {
namespace {

// As the next turn of an engine would do it.
void bring_ranks_to(State& state, Time now) {
  const auto change = state.tasks.ranking.next_change();
  if (!change || *change > now) return;
  fold_into(state, {state.position.next(), {.at = now, .body = TasksReranked{.through = now}}});
}

Recommendation recommendation_of(const State& state, TaskId id, Time now) {
  const Task& task = *state.tasks.all.find(id);
  const TaskTerms& terms = terms_of(state.tasks, id);
  const Ranking& ranking = state.tasks.ranking;
  const Policy& policy = ranking.policy(task.queue);
  Recommendation result{
      .id = id, .policy = policy.kind, .factors = score_factors(policy, task, terms, now)};
  if (terms.deadline != Time()) result.until_deadline = terms.deadline - now;
  if (const std::int64_t* tag = ranking.tags.find(id)) {
    const std::int64_t* time = ranking.virtual_times.find(task.queue);
    result.ahead = Duration(*tag - (time == nullptr ? 0 : *time));
  }
  return result;
}

}  // namespace

std::int64_t Recommendation::score() const {
  std::int64_t sum = 0;
  for (const RankFactor& factor : factors) sum += factor.points;
  return sum;
}

std::vector<Recommendation> recommend(State state, const RecommendOptions& options) {
  bring_ranks_to(state, options.now);
  ReadyQueue ready(state, [&](const Lane& lane) {
    const bool is_asked_for = !options.queue || lane.queue == *options.queue;
    return is_asked_for && !state.pauses.hold_back(lane);
  });
  std::vector<Recommendation> result;
  while (result.size() < options.limit) {
    const auto next = ready.next();
    if (!next) break;
    if (options.owner && terms_of(state.tasks, next->id).owner != options.owner) continue;
    result.push_back(recommendation_of(state, next->id, options.now));
  }
  return result;
}

}  // namespace almanac
