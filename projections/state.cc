#include <almanac/projections/state.h>

#include <utility>

namespace almanac {
namespace {

// Hands an event to the projection it belongs to.
struct Fold {
  State& state;
  EventPlace place;

  // Custom events belong to the program that embeds the library.
  bool operator()(const CustomEvent&) { return true; }
  bool operator()(const QueueConfigured& event) { return fold(state.queues, state.names, event); }
  bool operator()(const WorkPaused& event) { return fold(state.pauses, state.names, event); }
  bool operator()(const WorkResumed& event) { return fold(state.pauses, state.names, event); }
  bool operator()(const EngineStarted& event) { return fold(state.engine, place.at, event); }
  bool operator()(const EngineStopped& event) { return fold(state.engine, place.at, event); }
  // What is left is about tasks or about backups: whose fold takes it.
  template <class AnyEvent>
  bool operator()(const AnyEvent& event) {
    if constexpr (requires { fold(state.backups, state.names, place, event); }) {
      return fold(state.backups, state.names, place, event);
    } else {
      return fold(state.tasks, state.names, place, event);
    }
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
  state.pauses.hash_into(hasher);
  return hasher.finish();
}

}  // namespace almanac
