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
  Chooser(const State& state, const std::function<bool(std::string_view)>& can_run)
      : state_(state), can_run_(can_run) {
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
      chosen.push_back(head.place->id);
      --queue_free;
      --free_;
      if (++head.place != head.end) heads_.push(head);
    }
    return chosen;
  }

 private:
  void gather_heads() {
    for (const auto& [lane, places] : state_.tasks.ready.lanes()) {
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
  const std::function<bool(std::string_view)>& can_run_;
  std::uint64_t free_ = 0;
  std::map<NameId, std::uint64_t> queue_free_;
  std::priority_queue<Head> heads_;
};

}  // namespace

std::vector<Event> decide_starts(const State& state, const DecideContext& context,
                                 const std::function<bool(std::string_view)>& can_run) {
  std::vector<Event> events;
  for (TaskId id : Chooser(state, can_run).run()) {
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
