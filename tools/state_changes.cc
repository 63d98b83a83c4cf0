#include <almanac/tools/state_changes.h>

#include <almanac/tools/group_text.h>
#include <almanac/tools/memory_json.h>
#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_retention.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>
#include <almanac/tools/version_range.h>

#include <almanac/projections/state_diff.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

namespace almanac {

using nlohmann::ordered_json;

namespace {

ordered_json task_fields(const State& state, const Task* task) {
  if (task == nullptr) return ordered_json::object();
  return {{"state", name(task->state)},
          {"queue", state.names.text(task->queue)},
          {"kind", state.names.text(task->kind)},
          {"priority", task->priority},
          {"attempts", task->attempts},
          {"failures", task->failures},
          {"waiting_for", task->waiting_for},
          {"lease", task->lease ? ordered_json(task->lease.value) : ordered_json()},
          {"run_at", time_json(task->run_at)},
          {"started_at", time_json(task->started_at)},
          {"ended_at", time_json(task->ended_at)},
          {"changed", task->changed.value}};
}

ordered_json hold_fields(const Hold* hold) {
  if (hold == nullptr) return ordered_json::object();
  return {{"reason", name(hold->reason)},
          {"outcome", name(hold->outcome)},
          {"started", hold->started.value},
          {"ended", hold->ended.value}};
}

ordered_json terms_fields(const State& state, const TaskTerms* terms) {
  if (terms == nullptr) return ordered_json::object();
  return {{"owner", terms->owner ? ordered_json(state.names.text(*terms->owner)) : ordered_json()},
          {"deadline", time_json(terms->deadline)},
          {"estimate_us", terms->estimate.count()},
          {"expires_at", time_json(terms->expires_at)},
          {"retry_policy", name(terms->retry_policy)},
          {"crashes_max", terms->crashes_max},
          {"version", terms->version}};
}

ordered_json progress_fields(const TaskProgress* progress) {
  if (progress == nullptr) return ordered_json::object();
  return {{"permille", progress->permille},
          {"at", time_json(progress->at)},
          {"told", progress->told.value}};
}

ordered_json remote_fields(const RemoteLease* lease) {
  if (lease == nullptr) return ordered_json::object();
  return {{"worker", lease->worker.view()}, {"lease_time", format_duration(lease->time)}};
}

ordered_json unique_fields(const Uniqueness* unique) {
  if (unique == nullptr) return ordered_json::object();
  return {{"identity", to_text(unique->identity)},
          {"until", name(unique->until)},
          {"within_us", unique->within.count()}};
}

// "memory=4, api=1"
std::string demands_text(const State& state, DemandsId set) {
  std::string text;
  for (const LimitDemand& demand : state.tasks.demand_sets.of(set)) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", state.names.text(demand.limit),
                        demand.units);
  }
  return text;
}

ordered_json wait_fields(const State& state, const LaneWait* wait) {
  if (wait == nullptr) return ordered_json::object();
  return {{"reason", name(wait->reason)},
          {"limit", wait->limit ? ordered_json(state.names.text(*wait->limit)) : ordered_json()},
          {"next", time_json(wait->next)}};
}

ordered_json implementation_fields(const State& state, const ImplementationStatus* status) {
  if (status == nullptr) return ordered_json::object();
  return {{"name", state.names.text(status->name)},
          {"attempts", status->attempts},
          {"left", status->left.value},
          {"left_at", time_json(status->left_at)}};
}

ordered_json limit_fields(const LimitSetting* setting) {
  if (setting == nullptr) return ordered_json::object();
  return {
      {"units", setting->units}, {"per_minute", setting->per_minute}, {"burst", setting->burst}};
}

ordered_json circuit_fields(const CircuitSetting* setting) {
  if (setting == nullptr) return ordered_json::object();
  return {{"requests_min", setting->requests_min},
          {"failure_permille", setting->failure_permille},
          {"consecutive_failures_max", setting->consecutive_failures},
          {"window_us", setting->window.count()},
          {"cooldown_us", setting->cooldown.count()},
          {"cooldown_max_us", setting->cooldown_max.count()},
          {"probes_max", setting->probes}};
}

ordered_json circuit_fields(const Circuit* circuit) {
  return circuit == nullptr ? ordered_json::object() : circuit_json(*circuit);
}

