#include <almanac/projections/state.h>

#include <almanac/projections/lane_claims.h>

#include <utility>

namespace almanac {
namespace {

// Hands an event to the projection it belongs to.
struct Fold {
  State& state;
  EventPlace place;

  // Custom events belong to the program that embeds the library; their keys are known.
  bool operator()(const CustomEvent& event) { return fold(state.custom_keys, place, event); }
  bool operator()(const QueueConfigured& event) {
    set_policy(state.tasks, state.names, event);
    return fold(state.queues, state.names, event);
  }
  bool operator()(const LimitConfigured& event) {
    return fold(state.limits, state.names, place.at, event);
  }
  bool operator()(const TokensTaken& event) {
    return fold(state.limits, state.names, place.at, event);
  }
  bool operator()(const TaskStarted& event) {
    const auto claims = claims_to_start(event.id);
    if (!fold(state.tasks, state.names, place, event)) return false;
    if (!event.advisor.empty()) count_begun(state.advisors, state.names, event.advisor);
    for (const LaneClaim& claim : claims) {
      if (claim.on == ClaimOn::circuit) {
        begin_attempt(state.circuits, state.names, claim.limit, event.id, place.at);
      } else if (claim.on == ClaimOn::tokens) {
        take_tokens(state.limits, claim.limit, setting_of(state.limits, state.names, claim.limit),
                    claim.amount, place.at);
      } else if (claim.on == ClaimOn::model) {
        note_use(state.models, claim.limit, place.at);
      }
    }
    return true;
  }
  bool operator()(const WorkPaused& event) { return fold(state.pauses, state.names, event); }
  bool operator()(const WorkResumed& event) { return fold(state.pauses, state.names, event); }
  bool operator()(const EngineStarted& event) {
    // Another engine may have other handlers.
    state.tasks.blocked.clear();
    state.implementations.versions.clear();
    forget_program_probes(state.circuits, state.names);
    forget_kept(state.components);
    forget_instances(state.pools);
    forget_presence(state.gpu);
    forget_loaded(state.models);
    forget_advisors(state.advisors);
    return fold(state.engine, place.at, event);
  }
  bool operator()(const EngineStopped& event) { return fold(state.engine, place.at, event); }
  bool operator()(const UserForgotten& event) {
    const bool had_memories = fold_user_forgotten(state.memories, state.names, event);
    return fold(state.contexts, place, event) || had_memories;
  }
  bool operator()(const HealthChanged& event) { return fold(state.health, place, event); }
  // What is left is about one of the domains below: whose fold takes it.
  template <class AnyEvent>
  bool operator()(const AnyEvent& event) {
    if constexpr (requires { fold(state.backups, state.names, place, event); }) {
      return fold(state.backups, state.names, place, event);
    } else if constexpr (requires { fold(state.schedules, state.names, place, event); }) {
      return fold(state.schedules, state.names, place, event);
    } else if constexpr (requires { fold(state.implementations, state.names, place, event); }) {
      return fold(state.implementations, state.names, place, event);
    } else if constexpr (requires { fold(state.circuits, state.names, place, event); }) {
      return fold(state.circuits, state.names, place, event);
    } else if constexpr (requires { fold(state.components, state.names, place, event); }) {
      return fold(state.components, state.names, place, event);
    } else if constexpr (requires { fold(state.pools, state.names, place, event); }) {
      return fold(state.pools, state.names, place, event);
    } else if constexpr (requires { fold(state.gpu, state.names, place, event); }) {
      return fold(state.gpu, state.names, place, event);
    } else if constexpr (requires { fold(state.advisors, state.names, place, event); }) {
      return fold(state.advisors, state.names, place, event);
    } else if constexpr (requires { fold(state.memories, state.names, place, event); }) {
      return fold(state.memories, state.names, place, event);
    } else if constexpr (requires { fold(state.models, state.names, place, event); }) {
      return fold(state.models, state.names, place, event);
    } else if constexpr (requires { fold(state.audits, state.names, place, event); }) {
      return fold(state.audits, state.names, place, event);
    } else if constexpr (requires { fold(state.contexts, place, event); }) {
      return fold(state.contexts, place, event);
    } else if constexpr (requires { result_of(event); }) {
      return fold_end(event);
    } else {
      return fold(state.tasks, state.names, place, event);
    }
  }

