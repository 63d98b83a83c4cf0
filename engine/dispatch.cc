#include <almanac/engine/dispatch.h>

namespace almanac {
namespace {

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
    ReadyQueue ready(state_, [this](const Lane& lane) {
      return free_in(lane.queue) > 0 && can_run_(state_.names.text(lane.kind));
    });
    while (free_ > 0) {
      const auto next = ready.next();
      if (!next) break;
      chosen.push_back(*next);
      --free_;
      if (--free_in(state_.tasks.all.find(*next)->queue) == 0) ready.close_queue();
    }
    return chosen;
  }

 private:
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
};

}  // namespace

ReadyQueue::ReadyQueue(const State& state, const std::function<bool(const Lane&)>& takes)
    : state_(state) {
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    if (takes(lane)) queues_[lane.queue].push({places.begin(), places.end()});
  }
  for (auto& [queue, heads] : queues_) add_front(heads);
}

void ReadyQueue::add_front(Heads& heads) {
  const TaskId id = (*heads.top().place).id;
  fronts_.push({state_.tasks.all.find(id)->priority, id, &heads});
}

std::optional<TaskId> ReadyQueue::next() {
  if (given_ != nullptr && !given_->empty()) add_front(*given_);
  given_ = nullptr;
  if (fronts_.empty()) return std::nullopt;
  const Front front = fronts_.top();
  fronts_.pop();
  given_ = front.heads;
  Head head = given_->top();
  given_->pop();
  if (++head.place != head.end) given_->push(head);
  return front.id;
}

void ReadyQueue::close_queue() { given_ = nullptr; }

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
