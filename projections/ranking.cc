#include <almanac/projections/ranking.h>

#include <almanac/projections/tasks.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace almanac {
namespace {

std::int64_t sum(std::int64_t one, std::int64_t other) {
  std::int64_t sum = 0;
  const bool overflows = __builtin_add_overflow(one, other, &sum);
  return overflows ? std::numeric_limits<std::int64_t>::max() : sum;
}

std::int64_t virtual_time(const Ranking& ranking, NameId queue) {
  const std::int64_t* time = ranking.virtual_times.find(queue);
  return time == nullptr ? 0 : *time;
}

// A task that was started before is paid for: it comes back at the virtual time.
bool is_paid_for(const Task& task) { return task.attempts > 0; }

void enter_flow(Tasks& tasks, TaskId id, const Task& task, const Policy& policy) {
  Ranking& ranking = tasks.ranking;
  const TaskTerms& terms = terms_of(tasks, id);
  const FlowKey key{task.queue, terms.owner};
  const Flow* found = ranking.flows.find(key);
  Flow flow = found == nullptr ? Flow{} : *found;
  std::int64_t tag = virtual_time(ranking, task.queue);
  if (!is_paid_for(task)) {
    tag = std::max(tag, flow.finish);
    flow.finish = sum(tag, fair_cost(policy, terms));
  }
  ++flow.ready;
  ranking.flows.set(key, flow);
  ranking.tags.set(id, tag);
}

void leave_flow(Tasks& tasks, TaskId id, const Task& task, const Policy& policy, Leaving leaving) {
  Ranking& ranking = tasks.ranking;
  const TaskTerms& terms = terms_of(tasks, id);
  const FlowKey key{task.queue, terms.owner};
  Flow flow = *ranking.flows.find(key);
  const std::int64_t tag = *ranking.tags.find(id);
  if (leaving == Leaving::started) {
    if (tag > virtual_time(ranking, task.queue)) ranking.virtual_times.set(task.queue, tag);
    if (!is_paid_for(task)) {
      flow.started = std::max(flow.started, sum(tag, fair_cost(policy, terms)));
    }
  }
  if (--flow.ready == 0) flow.finish = flow.started;
  const bool is_ahead = flow.finish > virtual_time(ranking, task.queue);
  if (flow.ready > 0 || is_ahead) {
    ranking.flows.set(key, flow);
  } else {
    ranking.flows.erase(key);
  }
  ranking.tags.erase(id);
}

void drop_flows(Ranking& ranking, NameId queue) {
  std::vector<FlowKey> keys;
  for (auto entry = ranking.flows.lower_bound(FlowKey{queue, {}});
       entry != ranking.flows.end() && (*entry).key.queue == queue; ++entry) {
    keys.push_back((*entry).key);
  }
  for (const FlowKey& key : keys) ranking.flows.erase(key);
  ranking.virtual_times.erase(queue);
}

}  // namespace

const TaskTerms& terms_of(const Tasks& tasks, TaskId id) {
  static const TaskTerms none;
  const TaskTerms* terms = tasks.terms.find(id);
  return terms == nullptr ? none : *terms;
}

std::vector<TaskId> ready_in(const Tasks& tasks, NameId queue) {
  std::vector<TaskId> ids;
  const auto& lanes = tasks.ready.lanes();
  for (auto lane = lanes.lower_bound(Lane{queue, {}});
       lane != lanes.end() && (*lane).key.queue == queue; ++lane) {
    for (const LanePlace& place : (*lane).value) ids.push_back(place.id);
  }
  std::ranges::sort(ids);
  return ids;
}

const Policy& Ranking::policy(NameId queue) const {
  static const Policy by_priority;
  const Policy* found = policies.find(queue);
  return found == nullptr ? by_priority : *found;
}

std::optional<Time> Ranking::next_change() const {
  if (changes.empty()) return std::nullopt;
  return changes.first()->at;
}

Rank current_rank(const Tasks& tasks, TaskId id, const Task& task) {
  const Policy& policy = tasks.ranking.policy(task.queue);
  if (policy.kind == QueuePolicy::fair) {
    const std::int64_t* tag = tasks.ranking.tags.find(id);
    return {tag == nullptr ? 0 : *tag, {}};
  }
  return rank_of(policy, task, terms_of(tasks, id), tasks.ranking.ranked_at(id));
}