ordered_json pool_fields(const PoolRecord* record) {
  return record == nullptr ? ordered_json::object() : pool_json(*record);
}

ordered_json advisor_fields(const AdvisorRecord* record) {
  return record == nullptr ? ordered_json::object() : advisor_json(*record);
}

ordered_json context_fields(const SharedContext* context) {
  if (context == nullptr) return ordered_json::object();
  return {{"version", (*context)->version.value}, {"turns_added", (*context)->turns_added}};
}

// NAME: [what was, what is] for what differs.
ordered_json changed_fields(const ordered_json& before, const ordered_json& after) {
  ordered_json changed = ordered_json::object();
  const auto of = [](const ordered_json& json, const std::string& key) {
    return json.contains(key) ? json[key] : ordered_json();
  };
  for (const auto& [key, was] : before.items()) {
    if (was != of(after, key)) changed[key] = ordered_json::array({was, of(after, key)});
  }
  for (const auto& [key, is] : after.items()) {
    // Of a new entry, what is not as it is in every new one.
    if (!before.contains(key) && !is.is_null() && is != 0) {
      changed[key] = ordered_json::array({ordered_json(), is});
    }
  }
  return changed;
}

ordered_json engine_fields(const State& state) {
  const EngineInfo& engine = state.engine;
  return {{"running", engine.running},
          {"starts", engine.starts},
          {"process", engine.process_id},
          {"slots", engine.slots},
          {"started_at", time_json(engine.started_at)},
          {"version", engine.version}};
}

class Collector {
 public:
  Collector(const State& before, const State& after)
      : before_(before),
        after_(after),
        names_(before.position > after.position ? before.names : after.names) {}

