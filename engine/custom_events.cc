#include <almanac/engine/custom_events.h>

#include <almanac/engine/limits.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {
namespace {

Result<void> check_event_specs(const State& state, const std::vector<EventSpec>& events) {
  if (events.empty()) return fail(ErrorCode::invalid, "there are no events", "give one at least");
  if (events.size() > limits::appended_events_max) {
    return fail(ErrorCode::invalid,
                "at most " + std::to_string(limits::appended_events_max) +
                    " events are taken at once, not " + std::to_string(events.size()),
                "append them in several calls");
  }
  std::set<std::string_view> keys;
  for (const EventSpec& event : events) {
    if (event.type.empty()) {
      return fail(ErrorCode::invalid, "an event has no type", "say in a word what happened");
    }
    if (!event.idempotency_key.empty() && !keys.insert(event.idempotency_key).second) {
      return fail(ErrorCode::invalid,
                  "two events have the idempotency key '" + event.idempotency_key + "'",
                  "give each event a key of its own");
    }
    if (std::max(event.correlation, event.causation) > state.position) {
      return fail(ErrorCode::invalid, "an event names a cause that has not happened",
                  "name positions that were answered");
    }
  }
  return {};
}

}  // namespace

Result<Decision> decide_one(const State& state, const AppendEvents& command,
                            const DecideContext& context) {
  if (auto checked = check_event_specs(state, command.events); !checked) {
    return std::unexpected(checked.error());
  }
  Decision decision;
  std::vector<AppendedEvent> appended;
  Position next = state.position.next();
  for (const EventSpec& spec : command.events) {
    const CustomEvent body{spec.type, as_bytes(spec.data)};
    const CustomUse* use =
        spec.idempotency_key.empty() ? nullptr : state.custom_keys.find(spec.idempotency_key);
    if (use != nullptr && use->content_hash != content_hash_of(body)) {
      return fail(ErrorCode::conflict,
                  "the idempotency key '" + spec.idempotency_key + "' stands for event " +
                      std::to_string(use->position.value) + ", which says something else",
                  "give each event a key of its own");
    }
    appended.push_back({use != nullptr ? use->position : next, use != nullptr});
    if (use != nullptr) continue;
    next = next.next();
    decision.events.push_back({.at = context.now,
                               .idempotency_key = spec.idempotency_key,
                               .stream = spec.stream,
                               .correlation = spec.correlation,
                               .causation = spec.causation,
                               .body = body});
  }
  decision.answer = std::move(appended);
  return decision;
}

}  // namespace almanac
