#include <almanac/engine/user_contexts.h>

#include <almanac/engine/memory_sealing.h>
#include <almanac/engine/published.h>
#include <almanac/log/printable.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <vector>

namespace almanac {
namespace {

// What `call` hands to the function that it is given, once it does.
template <class Value, class Call>
Result<Value> awaited(const Call& call) {
  auto answer = std::make_shared<std::promise<Result<Value>>>();
  auto future = answer->get_future();
  call([answer](Result<Value> result) { answer->set_value(std::move(result)); });
  return future.get();
}

// In the order in which names are walked.
ChangeContext sealed(const std::string& user, const ContextChanges& changes, const UserKey& key) {
  ChangeContext command{.user = user, .key = key.id, .fields = {}, .turns = {}};
  const auto add = [&](const ContextFieldName& field, const std::optional<ContextValue>& value) {
    command.fields.push_back(
        {mark_of(field, *key.key), value ? seal(field, *value, *key.key) : std::string()});
  };
  for (const auto& [name, value] : changes.preferences)
    add({ContextFieldKind::preference, name}, value);
  if (changes.friendship) add({ContextFieldKind::friendship, {}}, *changes.friendship);
  for (const auto& [name, value] : changes.fields) add({ContextFieldKind::declared, name}, value);
  for (const ConversationTurn& turn : changes.turns) command.turns.push_back(seal(turn, *key.key));
  return command;
}

}  // namespace

Result<std::shared_ptr<const EncryptionKey>> ContextSnapshot::key() const {
  return keys_->need(context_->key);
}

Result<OpenContext> ContextSnapshot::open() const {
  const auto opening = key();
  if (!opening) return std::unexpected(opening.error());
  return open_context(*context_, **opening);
}

Result<std::optional<ContextValue>> ContextSnapshot::value(const ContextFieldName& field) const {
  const auto opening = key();
  if (!opening) return std::unexpected(opening.error());
  const SharedText* content = context_->fields.find(mark_of(field, **opening));
  if (content == nullptr) return std::nullopt;
  auto open = open_field(content->view(), **opening);
  if (!open) return std::unexpected(open.error());
  return std::move(open->value);
}

Result<std::vector<ConversationTurn>> ContextSnapshot::last_turns(std::size_t count) const {
  const auto opening = key();
  if (!opening) return std::unexpected(opening.error());
  std::vector<ConversationTurn> turns;
  const std::uint64_t before = turns_added() - std::min<std::uint64_t>(count, turns_added());
  for (auto turn = context_->turns.upper_bound(before); turn != context_->turns.end(); ++turn) {
    auto open = open_turn(turn->value.content.view(), turn->value.at, **opening);
    if (!open) return std::unexpected(open.error());
    turns.push_back(std::move(*open));
  }
  return turns;
}

std::optional<ContextSnapshot> UserContexts::get(std::string_view user) const {
  const auto now = around_.published.now();
  const SharedContext* known = now->state.contexts.find(user);
  if (known == nullptr) return std::nullopt;
  return ContextSnapshot(known->pointer(), *around_.keys);
}

Result<void> UserContexts::tell_forgotten(ForgetUser command) {
  return awaited<void>([&](auto done) {
    around_.tell(std::move(command), [done = std::move(done)](const Result<Answer>& answer) {
      done(answer ? Result<void>() : std::unexpected(answer.error()));
    });
  });
}

Result<void> UserContexts::tell_forgotten_without_waiting(ForgetUser command) {
  const auto refused = std::make_shared<std::promise<Error>>();
  auto answer = refused->get_future();
  around_.tell(std::move(command), [refused](const Result<Answer>& result) {
    if (!result) refused->set_value(result.error());
  });
  // One that does not even enter the mailbox is refused before this returns.
  const bool is_refused = answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  return is_refused ? std::unexpected(answer.get()) : Result<void>();
}

// On the engine's own thread, too, which gives the memories of an attempt their keys: it must not
// wait here for what only it answers.
Result<UserKey> UserContexts::key_of(const std::string& user) {
  const std::lock_guard lock(making_);
  around_.keys->look_again();
  if (const auto id = known(user)) {
    auto key = around_.keys->need(*id);
    if (key) made_.erase(user);
    if (key) return UserKey{*id, std::move(*key)};
    if (key.error().code != ErrorCode::refused) return std::unexpected(key.error());
    // Somebody who shares the keys has forgotten the user. The mailbox is in order: that is heard
    // before what is sealed with the new key. Told once, as what is told again would forget that.
    const auto made = made_.find(user);
    if (made == made_.end() || made->second == *id) {
      auto told = tell_forgotten_without_waiting({user, {*id}});
      if (!told) return std::unexpected(told.error());
    }
  }
  if (const auto made = made_.find(user); made != made_.end()) {
    if (auto key = around_.keys->find(made->second)) return UserKey{made->second, std::move(key)};
  }
  const auto id = around_.keys->create();
  if (!id) return std::unexpected(id.error());
  made_[user] = *id;
  return UserKey{*id, around_.keys->find(*id)};
}

std::optional<UserKeyId> UserContexts::known(std::string_view user) const {
  return known_key(around_.published.now()->state, user);
}

Result<void> UserContexts::add_owners(std::span<const MemorySpec> memories, UserKeyRing& keys) {
  for (const MemorySpec& memory : memories) {
    if (memory.user.empty() || keys.contains(memory.user)) continue;
    auto key = key_of(memory.user);
    if (!key) return std::unexpected(key.error());
    keys.emplace(memory.user, std::move(*key));
  }
  return {};
}

Result<void> UserContexts::add_changed(std::span<const MemoryUpdate> updates, UserKeyRing& keys) {
  const auto now = around_.published.now();
  const State& state = now->state;
  for (const MemoryUpdate& update : updates) {
    const MemoryVersion* version = state.memories.all.find(update.id);
    if (version == nullptr || !(*version)->sealed || !changes_content(update)) continue;
    const UserKeyId& id = (*version)->sealed->key;
    auto key = around_.keys->need(id);
    if (!key) return std::unexpected(key.error());
    keys.emplace(state.names.text(*(*version)->user), UserKey{id, std::move(*key)});
  }
  return {};
}

Result<void> UserContexts::give_keys(Command& command) {
  if (auto* change = std::get_if<ChangeMemories>(&command)) {
    const MemoryTransaction& asked = change->transaction;
    const auto is_nobodys = [](const MemorySpec& spec) { return spec.user.empty(); };
    if (asked.update.empty() && std::ranges::all_of(asked.store, is_nobodys)) return {};
    // No key is made for what is refused.
    auto given = check_transaction(asked);
    if (given) given = add_owners(asked.store, change->keys);
    return given ? add_changed(asked.update, change->keys) : given;
  }
  auto* end = std::get_if<FinishAttempt>(&command);
  if (end == nullptr || end->outcome.memories.empty()) return {};
  // What is refused anyway is refused where the end is decided about.
  if (!check_memories(end->outcome.memories)) return {};
  auto given = add_owners(end->outcome.memories, end->keys);
  if (!given) end->outcome = {.status = AttemptStatus::error, .message = unstorable(given.error())};
  return {};
}

void UserContexts::change(const std::string& user, const ContextChanges& changes,
                          std::optional<Position> expected,
                          std::function<void(Result<Position>)> done) {
  auto checked = check_user(user);
  if (checked) checked = check_changes(changes, options_);
  if (!checked) return done(std::unexpected(checked.error()));
  const auto key = key_of(user);
  if (!key) return done(std::unexpected(key.error()));
  ChangeContext command = sealed(user, changes, *key);
  command.expected = expected;
  ++waiting_;
  around_.tell(std::move(command), [this, done = std::move(done)](Result<Answer> answer) {
    --waiting_;
    if (!answer) return done(std::unexpected(answer.error()));
    done(std::get<ContextVersion>(*answer).version);
  });
}

Result<Position> UserContexts::change(const std::string& user, const ContextChanges& changes,
                                      std::optional<Position> expected) {
  return awaited<Position>([&](auto done) { change(user, changes, expected, std::move(done)); });
}

Result<void> UserContexts::forget(const std::string& user) {
  std::vector<UserKeyId> keys;
  {
    const std::lock_guard lock(making_);
    if (const auto id = known(user)) keys.push_back(*id);
    if (const auto made = made_.find(user); made != made_.end()) keys.push_back(made->second);
    if (keys.empty()) {
      return fail(ErrorCode::not_found, "nothing is known of user '" + printable(user) + "'");
    }
    for (const UserKeyId& key : keys) {
      if (auto destroyed = around_.keys->destroy(key); !destroyed) return destroyed;
    }
    made_.erase(user);
  }
  if (around_.on_forgotten) around_.on_forgotten();
  return tell_forgotten({user, std::move(keys)});
}

ContextStatus UserContexts::status() const {
  const auto now = around_.published.now();
  const Contexts& contexts = now->state.contexts;
  return {.waiting = waiting_,
          .saved = contexts.changes,
          .saved_last = contexts.changed,
          .saved_at = contexts.changed_at};
}

Result<void> UserContexts::apply_ledger() {
  const auto now = around_.published.now();
  const State& state = now->state;
  const Contexts& contexts = state.contexts;
  if (auto destroyed = around_.keys->destroy_again(contexts.destroyed); !destroyed) {
    return destroyed;
  }
  std::map<std::string, UserKeyId> gone;
  const auto look_at = [&](std::string_view user, const UserKeyId& key) {
    if (around_.keys->is_destroyed(key)) gone.emplace(user, key);
  };
  for (const auto& [user, context] : contexts.all) look_at(contexts.users.text(user), context->key);
  for (const auto& [user, key] : state.memories.user_keys) look_at(state.names.text(user), key);
  for (const auto& [user, key] : gone) {
    if (auto told = tell_forgotten({user, {key}}); !told) return told;
  }
  return {};
}

}  // namespace almanac
