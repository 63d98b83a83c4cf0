#include <almanac/engine/dispatch.h>

#include <limits>
#include <map>
#include <queue>

namespace almanac {
namespace {

using ReadyIterator = decltype(std::declval<const PersistentSet<ReadyKey>&>().begin());

// The best task of one lane that has not been started yet.
struct Lane {
  ReadyIterator head;
  // The largest is taken first: the smallest rank, then the smallest number.
  bool operator<(const Lane& other) const {
    const ReadyKey& mine = *head;
    const ReadyKey& theirs = *other.head;
    return mine.rank != theirs.rank ? mine.rank > theirs.rank : mine.id > theirs.id;
  }
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
    gather_lanes();
    while (free_ > 0 && !lanes_.empty()) {
      Lane lane = lanes_.top();
      lanes_.pop();
      ReadyKey key = *lane.head;
      auto& queue_free = free_in(key.queue);
      if (queue_free == 0) continue;
      chosen.push_back(key.id);
      --queue_free;
      --free_;
      ++lane.head;
      if (lane.head == state_.tasks.ready.end()) continue;
      if ((*lane.head).queue == key.queue && (*lane.head).kind == key.kind) lanes_.push(lane);
    }
    return chosen;
  }

 private:
  void gather_lanes() {
    const auto& ready = state_.tasks.ready;
    for (auto head = ready.begin(); head != ready.end();) {
      ReadyKey key = *head;
      if (can_run_(state_.names.text(key.kind)) && free_in(key.queue) > 0) lanes_.push({head});
      head =
          ready.upper_bound(ReadyKey{key.queue, key.kind, std::numeric_limits<std::int64_t>::max(),
                                     TaskId(std::numeric_limits<std::uint64_t>::max())});
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
  std::priority_queue<Lane> lanes_;
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
