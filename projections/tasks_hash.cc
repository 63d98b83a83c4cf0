#include <almanac/projections/tasks.h>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

void hash_task(StateHasher& hasher, TaskId id, const Task& task) {
  hasher.numbers(std::array{id.value,
                            std::uint64_t(task.state),
                            std::uint64_t(task.last_status),
                            std::uint64_t(task.attempts_max),
                            std::uint64_t(task.kind.value),
                            std::uint64_t(task.queue.value),
                            std::uint64_t(task.priority),
                            std::uint64_t(task.last_code),
                            std::uint64_t(task.attempts),
                            std::uint64_t(task.failures),
                            std::uint64_t(task.waiting_for),
                            std::uint64_t(task.enqueued_at.time_since_epoch().count()),
                            std::uint64_t(task.run_at.time_since_epoch().count()),
                            std::uint64_t(task.started_at.time_since_epoch().count()),
                            std::uint64_t(task.ended_at.time_since_epoch().count()),
                            std::uint64_t(task.timeout.count()),
                            std::uint64_t(task.backoff.initial.count()),
                            std::uint64_t(task.backoff.max.count()),
                            task.lease.value,
                            task.enqueued.value,
                            task.changed.value});
}

// Where none is held nothing is hashed, as before there was such a thing: digests are for ever.
void hash_held(StateHasher& hasher, const PersistentMap<TaskId, Hold>& held) {
  hasher.number(held.size());
  for (const auto& [id, hold] : held) {
    hasher.numbers(std::array{id.value, std::uint64_t(hold.reason), std::uint64_t(hold.outcome),
                              hold.started.value, hold.ended.value});
  }
}

// As for held tasks, with a number in front that tells one such part from another.
void hash_terms(StateHasher& hasher, const PersistentMap<TaskId, TaskTerms>& all) {
  constexpr std::uint64_t part = 0x7465726d73;  // "terms"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, terms] : all) {
    hasher.numbers(std::array{id.value,
                              terms.owner ? std::uint64_t{terms.owner->value} : ~std::uint64_t{0},
                              std::uint64_t(terms.deadline.time_since_epoch().count()),
                              std::uint64_t(terms.estimate.count()),
                              std::uint64_t(terms.expires_at.time_since_epoch().count())});
  }
}

// Terms that came later, where a task has any of them.
void hash_retries(StateHasher& hasher, const PersistentMap<TaskId, TaskTerms>& all) {
  constexpr std::uint64_t part = 0x72657472696573;  // "retries"
  if (std::ranges::none_of(all, [](const auto& entry) { return entry.value.has_retries(); }))
    return;
  hasher.number(part);
  for (const auto& [id, terms] : all) {
    if (!terms.has_retries()) continue;
    hasher.numbers(
        std::array{id.value, std::uint64_t(terms.retry_policy), std::uint64_t{terms.crashes_max}});
  }
}

void hash_conditions(StateHasher& hasher,
                     const PersistentMap<DependencyKey, DependencyCondition>& all) {
  constexpr std::uint64_t part = 0x636f6e64;  // "cond"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [key, condition] : all) {
    hasher.numbers(std::array{key.dependency.value, key.dependent.value, std::uint64_t(condition)});
  }
}

void hash_needed_by(StateHasher& hasher, const PersistentSet<DependencyKey>& all) {
  constexpr std::uint64_t part = 0x6e656564;  // "need"
  hasher.number(part);
  hasher.number(all.size());
  for (const DependencyKey& key : all) {
    hasher.numbers(std::array{key.dependency.value, key.dependent.value});
  }
}

void hash_crashes(StateHasher& hasher, const PersistentMap<TaskId, std::uint32_t>& all) {
  constexpr std::uint64_t part = 0x6372617368;  // "crash"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, crashes] : all) {
    hasher.numbers(std::array{id.value, std::uint64_t{crashes}});
  }
}

void hash_progress(StateHasher& hasher, const PersistentMap<TaskId, TaskProgress>& all) {
  constexpr std::uint64_t part = 0x70726f67;  // "prog"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, progress] : all) {
    hasher.numbers(std::array{id.value, std::uint64_t{progress.permille},
                              std::uint64_t(progress.at.time_since_epoch().count()),
                              progress.told.value});
  }
}

void hash_run_by(StateHasher& hasher, const PersistentMap<TaskId, NameId>& all) {
  constexpr std::uint64_t part = 0x72756e6279;  // "runby"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, implementation] : all) {
    hasher.numbers(std::array{id.value, std::uint64_t{implementation.value}});
  }
}

void hash_on_gpu(StateHasher& hasher, const PersistentMap<TaskId, GpuPlace>& all) {
  constexpr std::uint64_t part = 0x6f6e677075;  // "ongpu"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, place] : all) {
    hasher.numbers(
        std::array{id.value, std::uint64_t{place.gpu.value}, std::uint64_t{place.mebibytes}});
  }
}

