#include <almanac/projections/state.h>

#include <almanac/projections/lane_claims.h>

#include <utility>

namespace almanac {
namespace {

// Hands an event to the projection it belongs to.
struct Fold {
  State& state;
  EventPlace place;

  // Custom events belong to the program that embeds the library.
  bool operator()(const CustomEvent&) { return true; }
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
    for (const LaneClaim& claim : claims) {
      if (claim.on != ClaimOn::tokens) continue;
      take_tokens(state.limits, claim.limit, setting_of(state.limits, state.names, claim.limit),
                  claim.amount, place.at);
    }
    return true;
  }
  bool operator()(const WorkPaused& event) { return fold(state.pauses, state.names, event); }
  bool operator()(const WorkResumed& event) { return fold(state.pauses, state.names, event); }
  bool operator()(const EngineStarted& event) {
    state.tasks.blocked.clear();  // another engine may have other handlers
    return fold(state.engine, place.at, event);
  }
  bool operator()(const EngineStopped& event) { return fold(state.engine, place.at, event); }
  // What is left is about tasks, backups, schedules or implementations: whose fold takes it.
  template <class AnyEvent>
  bool operator()(const AnyEvent& event) {
    if constexpr (requires { fold(state.backups, state.names, place, event); }) {
      return fold(state.backups, state.names, place, event);
    } else if constexpr (requires { fold(state.schedules, state.names, place, event); }) {
      return fold(state.schedules, state.names, place, event);
    } else if constexpr (requires { fold(state.implementations, state.names, place, event); }) {
      return fold(state.implementations, state.names, place, event);
    } else {
      return fold(state.tasks, state.names, place, event);
    }
  }

 private:
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
  return hasher.finish();
}

}  // namespace almanac
