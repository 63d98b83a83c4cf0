// What changed between two states, entry by entry: for tools that show it and tests that count it.
// Costs what the states do not share (persistent/diff.h); a map or order that did not change costs
// a comparison of two pointers.
#pragma once

#include <almanac/projections/persistent/diff.h>
#include <almanac/projections/state.h>

namespace almanac {

// Visits every entry that differs, projection by projection: visit(key, before, after) for tasks,
// doomed and held tasks, terms, demands, units in use, blocked lanes, conditions of dependencies,
// crashes, progress, implementations and workers that run, uniqueness, groups, their members and
// who waits for them, idempotency keys, policies, slots and retention of queues, settings of
// limits, buckets, jobs of backups, schedules, implementations and versions of kinds, circuits,
// components, their implementations, pools, GPUs and their heaps, advisors, memories, contexts,
// models and principals, as diff() of their containers does, and visit(key, Change) for what is in
// an order or not, and for destroyed keys. `visit` tells them apart by the type of the key, and of
// the value. Names are only ever added; numbers beyond before.names.size() are new.
template <class Visit>
void diff(const State& before, const State& after, Visit visit) {
  diff(before.tasks.all, after.tasks.all, visit);
  diff(before.tasks.ready, after.tasks.ready, visit);
  diff(before.tasks.due, after.tasks.due, visit);
  diff(before.tasks.running, after.tasks.running, visit);
  diff(before.tasks.tagged, after.tasks.tagged, visit);
  diff(before.tasks.expiring, after.tasks.expiring, visit);
  diff(before.tasks.dependents, after.tasks.dependents, visit);
  diff(before.tasks.conditions, after.tasks.conditions, visit);
  diff(before.tasks.needed_by, after.tasks.needed_by, visit);
  diff(before.tasks.doomed, after.tasks.doomed, visit);
  diff(before.tasks.held, after.tasks.held, visit);
  diff(before.tasks.terms, after.tasks.terms, visit);
  diff(before.tasks.crashes, after.tasks.crashes, visit);
  diff(before.tasks.progress, after.tasks.progress, visit);
  diff(before.tasks.run_by, after.tasks.run_by, visit);
  diff(before.tasks.remote, after.tasks.remote, visit);
  diff(before.tasks.on_gpu, after.tasks.on_gpu, visit);
  diff(before.tasks.unique.all, after.tasks.unique.all, visit);
  diff(before.tasks.unique.known, after.tasks.unique.known, visit);
  diff(before.tasks.groups.all, after.tasks.groups.all, visit);
  diff(before.tasks.groups.group_of, after.tasks.groups.group_of, visit);
  diff(before.tasks.groups.waits, after.tasks.groups.waits, visit);
  diff(before.tasks.keys, after.tasks.keys, visit);
  diff(before.tasks.ranking.policies, after.tasks.ranking.policies, visit);
  diff(before.tasks.demands, after.tasks.demands, visit);
  diff(before.tasks.in_use, after.tasks.in_use, visit);
  diff(before.tasks.blocked, after.tasks.blocked, visit);
  diff(before.queues.slots, after.queues.slots, visit);
  diff(before.queues.retention, after.queues.retention, visit);
  diff(before.limits.settings, after.limits.settings, visit);
  diff(before.limits.buckets, after.limits.buckets, visit);
  diff(before.backups.jobs, after.backups.jobs, visit);
  diff(before.schedules.all, after.schedules.all, visit);
  diff(before.pauses.all, after.pauses.all, visit);
  diff(before.implementations.all, after.implementations.all, visit);
  diff(before.implementations.versions, after.implementations.versions, visit);
  diff(before.circuits.settings, after.circuits.settings, visit);
  diff(before.circuits.all, after.circuits.all, visit);
  diff(before.components.all, after.components.all, visit);
  diff(before.components.implementations, after.components.implementations, visit);
  diff(before.pools.all, after.pools.all, visit);
  diff(before.gpu.devices, after.gpu.devices, visit);
  diff(before.gpu.heaps, after.gpu.heaps, visit);
  diff(before.advisors.all, after.advisors.all, visit);
  diff(before.memories.all, after.memories.all, visit);
  diff(before.memories.user_keys, after.memories.user_keys, visit);
  diff(before.contexts.all, after.contexts.all, visit);
  diff(before.contexts.destroyed, after.contexts.destroyed, visit);
  diff(before.models.all, after.models.all, visit);
  diff(before.audits.principals, after.audits.principals, visit);
  diff(before.custom_keys.by_position, after.custom_keys.by_position, visit);
}

}  // namespace almanac
