#include <almanac/engine/health_watch.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/state_health.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

std::string text_of(const std::vector<HealthReason>& reasons) {
  std::string text;
  for (const HealthReason& reason : reasons) {
    if (text.size() + reason.sentence.size() >= limits::message_bytes_max) break;
    text += (text.empty() ? "" : "\n") + reason.sentence;
  }
  return text;
}

}  // namespace

std::vector<Event> HealthWatch::decide(const State& state, const DecideContext& context) {
  const auto at = due(state);
  if (!at || context.now < *at) return {};
  look_at_ = context.now + limits::health_interval;
  seen_ = state.position;
  const auto reasons = health_reasons(state, context.now);
  const Health health = health_of(reasons);
  if (health == state.health.health) {
    since_.reset();
    return {};
  }
  if (!since_) since_ = context.now;
  if (context.now - *since_ < hold_) return {};
  since_.reset();
  return {{.at = context.now,
           .body = HealthChanged{.from = state.health.health,
                                 .to = health,
                                 .reasons = context.memory.text(text_of(reasons))}}};
}

std::optional<Time> HealthWatch::due(const State& state) const {
  if (hold_ == Duration(0)) return std::nullopt;
  if (seen_ != state.position) return look_at_;
  if (!since_) return std::nullopt;
  return std::max(look_at_, *since_ + hold_);
}

}  // namespace almanac