 private:
  // Of what ends an attempt, for the services that its task needs.
  static ServiceResult result_of(const TaskSucceeded&) { return ServiceResult::success; }
  static ServiceResult result_of(const TaskAttemptFailed&) { return ServiceResult::failure; }
  static ServiceResult result_of(const TaskFailed& event) {
    // The engine did, or a worker elsewhere.
    const bool died = event.end.status == AttemptStatus::crashed;
    return died ? ServiceResult::none : ServiceResult::failure;
  }
  static ServiceResult result_of(const TaskHandedBack& event) {
    const bool crashed = event.reason == HandBackReason::crashed;
    return crashed ? ServiceResult::failure : ServiceResult::none;
  }
  static ServiceResult result_of(const TaskCancelled&) { return ServiceResult::none; }
  static ServiceResult result_of(const TaskSnoozed&) { return ServiceResult::none; }
  static ServiceResult result_of(const TaskHeld&) { return ServiceResult::none; }

  template <class EndEvent>
  bool fold_end(const EndEvent& event) {
    const DemandsId demands =
        state.circuits.empty() ? DemandsId() : state.tasks.demands_of(event.id);
    const Task* task = demands ? state.tasks.all.find(event.id) : nullptr;
    const bool ran = task != nullptr && holds_lease(task->state);
    const Time began = ran ? task->started_at : Time();
    if (!fold(state.tasks, state.names, place, event)) return false;
    if (!ran) return true;
    for (const LimitDemand& demand : state.tasks.demand_sets.of(demands)) {
      const bool is_guarded = guards(state.circuits, state.names, demand.limit);
      end_attempt(state.circuits, state.names, demand.limit, event.id,
                  {.result = is_guarded ? result_of(event) : ServiceResult::none,
                   .took = place.at - began,
                   .at = place.at});
    }
    return true;
  }

  // Of a task that is about to be started; none where nothing is asked for or limited.
  [[nodiscard]] std::vector<LaneClaim> claims_to_start(TaskId id) const {
    if (state.limits.empty() && state.tasks.demands.empty()) return {};
    const Task* task = state.tasks.all.find(id);
    if (task == nullptr) return {};
    return claims_of(state, lane_of(state.tasks, id, *task));
  }
};

}  // namespace

void fold_into(State& state, const RecordedEvent& recorded) {
  ALMANAC_CHECK(recorded.position == state.position.next());
  const Event& event = recorded.event;
  state.position = recorded.position;
  state.time = event.at;
  bool applied =
      std::visit(Fold{state, {recorded.position, event.at, event.idempotency_key}}, event.body);
  if (!applied) ++state.ignored;
}

State fold(State state, const RecordedEvent& recorded) {
  fold_into(state, recorded);
  return state;
}

Digest digest(const State& state) {
  StateHasher hasher;
  hasher.number(state.position.value);
  hasher.number(static_cast<std::uint64_t>(state.time.time_since_epoch().count()));
  hasher.number(state.ignored);
  state.names.hash_into(hasher);
  state.tasks.hash_into(hasher);
  state.queues.hash_into(hasher);
  state.engine.hash_into(hasher);
  state.backups.hash_into(hasher);
  state.schedules.hash_into(hasher);
  if (!state.limits.empty()) state.limits.hash_into(hasher);
  state.pauses.hash_into(hasher);
  state.implementations.hash_into(hasher);
  state.circuits.hash_into(hasher);
  state.components.hash_into(hasher);
  state.pools.hash_into(hasher);
  state.health.hash_into(hasher);
  state.gpu.hash_into(hasher);
  state.advisors.hash_into(hasher);
  state.memories.hash_into(hasher);
  state.contexts.hash_into(hasher);
  state.models.hash_into(hasher);
  state.audits.hash_into(hasher);
  return hasher.finish();
}

}  // namespace almanac