  void operator()(TaskId id, const Task* was, const Task* is) {
    changes["tasks"][std::to_string(id.value)] =
        changed_fields(task_fields(before_, was), task_fields(after_, is));
  }
  void operator()(TaskId id, const TaskId* was, const TaskId* is) {
    changes["doomed"][std::to_string(id.value)] = pair(was, is);
  }
  void operator()(TaskId id, const Hold* was, const Hold* is) {
    changes["held"][std::to_string(id.value)] = changed_fields(hold_fields(was), hold_fields(is));
  }
  void operator()(TaskId id, const TaskTerms* was, const TaskTerms* is) {
    changes["terms"][std::to_string(id.value)] =
        changed_fields(terms_fields(before_, was), terms_fields(after_, is));
  }
  void operator()(TaskId id, const std::uint32_t* was, const std::uint32_t* is) {
    const auto of = [](const std::uint32_t* crashes) {
      return crashes == nullptr ? ordered_json() : ordered_json(*crashes);
    };
    changes["crashes"][std::to_string(id.value)] = {
        {"crashes", ordered_json::array({of(was), of(is)})}};
  }
  void operator()(TaskId id, const TaskProgress* was, const TaskProgress* is) {
    changes["progress"][std::to_string(id.value)] =
        changed_fields(progress_fields(was), progress_fields(is));
  }
  void operator()(TaskId id, const Uniqueness* was, const Uniqueness* is) {
    changes["unique"][std::to_string(id.value)] =
        changed_fields(unique_fields(was), unique_fields(is));
  }
  void operator()(GroupId id, const Group* was, const Group* is) {
    changes["groups"][std::to_string(id.value)] =
        changed_fields(was == nullptr ? ordered_json::object() : group_json(*was),
                       is == nullptr ? ordered_json::object() : group_json(*is));
  }
  void operator()(TaskId id, const GroupId* was, const GroupId* is) {
    const auto of = [](const GroupId* group) {
      return group == nullptr ? ordered_json() : ordered_json(group->value);
    };
    changes["group_of"][std::to_string(id.value)] = {
        {"group", ordered_json::array({of(was), of(is)})}};
  }
  void operator()(TaskId id, const GroupWait* was, const GroupWait* is) {
    const auto of = [](const GroupWait* wait) {
      return wait == nullptr ? ordered_json()
                             : ordered_json(fmt::format("group {} ({})", wait->group.value,
                                                        name(wait->condition)));
    };
    changes["group_waits"][std::to_string(id.value)] = {
        {"after", ordered_json::array({of(was), of(is)})}};
  }
  void operator()(TaskId id, const NameId* was, const NameId* is) {
    const auto of = [](const State& state, const NameId* implementation) {
      return implementation == nullptr ? ordered_json()
                                       : ordered_json(state.names.text(*implementation));
    };
    changes["run_by"][std::to_string(id.value)] = {
        {"implementation", ordered_json::array({of(before_, was), of(after_, is)})}};
  }
  void operator()(TaskId id, const RemoteLease* was, const RemoteLease* is) {
    changes["workers"][std::to_string(id.value)] =
        changed_fields(remote_fields(was), remote_fields(is));
  }
  void operator()(TaskId id, const GpuPlace* was, const GpuPlace* is) {
    const auto of = [](const State& state, const GpuPlace* place) {
      return place == nullptr ? ordered_json()
                              : ordered_json(fmt::format("{} MiB on {}", place->mebibytes,
                                                         state.names.text(place->gpu)));
    };
    changes["gpu_memory"][std::to_string(id.value)] = {
        {"held", ordered_json::array({of(before_, was), of(after_, is)})}};
  }
  void operator()(const ImplementationPlace& place, const ImplementationStatus* was,
                  const ImplementationStatus* is) {
    const auto of = fmt::format("{} {}", names_.text(place.kind), place.place + 1);
    changes["implementations"][of] =
        changed_fields(implementation_fields(before_, was), implementation_fields(after_, is));
  }
  void operator()(NameId kind, const VersionRange* was, const VersionRange* is) {
    const auto of = [](const VersionRange* range) {
      return range == nullptr ? ordered_json() : ordered_json(versions_text(*range));
    };
    changes["versions"][std::string(names_.text(kind))] = {
        {"runs", ordered_json::array({of(was), of(is)})}};
  }
  void operator()(const DependencyKey& key, const DependencyCondition* was,
                  const DependencyCondition* is) {
    const auto of = [](const DependencyCondition* condition) {
      return condition == nullptr ? ordered_json() : ordered_json(name(*condition));
    };
    changes["conditions"][fmt::format("{} after {}", key.dependent.value, key.dependency.value)] = {
        {"condition", ordered_json::array({of(was), of(is)})}};
  }
  void operator()(const PausedWork& work, Change change) {
    const auto of = fmt::format("{} {}", name(work.scope), names_.text(work.name));
    const bool is_paused = change == Change::added;
    changes["pauses"][of] = {{"paused", ordered_json::array({!is_paused, is_paused})}};
  }
  void operator()(std::string_view key, const KeyedTask* was, const KeyedTask* is) {
    const auto of = [](const KeyedTask* task) { return task == nullptr ? nullptr : &task->id; };
    changes["keys"][std::string(key)] = pair(of(was), of(is));
  }
  void operator()(NameId queue, const std::uint32_t* was, const std::uint32_t* is) {
    const State& state = is == nullptr ? before_ : after_;
    const auto of = [](const std::uint32_t* slots) {
      return slots == nullptr ? ordered_json() : ordered_json(*slots);
    };
    changes["queues"][std::string(state.names.text(queue))]["slots"] =
        ordered_json::array({of(was), of(is)});
  }
  void operator()(NameId queue, const Policy* was, const Policy* is) {
    static const Policy by_priority;
    const auto fields = [&](const Policy* policy) {
      return policy_json(names_, policy == nullptr ? by_priority : *policy);
    };
    changes["queues"][std::string(names_.text(queue))].update(
        changed_fields(fields(was), fields(is)));
  }
  void operator()(NameId queue, const QueueRetention* was, const QueueRetention* is) {
    const auto fields = [](const QueueRetention* retention) {
      return retention_json(retention == nullptr ? QueueRetention() : *retention);
    };
    changes["queues"][std::string(names_.text(queue))].update(
        changed_fields(fields(was), fields(is)));
  }
  void operator()(NameId job, const BackupJob* was, const BackupJob* is) {
    changes["backups"][std::string(names_.text(job))] =
        changed_fields(was == nullptr ? ordered_json::object() : job_json(*was),
                       is == nullptr ? ordered_json::object() : job_json(*is));
  }
  void operator()(NameId schedule, const Schedule* was, const Schedule* is) {
    changes["schedules"][std::string(names_.text(schedule))] =
        changed_fields(was == nullptr ? ordered_json::object() : schedule_json(*was),
                       is == nullptr ? ordered_json::object() : schedule_json(*is));
  }
  void operator()(TaskId id, const DemandsId* was, const DemandsId* is) {
    const auto of = [](const State& state, const DemandsId* set) {
      return set == nullptr ? ordered_json() : ordered_json(demands_text(state, *set));
    };
    changes["demands"][std::to_string(id.value)] = {
        {"asks for", ordered_json::array({of(before_, was), of(after_, is)})}};
  }
  void operator()(const Lane& lane, const LaneWait* was, const LaneWait* is) {
    auto key = fmt::format("{}/{}", names_.text(lane.queue), names_.text(lane.kind));
    if (lane.version != 0) key += fmt::format(" version {}", lane.version);
    const auto demands = demands_text(after_, lane.demands);
    changes["blocked"][demands.empty() ? key : key + " " + demands] =
        changed_fields(wait_fields(before_, was), wait_fields(after_, is));
  }
  void operator()(NameId limit, const LimitSetting* was, const LimitSetting* is) {
    changes["limits"][std::string(names_.text(limit))] =
        changed_fields(limit_fields(was), limit_fields(is));
  }
  // A service's setting and its circuit are one entry.
  void operator()(NameId service, const CircuitSetting* was, const CircuitSetting* is) {
    add_circuit(service, circuit_fields(was), circuit_fields(is));
  }
  void operator()(NameId service, const Circuit* was, const Circuit* is) {
    add_circuit(service, circuit_fields(was), circuit_fields(is));
  }
  void operator()(NameId id, const Component* was, const Component* is) {
    const auto of = [](const State& state, const Component* component) {
      return component == nullptr ? ordered_json::object()
                                  : component_json(state.names, *component);
    };
    changes["components"][std::string(names_.text(id))] =
        changed_fields(of(before_, was), of(after_, is));
  }
  void operator()(const ComponentPlace& place, const ImplementationHealth* was,
                  const ImplementationHealth* is) {
    const auto of = [](const ImplementationHealth* health) {
      return health == nullptr ? ordered_json::object() : health_json(*health);
    };
    const auto& named = is == nullptr ? *was : *is;
    const auto key = fmt::format("{} {}", names_.text(place.component), names_.text(named.name));
    changes["components"][key] = changed_fields(of(was), of(is));
  }
  void operator()(NameId id, const GpuDevice* was, const GpuDevice* is) {
    const auto of = [](const State& state, const GpuDevice* device) {
      return device == nullptr ? ordered_json::object() : gpu_json(state.names, *device);
    };
    changes["gpu"][std::string(names_.text(id))] = changed_fields(of(before_, was), of(after_, is));
  }
  void operator()(const GpuHeapKey& key, const GpuHeap* was, const GpuHeap* is) {
    const auto of = [](const GpuHeap* heap) {
      return heap == nullptr ? ordered_json::object() : gpu_heap_json(*heap);
    };
    const auto heap = fmt::format("{} heap {}", names_.text(key.device), key.heap);
    changes["gpu"][heap] = changed_fields(of(was), of(is));
  }
  void operator()(NameId id, const Model* was, const Model* is) {
    const auto of = [](const State& state, const Model* model) {
      return model == nullptr ? ordered_json::object() : model_json(state.names, *model);
    };
    changes["models"][std::string(names_.text(id))] =
        changed_fields(of(before_, was), of(after_, is));
  }
  void operator()(NameId principal, const AuditCounts* was, const AuditCounts* is) {
    const auto of = [](const AuditCounts* counts) {
      return counts == nullptr ? ordered_json::object() : audit_counts_json(*counts);
    };
    changes["principals"][std::string(after_.names.text(principal))] =
        changed_fields(of(was), of(is));
  }
  void operator()(Position position, const CustomKey* was, const CustomKey* is) {
    const auto of = [](const CustomKey* key) {
      if (key == nullptr) return ordered_json::object();
      return ordered_json{{"key", fmt::format("{:016x}{:016x}", key->front, key->back)}};
    };
    changes["custom_keys"][std::to_string(position.value)] = changed_fields(of(was), of(is));
  }
  void operator()(NameId pool, const PoolRecord* was, const PoolRecord* is) {
    changes["pools"][std::string(names_.text(pool))] =
        changed_fields(pool_fields(was), pool_fields(is));
  }
  void operator()(NameId advisor, const AdvisorRecord* was, const AdvisorRecord* is) {
    changes["advisors"][std::string(names_.text(advisor))] =
        changed_fields(advisor_fields(was), advisor_fields(is));
  }
  void operator()(MemoryId id, const MemoryVersion* was, const MemoryVersion* is) {
    const auto of = [&](const MemoryVersion* version) {
      return version == nullptr ? ordered_json::object() : memory_json(names_, **version);
    };
    changes["memories"][std::to_string(id.value)] = changed_fields(of(was), of(is));
  }
  void operator()(NameId user, const UserKeyId* was, const UserKeyId* is) {
    const auto of = [](const UserKeyId* key) {
      return key == nullptr ? ordered_json::object() : ordered_json{{"user_key", to_hex(*key)}};
    };
    changes["memories"]["of " + std::string(names_.text(user))] = changed_fields(of(was), of(is));
  }
  void operator()(TextNumber user, const SharedContext* was, const SharedContext* is) {
    const State& named = is == nullptr ? before_ : after_;
    changes["contexts"][std::string(named.contexts.users.text(user))] =
        changed_fields(context_fields(was), context_fields(is));
  }
  // What is in use, how full a bucket is, and the orders follow from the tasks.
  void operator()(const LimitUse&, const std::uint32_t*, const std::uint32_t*) {}
  void operator()(NameId, const Bucket*, const Bucket*) {}
  void operator()(const auto&, Change) {}

