// What the oracle knows of choosing what runs next: slots, limits, who stands in front of whom, and
// by what it goes on.
#include <almanac/tests/simulation/oracle.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace almanac::test {
void Oracle::check(const QueueConfigured& event) {
  const std::string name(event.queue);
  const Queue before = queues_[name];
  Queue& queue = queues_[name];
  queue = {.slots = event.slots,
           .policy = event.policy,
           .ageing = event.ageing,
           .window = event.window,
           .short_work = event.short_work,
           .weights = {},
           .retention = event.retention};
  for (std::size_t i = 0; i < event.weights.size(); ++i) {
    const auto [of, weight] = event.weights[i];
    queue.weights.emplace(of, weight);
  }
  // By new weights all begin again.
  if (queue.policy != before.policy || queue.weights != before.weights) fair_[name].clear();
}

void Oracle::check(const LimitConfigured& event) {
  limits_[std::string(event.name)].set({event.units, event.per_minute, event.burst}, now_.event.at);
}

void Oracle::check(const TokensTaken& event) {
  const std::string limit(event.limit);
  const LimitSetting& setting = limits_[limit].setting();
  const LimitSetting& rate = setting.per_minute > 0 ? setting : default_rate;
  require(limits_[limit].take(event.tokens, rate, now_.event.at),
          "a program takes tokens of " + limit + " that are not there");
  ++takes_[limit];
}

void Oracle::take_is_answered(const std::string& limit) {
  require(++takes_answered_[limit] <= takes_[limit], "tokens were taken that are not in the log");
}

std::uint32_t Oracle::running_in(const std::string& queue) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      tasks_, [&](const auto& one) { return one.second.lease && one.second.queue == queue; }));
}

std::uint64_t Oracle::in_use(const std::string& limit) const {
  std::uint64_t units = 0;
  for (const auto& [id, task] : tasks_) {
    const auto demand = task.demands.find(limit);
    if (task.lease && demand != task.demands.end()) units += demand->second;
  }
  return units;
}

LimitSetting Oracle::setting_of(const std::string& limit) const {
  const auto found = limits_.find(limit);
  return found == limits_.end() ? LimitSetting() : found->second.setting();
}

Oracle::Queue Oracle::queue_of(const Record& task) const {
  const auto found = queues_.find(task.queue);
  return found == queues_.end() ? Queue() : found->second;
}

bool Oracle::is_queue_full(const Record& task) const {
  const std::uint32_t slots = queue_of(task).slots;
  return slots > 0 && running_in(task.queue) >= slots;
}

// What it takes when it starts.
void Oracle::take_limits(const Record& task) {
  for (const auto& [limit, amount] : task.demands) {
    const LimitSetting setting = setting_of(limit);
    require(setting.units == 0 || in_use(limit) + amount <= setting.units,
            "more of " + limit + " in use than there is");
    require(setting.per_minute == 0 || limits_[limit].take(amount, setting, now_.event.at),
            "a task takes tokens of " + limit + " that are not there");
  }
}

bool Oracle::is_ready(TaskId id) const {
  const Task* task = durable_.tasks.all.find(id);
  return task != nullptr && task->state == TaskState::ready;
}

// Its points at the time of the event that is judged (docs/guides/scheduling.md).
std::int64_t Oracle::urgency_of(const Record& task) const {
  const Queue queue = queue_of(task);
  const auto weight = [&](std::string_view of) {
    const auto found = queue.weights.find(of);
    return found == queue.weights.end() ? 0 : found->second;
  };
  std::int64_t points = weight("priority") * task.priority;
  points += weight(task.priority < 0 ? "low" : task.priority > 0 ? "high" : "medium");
  const bool is_short = task.estimate > Duration(0) && task.estimate <= queue.short_work;
  if (is_short) points += weight("short");
  if (task.must_end_by == Time()) return points;
  const Duration left = task.must_end_by - now_.event.at;
  int steps = 0;
  for (const int part : {1, 4, 16, 64}) {
    if (queue.window > Duration(0) && left <= queue.window / part) ++steps;
  }
  points += weight("deadline") * steps / 4;
  return left <= Duration(0) ? points + weight("overdue") : points;
}

