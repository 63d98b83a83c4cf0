#include <almanac/engine/token_waits.h>

#include <almanac/engine/core.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

const TakeTokens& take_of(const std::unique_ptr<Submission>& take) {
  return std::get<TakeTokens>(take->command);
}

// When the first of a limit can be decided: also when what it asks for can never be there.
Time decidable_at(const State& state, const TakeTokens& take) {
  const LimitSetting rate = rate_of(state.limits, state.names, take.limit);
  const auto limit = state.names.find(take.limit);
  if (!limit || take.tokens == 0 || take.tokens > rate.burst) return {};
  return tokens_due(state.limits, *limit, rate, take.tokens);
}

}  // namespace

TokenWaits::TokenWaits() = default;
TokenWaits::~TokenWaits() = default;

void TokenWaits::add(std::unique_ptr<Submission> take) {
  waiting_[take_of(take).limit].push_back(std::move(take));
}

TokenWaits::Over TokenWaits::next(const State& state, Time now) {
  for (auto entry = waiting_.begin(); entry != waiting_.end(); ++entry) {
    Queue& queue = entry->second;
    const bool is_decidable = decidable_at(state, take_of(queue.front())) <= now;
    const auto over =
        is_decidable ? queue.begin() : std::ranges::find_if(queue, [&](const auto& take) {
          return take_of(take).until <= now;
        });
    if (over == queue.end()) continue;
    Over one{std::move(*over), !is_decidable};
    queue.erase(over);
    if (queue.empty()) waiting_.erase(entry);
    return one;
  }
  return {};
}

std::optional<Time> TokenWaits::due(const State& state) const {
  std::optional<Time> next;
  for (const auto& [limit, queue] : waiting_) {
    Time due = decidable_at(state, take_of(queue.front()));
    for (const auto& take : queue) due = std::min(due, take_of(take).until);
    next = next ? std::min(*next, due) : due;
  }
  return next;
}

std::vector<std::unique_ptr<Submission>> TokenWaits::take_all() {
  std::vector<std::unique_ptr<Submission>> all;
  for (auto& [limit, queue] : waiting_) std::ranges::move(queue, std::back_inserter(all));
  waiting_.clear();
  return all;
}

}  // namespace almanac
