#include <almanac/engine/pools.h>

#include <almanac/engine/limits.h>

#include <string_view>

namespace almanac {
namespace {

EventBody body_of(std::string_view pool, const PoolEvent& event) {
  const std::string_view message =
      std::string_view(event.message).substr(0, limits::message_bytes_max);
  switch (event.kind) {
    case PoolEvent::Kind::created: return InstanceCreated{pool, event.instance, event.is_temporary};
    case PoolEvent::Kind::creation_failed: return InstanceFailed{pool, message};
    case PoolEvent::Kind::retired:
      return InstanceRetired{pool, event.instance, event.reason, message};
    case PoolEvent::Kind::exhausted: return PoolExhausted{pool};
  }
  return PoolExhausted{pool};
}

}  // namespace

Result<Decision> decide_one(const State& state, const ReportPoolEvent& command,
                            const DecideContext& context) {
  Decision decision;
  if (command.event.kind == PoolEvent::Kind::retired) {
    const auto id = state.names.find(command.pool);
    const PoolRecord* record = id ? state.pools.all.find(*id) : nullptr;
    if (record == nullptr || record->alive == 0) return decision;
  }
  decision.events.push_back({.at = context.now, .body = body_of(command.pool, command.event)});
  return decision;
}

}  // namespace almanac
