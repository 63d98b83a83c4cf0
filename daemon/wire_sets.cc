#include <almanac/daemon/wire_sets.h>

#include <almanac/daemon/wire_batches.h>
#include <almanac/daemon/wire_job.h>
#include <almanac/daemon/wire_json.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <utility>

namespace almanac {
namespace {

constexpr std::size_t glob_bytes_max = 1'024;

using Ids = std::vector<TaskId>;

std::unexpected<Error> bad_mutation(std::string text) {
  return fail(ErrorCode::invalid, std::move(text), "send the command as the protocol has it");
}

std::string member_text(const std::vector<WireMember>& members, std::string_view name) {
  const WireValue* found = find_member(members, name);
  return found != nullptr && found->kind == WireKind::string ? found->string : std::string();
}

// A member that is passed over would let the command take jobs that were never meant.
Result<void> check_filter(const std::vector<WireMember>& members) {
  for (const auto& [name, value] : members) {
    const bool is_text = name == "regexp" || name == "jobtype";
    if (!is_text && name != "jids") {
      return bad_mutation("a filter has jids, regexp and jobtype, and no " + wire_quoted(name));
    }
    const WireKind kind = is_text ? WireKind::string : WireKind::list;
    if (value.kind == kind || value.kind == WireKind::null) continue;
    return bad_mutation(name + (is_text ? " is no text" : " is no list"));
  }
  return {};
}

Result<WireFilter> parse_filter(const WireValue& value) {
  const auto members = parse_wire_object(value.text);
  if (!members) return std::unexpected(members.error());
  if (auto checked = check_filter(*members); !checked) return std::unexpected(checked.error());
  WireFilter filter;
  filter.glob = member_text(*members, "regexp");
  // It is held against every job of the set.
  if (filter.glob.size() > glob_bytes_max) return bad_mutation("a regexp has at most 1 KiB");
  filter.jobtype = member_text(*members, "jobtype");
  const WireValue* jids = find_member(*members, "jids");
  if (jids == nullptr) return filter;
  const auto list = parse_wire_list(jids->text);
  if (!list) return bad_mutation("jids is no list");
  for (const WireValue& jid : *list) {
    if (jid.kind != WireKind::string) return bad_mutation("a jid is no text");
    filter.jids.insert(jid.string);
  }
  return filter;
}

// Of all the jobs those for which `wanted` holds.
template <class Wanted>
Ids select(const State& state, Wanted wanted) {
  Ids ids;
  const auto tag = state.names.find(wire_tag);
  if (!tag) return ids;
  for (auto key = state.tasks.tagged.lower_bound({*tag, TaskId()});
       key != state.tasks.tagged.end() && (*key).tag == *tag; ++key) {
    const TaskId id = (*key).id;
    const Task* task = state.tasks.all.find(id);
    if (task != nullptr && wanted(id, *task)) ids.push_back(id);
  }
  return ids;
}

// A part of them at a time, so that no number of them makes one huge batch.
Result<std::size_t> change_some(Engine& engine, TaskChange change, const Ids& ids,
                                const std::string& reason = {}) {
  std::size_t changed = 0;
  // From the last to the first, so that none goes in front of what depends on it.
  for (std::size_t end = ids.size(); end > 0;) {
    const std::size_t begin = end - std::min(end, limits::changes_max);
    auto some = engine.change(
        change, {ids.begin() + std::ptrdiff_t(begin), ids.begin() + std::ptrdiff_t(end)}, reason,
        Engine::Conflicts::skip);
    if (!some) return some;
    changed += *some;
    end = begin;
  }
  return changed;
}

// What was told to stop has nobody who will: its lease is ended for it.
void end_leases(Engine& engine, const Ids& ids) {
  const auto state = engine.state();
  std::vector<HeldLease> leases;
  for (const TaskId id : ids) {
    const Task* task = state->tasks.all.find(id);
    if (task == nullptr || task->state != TaskState::cancelling) continue;
    if (!state->tasks.remote.contains(id)) continue;
    leases.push_back({id, {engine.log().timeline(), task->lease}});
  }
  const auto ended = std::make_shared<std::latch>(std::ptrdiff_t(leases.size()));
  for (const HeldLease& lease : leases) {
    engine.finish(lease, Outcome::failure("its queue was emptied"),
                  [ended](const Result<void>&) { ended->count_down(); });
  }
  ended->wait();
}

Result<void> cancel_and_forget(Engine& engine, const Ids& ids, const std::string& reason) {
  const auto cancelled = change_some(engine, TaskChange::cancel, ids, reason);
  if (!cancelled) return std::unexpected(cancelled.error());
  end_leases(engine, ids);
  const auto forgotten = change_some(engine, TaskChange::forget, ids);
  if (!forgotten) return std::unexpected(forgotten.error());
  return {};
}

bool is_wire_killed(const State& state, TaskId id) { return is_paused(state.tasks, id); }

// The failure a job ended or waits with, as it is on record.
std::string failure_at(const Log& log, Position position) {
  std::string json;
  (void)log.read_one(position, [&](const Event& event) {
    const AttemptEnd* end = nullptr;
    if (const auto* failed = std::get_if<TaskAttemptFailed>(&event.body)) end = &failed->end;
    if (const auto* failed = std::get_if<TaskFailed>(&event.body)) end = &failed->end;
    if (end != nullptr) json = as_text(end->result);
  });
  return json.starts_with("{\"retry_count\"") ? json : std::string();
}

bool passes(const Engine& engine, const WireFilter& filter, TaskId id, const Task& task) {
  if (filter.is_empty()) return true;
  bool holds = false;
  const std::string failure = task.failures > 0 ? failure_at(engine.log(), task.changed) : "";
  (void)engine.log().read_one(task.enqueued, [&](const Event& event) {
    const auto job = parse_wire_job(as_text(request_in(event.body).payload), wire_jid_of(id));
    if (!job) return;
    if (!filter.jids.empty()) {
      holds = filter.jids.contains(job->jid);
      return;
    }
    if (!filter.jobtype.empty() && filter.jobtype != job->jobtype) return;
    holds =
        filter.glob.empty() ||
        matches_glob(filter.glob,
                     wire_compact(wire_job_json(*job, {.created_at = task.enqueued_at}, failure)));
  });
  return holds;
}

Result<void> requeue(Engine& engine, const Ids& ids) {
  for (const auto change : {TaskChange::retry, TaskChange::resume, TaskChange::hasten}) {
    const auto changed = change_some(engine, change, ids, "requeued over the wire");
    if (!changed) return std::unexpected(changed.error());
  }
  return {};
}

}  // namespace

std::optional<WireSet> wire_set_of(const State& state, TaskId id, const Task& task) {
  if (task.state == TaskState::failed) return WireSet::dead;
  if (task.state == TaskState::held && is_wire_killed(state, id)) return WireSet::dead;
  if (task.state != TaskState::delayed) return std::nullopt;
  return task.failures == 0 ? WireSet::scheduled : WireSet::retries;
}

Result<WireMutation> parse_wire_mutation(std::string_view json) {
  const auto members = parse_wire_object(json);
  if (!members) return std::unexpected(members.error());
  WireMutation mutation;
  const std::string target = member_text(*members, "target");
  const std::string change = member_text(*members, "cmd");
  if (target == "scheduled") {
    mutation.set = WireSet::scheduled;
  } else if (target == "retries") {
    mutation.set = WireSet::retries;
  } else if (target == "dead") {
    mutation.set = WireSet::dead;
  } else {
    return bad_mutation("invalid target for mutation command");
  }
  if (change == "clear") {
    mutation.change = WireChange::clear;
    return mutation;
  }
  if (change == "kill") {
    mutation.change = WireChange::kill;
  } else if (change == "requeue") {
    mutation.change = WireChange::requeue;
  } else if (change == "discard") {
    mutation.change = WireChange::discard;
  } else {
    return bad_mutation("unknown mutate operation");
  }
  if (const WireValue* filter = find_member(*members, "filter")) {
    auto parsed = parse_filter(*filter);
    if (!parsed) return std::unexpected(parsed.error());
    mutation.filter = std::move(*parsed);
  }
  return mutation;
}

Result<void> mutate_wire_jobs(Engine& engine, const WireMutation& mutation) {
  const auto state = engine.state();
  const Ids ids = select(*state, [&](TaskId id, const Task& task) {
    return wire_set_of(*state, id, task) == mutation.set &&
           passes(engine, mutation.filter, id, task);
  });
  switch (mutation.change) {
    case WireChange::clear:
    case WireChange::discard: return cancel_and_forget(engine, ids, "discarded over the wire");
    case WireChange::requeue: return requeue(engine, ids);
    case WireChange::kill: break;
  }
  const auto killed = change_some(engine, TaskChange::pause, ids, "killed over the wire");
  if (!killed) return std::unexpected(killed.error());
  return {};
}

// Batches are closed in between: once nothing waits for them, and before their jobs are forgotten,
// which an open one would keep.
Result<void> flush_wire_jobs(Engine& engine) {
  const std::string reason = "flushed over the wire";
  const auto state = engine.state();
  const Ids ids = select(*state, [](TaskId, const Task&) { return true; });
  const auto cancelled = change_some(engine, TaskChange::cancel, ids, reason);
  if (!cancelled) return std::unexpected(cancelled.error());
  for (const auto& [id, group] : state->tasks.groups.all) {
    if (!group.is_open() || !group.name.view().starts_with(wire_batch_prefix)) continue;
    const auto closed = engine.close_group(std::string(group.name.view()));
    if (!closed && closed.error().code != ErrorCode::not_found) return closed;
  }
  return cancel_and_forget(engine, ids, reason);
}

Result<void> remove_wire_queue(Engine& engine, std::string_view queue) {
  const auto state = engine.state();
  const auto name = state->names.find(queue);
  if (!name) return {};
  return cancel_and_forget(engine,
                           select(*state,
                                  [&](TaskId, const Task& task) {
                                    return task.queue == *name && task.state == TaskState::ready;
                                  }),
                           "its queue was removed over the wire");
}

Duration wire_queue_latency(const State& state, std::string_view queue, Time now) {
  Duration oldest{0};
  const auto name = state.names.find(queue);
  if (!name) return oldest;
  const auto& lanes = state.tasks.ready.lanes();
  for (auto lane = lanes.lower_bound(Lane{.queue = *name, .kind = {}});
       lane != lanes.end() && (*lane).key.queue == *name; ++lane) {
    const Task& first = *state.tasks.all.find((*(*lane).value.begin()).id);
    oldest = std::max(oldest, now - std::max(first.enqueued_at, first.run_at));
  }
  return oldest;
}

}  // namespace almanac
