#include <almanac/engine/contexts.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/memory_sealing.h>

#include <string>

namespace almanac {
namespace {

Result<void> check_key(const State& state, const ChangeContext& command) {
  const auto known = known_key(state, command.user);
  const bool fits = !known || *known == command.key;
  if (fits && !state.contexts.destroyed.contains(command.key)) return {};
  return fail(ErrorCode::conflict, "user '" + command.user + "' was forgotten meanwhile",
              "ask again: what is known then begins anew");
}

Result<void> check_version(Position version, const ChangeContext& command) {
  if (!command.expected || *command.expected == version) return {};
  return fail(ErrorCode::conflict,
              "what is known of user '" + command.user + "' is of version " +
                  std::to_string(version.value) + ", not " +
                  std::to_string(command.expected->value),
              "read it again, and decide anew what to change");
}

}  // namespace

Result<Decision> decide_one(const State& state, const ChangeContext& command,
                            const DecideContext& context) {
  const SharedContext* shared = state.contexts.find(command.user);
  const UserContext* known = shared == nullptr ? nullptr : shared->pointer().get();
  const Position version = known == nullptr ? Position() : known->version;
  auto checked = check_key(state, command);
  if (checked) checked = check_version(version, command);
  if (!checked) return std::unexpected(checked.error());
  Decision decision;
  const auto add = [&](const EventBody& body) {
    decision.events.push_back({.at = context.now, .body = body});
  };
  std::size_t fields = known == nullptr ? 0 : known->fields.size();
  for (const ChangeContext::Field& field : command.fields) {
    const bool is_there = known != nullptr && known->fields.contains(field.mark);
    if (field.content.empty() && !is_there) continue;
    if (!is_there) ++fields;
    add(ContextChanged{command.user, command.key, field.mark, as_bytes(field.content)});
  }
  if (fields > limits::context_fields_max) {
    return fail(ErrorCode::invalid,
                "user '" + command.user + "' would have " + std::to_string(fields) + " fields",
                "at most " + std::to_string(limits::context_fields_max) + " are kept: remove some");
  }
  for (const std::string& turn : command.turns) {
    add(ConversationTurnAdded{command.user, command.key, as_bytes(turn)});
  }
  const auto events = decision.events.size();
  decision.answer = ContextVersion{events == 0 ? version : Position(state.position.value + events)};
  return decision;
}

Result<Decision> decide_one(const State& state, const ForgetUser& command,
                            const DecideContext& context) {
  Decision decision;
  const SharedContext* known = state.contexts.find(command.user);
  const auto forget = [&](const UserKeyId& key) {
    if (state.contexts.destroyed.contains(key)) return;
    decision.events.push_back({.at = context.now, .body = UserForgotten{command.user, key}});
  };
  // A context that was begun anew since the keys were destroyed has another one, and stays.
  if (known != nullptr) context.memory.keep(known->pointer());
  if (known != nullptr && command.keys.empty()) forget((*known)->key);
  for (const UserKeyId& key : command.keys) forget(key);
  return decision;
}

}  // namespace almanac