  ordered_json changes = ordered_json::object();

 private:
  void add_circuit(NameId service, const ordered_json& was, const ordered_json& is) {
    changes["circuits"][std::string(names_.text(service))].update(changed_fields(was, is));
  }
  static ordered_json pair(const TaskId* was, const TaskId* is) {
    const auto of = [](const TaskId* id) {
      return id == nullptr ? ordered_json() : ordered_json(id->value);
    };
    return {{"task", ordered_json::array({of(was), of(is)})}};
  }

  const State& before_;
  const State& after_;
  const Names& names_;  // of the later one, which has those of both
};

constexpr std::size_t change_columns = 80;

std::string value_text(const ordered_json& value) {
  if (value.is_null()) return "-";
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

// "state ready → failed, attempts 0 → 1", broken into lines.
std::string entry_text(const std::string& key, const ordered_json& fields) {
  constexpr std::size_t indent = 10;
  std::string lines;
  std::string line = fmt::format("  {:<7} ", printable(key));
  bool fresh = true;
  for (const auto& [name, change] : fields.items()) {
    std::string text = name + " ";
    if (!change[0].is_null()) text += value_text(change[0]) + " → ";
    text += value_text(change[1]);
    if (!fresh && columns(line) + columns(text) + 2 > change_columns) {
      lines += line + "\n";
      line = std::string(indent, ' ');
    } else if (!fresh) {
      line += ", ";
    }
    line += cut(text, change_columns - indent);
    fresh = false;
  }
  return lines + line + "\n";
}

}  // namespace

ordered_json state_changes(const State& before, const State& after) {
  Collector collector(before, after);
  diff(before, after, std::ref(collector));
  auto engine = changed_fields(engine_fields(before), engine_fields(after));
  if (!engine.empty()) collector.changes["engine"][""] = std::move(engine);
  auto health = changed_fields(health_json(before.health), health_json(after.health));
  if (!health.empty()) collector.changes["health"][""] = std::move(health);
  return std::move(collector.changes);
}

std::string changes_text(const ordered_json& changes) {
  std::string text;
  for (const auto& [projection, entries] : changes.items()) {
    text += fmt::format("{}: {} changed\n", projection, entries.size());
    for (const auto& [key, fields] : entries.items()) text += entry_text(key, fields);
  }
  return text;
}

std::string changes_json(ordered_json changes) {
  // There is one of each: it needs no key.
  for (const char* one : {"engine", "health"}) {
    if (changes.contains(one)) changes[one] = ordered_json(changes[one][""]);
  }
  return printable_json(changes.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::string difference_json(const State& before, const State& after) {
  return fmt::format("{{\"from\":{},\"to\":{},\"changes\":{}}}", before.position.value,
                     after.position.value, changes_json(state_changes(before, after)));
}

}  // namespace almanac
