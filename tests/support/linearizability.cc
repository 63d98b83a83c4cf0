#include <almanac/tests/support/linearizability.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <ranges>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using CallOutcome = AppendCall::Outcome;

// A call with its place in the log. A gap is a place between two stored events: gap 0 is in front
// of the first one.
struct History {
  std::span<const StoredAppend> log;
  std::unordered_map<std::uint64_t, const AppendCall*> calls;  // by id
  std::vector<const AppendCall*> stored;                       // the calls of the log's events
  // By stream: behind which event it reached version 1, 2, 3 …
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> growth;
};

std::string says(const char* what, std::uint64_t id) {
  return std::string(what) + " (append " + std::to_string(id) + ")";
}

// Every event was asked for, is there once, and was not refused.
std::string join(History& history) {
  for (std::size_t i = 0; i < history.log.size(); ++i) {
    const StoredAppend& event = history.log[i];
    if (event.position != Position(i + 1)) return says("a position is missing", event.id);
    auto found = history.calls.find(event.id);
    if (found == history.calls.end()) return says("an event nobody appended", event.id);
    const AppendCall& call = *found->second;
    if (call.stream != event.stream) return says("an event is in another stream", event.id);
    if (call.outcome == CallOutcome::conflict || call.outcome == CallOutcome::refused) {
      return says("a refused append is in the log", event.id);
    }
    if (call.outcome == CallOutcome::stored && call.position != event.position) {
      return says("an event is not, or not only, where it was said to be", event.id);
    }
    history.stored.push_back(&call);
  }
  std::vector<std::uint64_t> ids;
  for (const StoredAppend& event : history.log) ids.push_back(event.id);
  std::ranges::sort(ids);
  if (auto twice = std::ranges::adjacent_find(ids); twice != ids.end()) {
    return says("an event is there twice", *twice);
  }
  for (const auto& [id, call] : history.calls) {
    if (call->outcome == CallOutcome::stored && !std::ranges::binary_search(ids, id)) {
      return says("an acknowledged event is lost", id);
    }
  }
  return {};
}

// No event stands in front of one that was answered before it was asked for.
std::string check_clock(const History& history) {
  std::uint64_t answered = UINT64_MAX;  // the first answer to any event behind this one
  for (auto i = history.stored.size(); i-- > 0;) {
    const AppendCall& call = *history.stored[i];
    if (answered < call.invoked) return says("the order is not that of the clock", call.id);
    answered = std::min(answered, call.answered);
  }
  return {};
}

std::string check_versions(History& history) {
  for (std::size_t i = 0; i < history.stored.size(); ++i) {
    const AppendCall& call = *history.stored[i];
    auto& growth = history.growth[call.stream];
    if (call.expected && *call.expected != growth.size()) {
      return says("it was stored behind another version than it expected", call.id);
    }
    growth.push_back(i + 1);
  }
  return {};
}

// In which gaps a conflict may have been found, by the clock alone.
class Gaps {
 public:
  explicit Gaps(const History& history) {
    // The first gap in front of which all is answered that was answered by then, and the last one
    // in front of anything invoked later: running extremes, so that both can be searched.
    for (std::size_t i = 0; i < history.stored.size(); ++i) {
      by_answer_.emplace_back(history.stored[i]->answered, i + 1);
    }
    std::ranges::sort(by_answer_);
    std::size_t furthest = 0;
    for (auto& [answered, gap] : by_answer_) furthest = gap = std::max(furthest, gap);
    by_invocation_.reserve(history.stored.size());
    for (std::size_t i = 0; i < history.stored.size(); ++i) {
      by_invocation_.emplace_back(history.stored[i]->invoked, i);
    }
    std::ranges::sort(by_invocation_);
    std::size_t nearest = history.stored.size();
    for (auto i = by_invocation_.size(); i-- > 0;) {
      nearest = by_invocation_[i].second = std::min(nearest, by_invocation_[i].second);
    }
    end_ = history.stored.size();
  }

  // Behind all that was answered before `time`.
  [[nodiscard]] std::size_t behind(std::uint64_t time) const {
    auto later = std::ranges::lower_bound(by_answer_, time, {}, &Pair::first);
    return later == by_answer_.begin() ? 0 : std::prev(later)->second;
  }
  // In front of all that was invoked after `time`.
  [[nodiscard]] std::size_t in_front_of(std::uint64_t time) const {
    auto later = std::ranges::upper_bound(by_invocation_, time, {}, &Pair::first);
    return later == by_invocation_.end() ? end_ : later->second;
  }

