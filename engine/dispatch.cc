#include <almanac/engine/dispatch.h>

#include <map>
#include <queue>

namespace almanac {
namespace {

// The best task of a lane that has not been started yet.
struct Head {
  Lane lane;
  ReadyOrder::Places::Iterator place;
  ReadyOrder::Places::Iterator end;
  // The largest is taken first.
  bool operator<(const Head& other) const { return *other.place < *place; }
};

class Chooser {
 public:
  Chooser(const State& state, Time now, const std::function<bool(std::string_view)>& can_run)
      : state_(state), now_(now), can_run_(can_run) {
    auto held = state.tasks.running.size();
    free_ = state.engine.slots > held ? state.engine.slots - held : 0;
  }

  std::vector<TaskId> run() {
    std::vector<TaskId> chosen;
    if (free_ == 0 || state_.tasks.ready.empty()) return chosen;
    gather_heads();
    while (free_ > 0 && !heads_.empty()) {
      Head head = heads_.top();
      heads_.pop();
      auto& queue_free = free_in(head.lane.queue);
      if (queue_free == 0) continue;
      if (!has_expired(head.place->id)) {
        chosen.push_back(head.place->id);
        --queue_free;
        --free_;
      }
      if (++head.place != head.end) heads_.push(head);
    }
    return chosen;
  }

 private:
  // One of those that were left over for the next turn to cancel.
  [[nodiscard]] bool has_expired(TaskId id) const {
    const auto next = state_.tasks.next_expiry();
    if (!next || *next > now_) return false;
    const TaskTerms* terms = state_.tasks.terms.find(id);
    return terms != nullptr && terms->expires_at != Time() && terms->expires_at <= now_;
  }

  void gather_heads() {
    for (const auto& [lane, places] : state_.tasks.ready.lanes()) {
      if (state_.pauses.hold_back(lane)) continue;
      if (!can_run_(state_.names.text(lane.kind)) || free_in(lane.queue) == 0) continue;
      heads_.push({lane, places.begin(), places.end()});
    }
  }

  std::uint64_t& free_in(NameId queue) {
    auto [entry, added] = queue_free_.try_emplace(queue, free_);
    if (added) {
      const std::uint32_t* slots = state_.queues.slots.find(queue);
      if (slots != nullptr && *slots > 0) {
        auto held = state_.tasks.running_in(queue);
        entry->second = *slots > held ? *slots - held : 0;
      }
    }
    return entry->second;
  }

  const State& state_;
  const Time now_;
  const std::function<bool(std::string_view)>& can_run_;
  std::uint64_t free_ = 0;
  std::map<NameId, std::uint64_t> queue_free_;
  std::priority_queue<Head> heads_;
};

}  // namespace

std::vector<Event> decide_starts(const State& state, const DecideContext& context,
                                 const std::function<bool(std::string_view)>& can_run) {
  std::vector<Event> events;
  for (TaskId id : Chooser(state, context.now, can_run).run()) {
    const Task& task = *state.tasks.all.find(id);
    events.push_back(
        {.at = context.now,
         .body = TaskStarted{
             .id = id,
             .attempt = task.attempts + 1,
             .deadline = task.timeout > Duration(0) ? context.now + task.timeout : Time()}});
  }
  return events;
}

}  // namespace almanac
