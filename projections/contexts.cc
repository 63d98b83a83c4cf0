#include <almanac/projections/contexts.h>

#include <almanac/projections/limits.h>
#include <almanac/projections/tasks.h>

#include <algorithm>
#include <utility>

namespace almanac {
namespace {

// The context of the user as it was, or a new one; none where it is not of this key.
std::optional<UserContext> context_to_change(const Contexts& contexts, std::string_view user,
                                             Bytes key) {
  const auto id = sixteen_bytes(key);
  if (!id || user.empty() || contexts.destroyed.contains(*id)) return std::nullopt;
  const SharedContext* known = contexts.find(user);
  if (known == nullptr) return UserContext{.key = *id};
  return (*known)->key == *id ? std::optional(**known) : std::nullopt;
}

void keep(Contexts& contexts, const EventPlace& place, std::string_view user, UserContext context) {
  context.version = contexts.changed = place.position;
  context.changed_at = contexts.changed_at = place.at;
  ++contexts.changes;
  contexts.all.set(contexts.users.intern(user), SharedContext(std::move(context)));
}

void hash_into(StateHasher& hasher, const UserContext& context) {
  hasher.text(as_text(context.key));
  hasher.number(context.version.value);
  hasher.number(number_of(context.changed_at));
  hasher.number(context.fields.size());
  for (const auto& [field, content] : context.fields) {
    hasher.text(as_text(field));
    hasher.text(content.view());
  }
  hasher.number(context.turns_added);
  hasher.number(context.turns.size());
  for (const auto& [number, turn] : context.turns) {
    hasher.number(number);
    hasher.number(number_of(turn.at));
    hasher.text(turn.content.view());
  }
}

}  // namespace

std::optional<std::array<std::byte, 16>> sixteen_bytes(Bytes bytes) {
  std::array<std::byte, 16> array;
  if (bytes.size() != array.size()) return std::nullopt;
  std::ranges::copy(bytes, array.begin());
  return array;
}

const SharedContext* Contexts::find(std::string_view user) const {
  const auto number = users.find(user);
  return number ? all.find(*number) : nullptr;
}

bool fold(Contexts& contexts, const EventPlace& place, const ContextChanged& event) {
  auto context = context_to_change(contexts, event.user, event.key);
  const auto field = sixteen_bytes(event.field);
  if (!context || !field) return false;
  if (event.content.empty()) {
    if (!context->fields.erase(*field)) return false;
  } else {
    context->fields.set(*field, SharedText(as_text(event.content)));
  }
  keep(contexts, place, event.user, std::move(*context));
  return true;
}

bool fold(Contexts& contexts, const EventPlace& place, const ConversationTurnAdded& event) {
  auto context = context_to_change(contexts, event.user, event.key);
  if (!context) return false;
  const std::uint64_t number = ++context->turns_added;
  context->turns.set(number, {SharedText(as_text(event.content)), place.at});
  if (context->turns.size() > limits::context_turns_kept_max) {
    context->turns.erase(number - limits::context_turns_kept_max);
  }
  keep(contexts, place, event.user, std::move(*context));
  return true;
}

bool fold(Contexts& contexts, const EventPlace&, const UserForgotten& event) {
  const auto id = sixteen_bytes(event.key);
  if (!id) return false;
  const auto user = contexts.users.find(event.user);
  const SharedContext* known = user ? contexts.all.find(*user) : nullptr;
  const bool is_known = known != nullptr && (*known)->key == *id;
  if (is_known) {
    contexts.all.erase(*user);
    contexts.users.erase(*user);
  }
  return contexts.destroyed.insert(*id) || is_known;
}

void Contexts::hash_into(StateHasher& hasher) const {
  if (empty()) return;
  constexpr std::uint64_t part = 0x636f6e7465787473;  // "contexts"
  hasher.number(part);
  hasher.numbers(std::array{changes, changed.value, number_of(changed_at), all.size()});
  for (const auto& [user, context] : all) {
    hasher.text(users.text(user));
    almanac::hash_into(hasher, *context);
  }
  hasher.number(destroyed.size());
  for (const UserKeyId& key : destroyed) hasher.text(as_text(key));
}

}  // namespace almanac