void hash_remote(StateHasher& hasher, const PersistentMap<TaskId, RemoteLease>& all) {
  constexpr std::uint64_t part = 0x72656d6f7465;  // "remote"
  hasher.number(part);
  hasher.number(all.size());
  for (const auto& [id, lease] : all) {
    hasher.numbers(std::array{id.value, std::uint64_t(lease.time.count())});
    hasher.text(lease.worker.view());
  }
}

void hash_demands(StateHasher& hasher, const Tasks& tasks) {
  constexpr std::uint64_t part = 0x64656d616e6473;  // "demands"
  hasher.number(part);
  hasher.number(tasks.demand_sets.size());
  for (std::uint32_t id = 0; id < tasks.demand_sets.size(); ++id) {
    hasher.text(tasks.demand_sets.text({id}));
  }
  hasher.number(tasks.demands.size());
  for (const auto& [id, demands] : tasks.demands) {
    hasher.numbers(std::array{id.value, std::uint64_t{demands.value}});
  }
}

void hash_wait(StateHasher& hasher, const Lane& lane, const LaneWait& wait) {
  hasher.numbers(std::array{std::uint64_t{lane.queue.value}, std::uint64_t{lane.kind.value},
                            std::uint64_t{lane.demands.value}, std::uint64_t(wait.reason),
                            wait.limit ? wait.limit->value + std::uint64_t{1} : 0,
                            std::uint64_t(wait.next.time_since_epoch().count()),
                            std::uint64_t(wait.since.time_since_epoch().count())});
}

// But for lanes of a version, which came later.
void hash_blocked(StateHasher& hasher, const PersistentMap<Lane, LaneWait>& blocked) {
  constexpr std::uint64_t part = 0x626c6f636b6564;  // "blocked"
  const auto count =
      std::ranges::count_if(blocked, [](const auto& entry) { return entry.key.version == 0; });
  if (count == 0) return;
  hasher.number(part);
  hasher.number(static_cast<std::uint64_t>(count));
  for (const auto& [lane, wait] : blocked) {
    if (lane.version == 0) hash_wait(hasher, lane, wait);
  }
}

// And the lanes of versions, behind those of none.
void hash_versions(StateHasher& hasher, const Tasks& tasks) {
  constexpr std::uint64_t part = 0x76657273;  // "vers"
  const auto has_version = [](const auto& entry) { return entry.value.version != 0; };
  const auto count = std::ranges::count_if(tasks.terms, has_version);
  if (count == 0) return;
  hasher.number(part);
  hasher.number(static_cast<std::uint64_t>(count));
  for (const auto& [id, terms] : tasks.terms) {
    if (terms.version == 0) continue;
    hasher.numbers(std::array{id.value, std::uint64_t{terms.version}});
  }
  for (const auto& [lane, wait] : tasks.blocked) {
    if (lane.version == 0) continue;
    hasher.number(lane.version);
    hash_wait(hasher, lane, wait);
  }
}

}  // namespace

void Tasks::hash_into(StateHasher& hasher) const {
  hasher.number(last.value);
  hasher.number(all.size());
  for (const auto& [id, task] : all) hash_task(hasher, id, task);
  hasher.number(tagged.size());
  for (const TagKey& key : tagged) {
    hasher.number(key.tag.value);
    hasher.number(key.id.value);
  }
  hasher.number(dependents.size());
  for (const DependencyKey& key : dependents) {
    hasher.number(key.dependency.value);
    hasher.number(key.dependent.value);
  }
  hasher.number(doomed.size());
  for (const auto& [dependent, culprit] : doomed) {
    hasher.number(dependent.value);
    hasher.number(culprit.value);
  }
  if (!held.empty()) hash_held(hasher, held);
  if (!terms.empty()) hash_terms(hasher, terms);
  if (!ranking.empty()) ranking.hash_into(hasher);
  if (!demands.empty()) hash_demands(hasher, *this);
  hash_blocked(hasher, blocked);
  if (!conditions.empty()) hash_conditions(hasher, conditions);
  if (!needed_by.empty()) hash_needed_by(hasher, needed_by);
  if (!crashes.empty()) hash_crashes(hasher, crashes);
  if (!progress.empty()) hash_progress(hasher, progress);
  if (!run_by.empty()) hash_run_by(hasher, run_by);
  if (!remote.empty()) hash_remote(hasher, remote);
  if (!terms.empty()) hash_retries(hasher, terms);
  unique.hash_into(hasher);
  if (!terms.empty()) hash_versions(hasher, *this);
  groups.hash_into(hasher);
  keys.hash_into(hasher);
  if (!on_gpu.empty()) hash_on_gpu(hasher, on_gpu);
}

}  // namespace almanac
