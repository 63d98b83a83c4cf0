// What a program knows of its users: preferences, friendship, fields of its own, conversations. A
// context is an immutable value that is changed by a command, on record, sealed with a key of the
// user's own, and gone for good when that key is destroyed.
//
//   engine->contexts().change("ann", {.preferences = {{"language", "en"}},
//                                     .turns = {{.role = TurnRole::user, .text = "Hello"}}});
//   auto ann = engine->contexts().get("ann")->open();
//
// A compiled example is examples/context.cc.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/context_spec.h>
#include <almanac/snapshots/user_keys.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {

class Published;

// What is known of a user at a moment: never changes, and can be kept, but not opened once the user
// was forgotten. A value; dies before the engine.
class ContextSnapshot {
 public:
  ContextSnapshot(std::shared_ptr<const UserContext> context, const UserKeys& keys)
      : context_(std::move(context)), keys_(&keys) {}

  // The last event about the user, which is what a change can expect.
  [[nodiscard]] Position version() const { return context_->version; }
  [[nodiscard]] Time changed_at() const { return context_->changed_at; }
  [[nodiscard]] std::uint64_t turns_added() const { return context_->turns_added; }
  [[nodiscard]] const UserContext& sealed() const { return *context_; }

  // All of it; some 2 microseconds for each field and turn. Errors of these: refused (the user was
  // forgotten), not_found (the key is not in the log's folder), corrupt.
  [[nodiscard]] Result<OpenContext> open() const;
  // One value, if it is there.
  [[nodiscard]] Result<std::optional<ContextValue>> value(const ContextFieldName& field) const;
  // The last turns, as many as there are, the oldest of them first.
  [[nodiscard]] Result<std::vector<ConversationTurn>> last_turns(std::size_t count) const;

 private:
  [[nodiscard]] Result<std::shared_ptr<const EncryptionKey>> key() const;

  std::shared_ptr<const UserContext> context_;
  const UserKeys* keys_;
};

// How saving goes.
struct ContextStatus {
  std::uint64_t waiting = 0;  // changes that are not answered yet
  std::uint64_t saved = 0;    // fields and turns, in all
  Position saved_last;        // none = nothing was
  Time saved_at;
  Duration save_interval{0};  // nothing waits for a time: a change is saved by itself, at once
};

// Owned by the engine. Any thread may call; those that wait not on the engine's own.
class UserContexts {
 public:
  struct Surroundings {
    const Published& published;
    std::unique_ptr<UserKeys> keys;
    std::function<void(Command, std::function<void(Result<Answer>)>)> tell;
    std::function<void()> on_forgotten;  // keys have gone
  };
  UserContexts(Surroundings surroundings, ContextOptions options)
      : around_(std::move(surroundings)), options_(std::move(options)) {}

  // A snapshot without a lock, below 200 nanoseconds; none where nothing is known of the user.
  [[nodiscard]] std::optional<ContextSnapshot> get(std::string_view user) const;
  // All of it or nothing, on disk when it is answered; answers the version behind it. Changes of
  // many threads at once are made one after the other, and none is lost. Errors: invalid (which
  // field), conflict (another version than the expected one; `Position()` = nothing is known yet),
  // not_found (the user's key is not in the log's folder), storage_full, and those of
  // Engine::submit().
  [[nodiscard]] Result<Position> change(const std::string& user, const ContextChanges& changes,
                                        std::optional<Position> expected = {});
  // Without waiting, but for the key of a new user, which is on disk first: `done` is called once,
  // on the engine's thread or, refused, on this one, and must return soon.
  void change(const std::string& user, const ContextChanges& changes,
              std::optional<Position> expected, std::function<void(Result<Position>)> done);
  // Destroys the key, also that of what is remembered of the user: nothing can read any more what
  // was sealed with it, in this log, in those that share its keys, and in any copy. On disk when it
  // returns. Errors: not_found (nothing is known of the user), storage_full, refused, io, and those
  // of Engine::submit().
  [[nodiscard]] Result<void> forget(const std::string& user);
  [[nodiscard]] ContextStatus status() const;

  // To open with what belongs to users.
  [[nodiscard]] const UserKeys& keys() const { return *around_.keys; }
  // Puts into the command the keys of the users whose memories are in it; where one cannot be had
  // an attempt that has succeeded has failed instead. Errors: those of key_of(), of a command that
  // changes memories; refused (an entry that is to be changed was forgotten with its user).
  [[nodiscard]] Result<void> give_keys(Command& command);
  // The key to seal with what belongs to the user, made where there is none. Errors: not_found (it
  // is not in the log's folder), storage_full, refused, io, and those of forget().
  [[nodiscard]] Result<UserKey> key_of(const std::string& user);
  // Forgets the users whose keys were destroyed where this log did not hear of it: before it was
  // restored, or by one that shares its keys. The first call. Errors: those of forget().
  [[nodiscard]] Result<void> apply_ledger();

 private:
  [[nodiscard]] Result<void> tell_forgotten(ForgetUser command);
  // Errors: that it could not be told.
  [[nodiscard]] Result<void> tell_forgotten_without_waiting(ForgetUser command);
  [[nodiscard]] std::optional<UserKeyId> known(std::string_view user) const;
  [[nodiscard]] Result<void> add_owners(std::span<const MemorySpec> memories, UserKeyRing& keys);
  [[nodiscard]] Result<void> add_changed(std::span<const MemoryUpdate> updates, UserKeyRing& keys);

  Surroundings around_;
  ContextOptions options_;
  std::mutex making_;
  std::map<std::string, UserKeyId>
      made_;  // of which the state does not know yet; guarded by making_
  std::atomic<std::uint64_t> waiting_ = 0;
};

}  // namespace almanac
