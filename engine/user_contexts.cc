#include <almanac/engine/user_contexts.h>

#include <almanac/engine/published.h>
#include <almanac/log/printable.h>

#include <algorithm>
#include <future>
#include <vector>

namespace almanac {
namespace {

Error key_is_missing() {
  return {ErrorCode::not_found, "the key of the user is not in the folder of the log",
          "bring back its folder 'keys', or forget the user"};
}

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
  auto key = keys_->find(context_->key);
  if (key) return key;
  if (!keys_->is_destroyed(context_->key)) return std::unexpected(key_is_missing());
  return fail(ErrorCode::refused, "the user was forgotten");
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

Result<UserKey> UserContexts::key_of(const std::string& user) {
  std::unique_lock lock(making_);
  around_.keys->look_again();
  if (const auto snapshot = get(user)) {
    made_.erase(user);
    const UserKeyId id = snapshot->sealed().key;
    if (auto key = around_.keys->find(id)) return UserKey{id, std::move(key)};
    if (!around_.keys->is_destroyed(id)) return std::unexpected(key_is_missing());
    lock.unlock();
    // Somebody who shares the keys has forgotten the user.
    if (auto told = tell_forgotten({user}); !told) return std::unexpected(told.error());
    lock.lock();
  }
  if (const auto made = made_.find(user); made != made_.end()) {
    if (auto key = around_.keys->find(made->second)) return UserKey{made->second, std::move(key)};
  }
  const auto id = around_.keys->create();
  if (!id) return std::unexpected(id.error());
  made_[user] = *id;
  return UserKey{*id, around_.keys->find(*id)};
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
    if (const auto known = get(user)) keys.push_back(known->sealed().key);
    if (const auto made = made_.find(user); made != made_.end()) keys.push_back(made->second);
    if (keys.empty()) {
      return fail(ErrorCode::not_found, "nothing is known of user '" + printable(user) + "'");
    }
    for (const UserKeyId& key : keys) {
      if (auto destroyed = around_.keys->destroy(key); !destroyed) return destroyed;
    }
    made_.erase(user);
  }
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
  const Contexts& contexts = now->state.contexts;
  if (auto destroyed = around_.keys->destroy_again(contexts.destroyed); !destroyed) {
    return destroyed;
  }
  for (const auto& [user, context] : contexts.all) {
    if (!around_.keys->is_destroyed(context->key)) continue;
    auto told = tell_forgotten({std::string(contexts.users.text(user))});
    if (!told) return told;
  }
  return {};
}

}  // namespace almanac