 private:
  using Pair = std::pair<std::uint64_t, std::size_t>;
  std::vector<Pair> by_answer_;      // time, and the furthest gap that any answer until then asks
  std::vector<Pair> by_invocation_;  // time, and the nearest gap that any call from then on leaves
  std::size_t end_ = 0;
};

// The first gap from `from` on in which the stream is not at this version.
std::size_t first_gap_not_at(const History& history, std::uint64_t stream, std::uint64_t version,
                             std::size_t from) {
  auto found = history.growth.find(stream);
  static const std::vector<std::size_t> none;
  const auto& growth = found == history.growth.end() ? none : found->second;
  auto at = std::ranges::upper_bound(growth, from);
  if (static_cast<std::uint64_t>(at - growth.begin()) != version) return from;
  return at == growth.end() ? SIZE_MAX : *at;
}

// By stream, the appends that are neither in the log nor refused: until when each was on its way,
// and the first invocation of it and those that were so for longer.
using Losses =
    std::unordered_map<std::uint64_t, std::vector<std::pair<std::uint64_t, std::uint64_t>>>;
Losses lost_appends(const History& history) {
  std::unordered_set<const AppendCall*> there(history.stored.begin(), history.stored.end());
  Losses lost;
  for (const auto& [id, call] : history.calls) {
    if (call->outcome != CallOutcome::unknown || there.contains(call)) continue;
    lost[call->stream].emplace_back(call->answered, call->invoked);
  }
  for (auto& [stream, calls] : lost) {
    std::ranges::sort(calls);
    std::uint64_t first = UINT64_MAX;
    for (auto& [answered, invoked] : std::views::reverse(calls)) {
      first = invoked = std::min(first, invoked);
    }
  }
  return lost;
}

bool may_be_with_a_lost_one(const AppendCall& call, const Losses& losses) {
  auto lost = losses.find(call.stream);
  if (lost == losses.end()) return false;
  auto open = std::ranges::lower_bound(lost->second, std::pair(call.invoked, std::uint64_t{0}));
  return open != lost->second.end() && open->second <= call.answered;
}

// Each conflict is put into the first gap where it can have been found, in the order of the clock.
std::string check_conflicts(const History& history) {
  std::vector<const AppendCall*> conflicts;
  for (const auto& [id, call] : history.calls) {
    if (call->outcome == CallOutcome::conflict) conflicts.push_back(call);
  }
  std::ranges::sort(conflicts, {}, &AppendCall::invoked);
  const Gaps gaps(history);
  const auto lost = lost_appends(history);
  using Placed = std::pair<std::uint64_t, std::size_t>;  // when it was answered, and its gap
  std::priority_queue<Placed, std::vector<Placed>, std::greater<>> placed;
  std::size_t floor = 0;  // the furthest gap of those answered before this one was invoked
  for (const AppendCall* call : conflicts) {
    for (; !placed.empty() && placed.top().first < call->invoked; placed.pop()) {
      floor = std::max(floor, placed.top().second);
    }
    if (!call->expected) return says("a conflict with any version", call->id);
    if (may_be_with_a_lost_one(*call, lost)) continue;
    auto from = std::max(floor, gaps.behind(call->invoked));
    auto gap = first_gap_not_at(history, call->stream, *call->expected, from);
    if (gap > gaps.in_front_of(call->answered)) {
      return says("a conflict with the version it expected", call->id);
    }
    placed.emplace(call->answered, gap);
  }
  return {};
}

}  // namespace

std::string why_not_linearizable(std::span<const AppendCall> calls,
                                 std::span<const StoredAppend> log) {
  History history{.log = log, .calls = {}, .stored = {}, .growth = {}};
  for (const AppendCall& call : calls) {
    if (!history.calls.emplace(call.id, &call).second) return says("asked for twice", call.id);
  }
  auto why = join(history);
  if (why.empty()) why = check_clock(history);
  if (why.empty()) why = check_versions(history);
  return why.empty() ? check_conflicts(history) : why;
}

}  // namespace almanac::test