// Its place in its queue.
std::int64_t Oracle::rank_of(TaskId id, const Record& task) const {
  switch (queue_of(task).policy) {
    case QueuePolicy::fifo: return 0;
    case QueuePolicy::priority: return -std::int64_t{task.priority};
    case QueuePolicy::urgency: {
      // With ageing it is the time at which its points were or will be used up by what it waited.
      const Duration ageing = queue_of(task).ageing;
      if (ageing == Duration(0)) return -urgency_of(task);
      const Time since = std::max(task.enqueued_at, task.not_before);
      return (since.time_since_epoch() - urgency_of(task) * ageing).count();
    }
    case QueuePolicy::deadline:
      return task.must_end_by == Time() ? std::numeric_limits<std::int64_t>::max()
                                        : task.must_end_by.time_since_epoch().count();
    case QueuePolicy::fair: return fair_.at(task.queue).tag(id);
  }
  return 0;
}

FairRecord::Turn Oracle::turn_of(const Record& task) const {
  const auto weights = queue_of(task).weights;
  const auto weight = weights.find(task.owner);
  const Duration estimate = task.estimate > Duration(0) ? task.estimate : std::chrono::minutes(1);
  const std::int64_t cost =
      estimate.count() * 100 / (weight == weights.end() ? 100 : weight->second);
  return {task.owner, std::max<std::int64_t>(cost, 1), task.begun > 0};
}

// Who began to wait for a turn in a fair queue with this event, in the order of submission, and who
// does so no more.
void Oracle::see_fair_turns() {
  const auto* started = std::get_if<TaskStarted>(&now_.event.body);
  std::vector<TaskId> ready;
  for (auto& [id, task] : tasks_) {
    if (queue_of(task).policy != QueuePolicy::fair) continue;
    FairRecord& fair = fair_[task.queue];
    if (is_ready(id)) {
      ready.push_back(id);
    } else if (fair.holds(id)) {
      const bool starts = started != nullptr && started->id == id;
      starts ? fair.start(id) : fair.leave(id);
    }
  }
  for (const TaskId id : ready) {
    const Record& task = tasks_.at(id);
    FairRecord& fair = fair_[task.queue];
    if (!fair.holds(id)) fair.enter(id, turn_of(task));
  }
}

// Of those that wait for the same, nobody stood in front of it.
void Oracle::judge_order(TaskId id, const Record& task) const {
  const auto rank = rank_of(id, task);
  for (const auto& [other_id, other] : tasks_) {
    const bool has_expired = other.expires_at != Time() && other.expires_at <= now_.event.at;
    if (other_id == id || !is_ready(other_id) || !other.is_in_lane_of(task) || has_expired)
      continue;
    require(std::pair(rank, id) < std::pair(rank_of(other_id, other), other_id),
            "task " + std::to_string(id.value) + " started before task " +
                std::to_string(other_id.value) + ", which is in front of it");
  }
}

bool Oracle::must_fail_over(const Record& task, const AttemptEnd& end) const {
  const auto& used = task.implementation;
  if (used.empty() || implementations_.usable(task.kind, used).empty()) return false;
  if (!implementations_.takes(task.kind, task.version) || !gpus_.has_models(task.demands)) {
    return false;
  }
  const auto attempts = std::min(implementations_.attempts(task.kind, used), task.attempts_max);
  return end.permanent || task.failures + 1 >= attempts;
}

// Whether limits may keep it from running: there is too little, or what there is may be kept for
// another one that asks for some of the same.
bool Oracle::may_wait_for_limits(const Record& task, Time now) const {
  const auto is_set = [&](const auto& demand) { return setting_of(demand.first).is_set(); };
  const auto is_short = [&](const auto& demand) {
    const auto& [limit, amount] = demand;
    const LimitSetting setting = setting_of(limit);
    return (setting.units > 0 && in_use(limit) + amount > setting.units) ||
           (setting.per_minute > 0 && (amount > setting.burst || !limits_.at(limit).is_full(now)));
  };
  const auto is_held_back = [&](const auto& demand) {
    return circuits_.may_hold_back(demand.first);
  };
  if (std::ranges::any_of(task.demands, is_held_back)) return true;
  if (std::ranges::any_of(task.demands, is_short)) return true;
  return std::ranges::any_of(tasks_, [&](const auto& one) {
    const auto& [id, other] = one;
    if (other.is_in_lane_of(task) || !is_ready(id)) return false;
    if (!std::ranges::any_of(other.demands, is_set)) return false;
    if (other.queue == task.queue && queue_of(task).slots > 0) return true;
    return std::ranges::any_of(other.demands, [&](const auto& demand) {
      return is_set(demand) && task.demands.contains(demand.first);
    });
  });
}

}  // namespace almanac::test