ReadyKey ready_key(const Tasks& tasks, TaskId id, const Task& task) {
  return {lane_of(tasks, id, task), {current_rank(tasks, id, task).value, id}};
}

void enter_ready(Tasks& tasks, TaskId id, const Task& task) {
  const Policy& policy = tasks.ranking.policy(task.queue);
  if (policy.kind == QueuePolicy::fair) enter_flow(tasks, id, task, policy);
  const Rank rank = current_rank(tasks, id, task);
  tasks.ready.insert({lane_of(tasks, id, task), {rank.value, id}});
  if (rank.changes_at) tasks.ranking.changes.insert({*rank.changes_at, id});
}

void leave_ready(Tasks& tasks, TaskId id, const Task& task, Leaving leaving) {
  const Policy& policy = tasks.ranking.policy(task.queue);
  const Rank rank = current_rank(tasks, id, task);
  tasks.ready.erase({lane_of(tasks, id, task), {rank.value, id}});
  if (rank.changes_at) tasks.ranking.changes.erase(RankChange{*rank.changes_at, id});
  if (policy.kind == QueuePolicy::fair) leave_flow(tasks, id, task, policy, leaving);
}

void set_policy(Tasks& tasks, Names& names, const QueueConfigured& event) {
  const NameId queue = names.intern(event.queue);
  const Policy policy = policy_of(event, names);
  if (policy == tasks.ranking.policy(queue)) return;
  const std::vector<TaskId> ready = ready_in(tasks, queue);
  for (TaskId id : ready) leave_ready(tasks, id, *tasks.all.find(id), Leaving::otherwise);
  drop_flows(tasks.ranking, queue);
  if (policy == Policy()) {
    tasks.ranking.policies.erase(queue);
  } else {
    tasks.ranking.policies.set(queue, policy);
  }
  for (TaskId id : ready) enter_ready(tasks, id, *tasks.all.find(id));
}

bool fold(Tasks& tasks, Names&, const EventPlace&, const TasksReranked& event) {
  const TaskId last = event.last ? event.last : TaskId(std::numeric_limits<std::uint64_t>::max());
  const RankChange through{event.through, last};
  if (through <= tasks.ranking.done) return false;
  std::vector<TaskId> moved;
  for (const RankChange& change : tasks.ranking.changes) {
    if (change > through) break;
    moved.push_back(change.id);
  }
  for (TaskId id : moved) leave_ready(tasks, id, *tasks.all.find(id), Leaving::otherwise);
  tasks.ranking.done = through;
  for (TaskId id : moved) enter_ready(tasks, id, *tasks.all.find(id));
  return true;
}

void Ranking::hash_into(StateHasher& hasher) const {
  constexpr std::uint64_t part = 0x72616e6b696e67;  // "ranking"
  const auto number = [&](std::int64_t each) { hasher.number(static_cast<std::uint64_t>(each)); };
  hasher.number(part);
  hasher.number(policies.size());
  for (const auto& [queue, policy] : policies) {
    hasher.numbers(std::array{std::uint64_t{queue.value}, std::uint64_t(policy.kind),
                              std::uint64_t(policy.ageing.count()),
                              std::uint64_t(policy.window.count()),
                              std::uint64_t(policy.short_work.count())});
    for (std::int32_t weight : policy.weights) number(weight);
    hasher.number(policy.owners.size());
    for (const auto& [owner, weight] : policy.owners) {
      hasher.number(owner.value);
      number(weight);
    }
  }
  number(done.at.time_since_epoch().count());
  hasher.number(done.id.value);
  hasher.number(tags.size());
  for (const auto& [id, tag] : tags) {
    hasher.number(id.value);
    number(tag);
  }
  hasher.number(flows.size());
  for (const auto& [key, flow] : flows) {
    hasher.number(key.queue.value);
    number(key.owner ? std::int64_t{key.owner->value} : -1);
    number(flow.finish);
    number(flow.started);
    hasher.number(flow.ready);
  }
  hasher.number(virtual_times.size());
  for (const auto& [queue, time] : virtual_times) {
    hasher.number(queue.value);
    number(time);
  }
}

}  // namespace almanac
