#include <almanac/engine/memory_sealing.h>

#include <almanac/engine/memory_reader.h>
#include <almanac/log/printable.h>

#include <span>
#include <string>
#include <utility>

namespace almanac {
namespace {

std::string raw(const std::vector<float>& embedding) {
  return std::string(as_text(std::as_bytes(std::span(embedding))));
}

void take_update(PersonalMemory& said, const MemoryUpdate& update) {
  if (update.content) said.content = *update.content;
  if (update.summary) said.summary = *update.summary;
  if (update.embedding) said.embedding = raw(*update.embedding);
  if (update.metadata) said.metadata = to_json(*update.metadata);
  if (update.tags) said.tags = *update.tags;
}

}  // namespace

bool changes_content(const MemoryUpdate& update) {
  return update.content || update.summary || update.embedding || update.metadata || update.tags;
}

std::optional<UserKeyId> known_key(const State& state, std::string_view user) {
  if (const SharedContext* context = state.contexts.find(user)) return (*context)->key;
  const auto name = state.names.find(user);
  const UserKeyId* key = name ? state.memories.user_keys.find(*name) : nullptr;
  return key == nullptr ? std::nullopt : std::optional(*key);
}

SealedMemory MemorySealer::sealed(const PersonalMemory& said, const MemoryPlace& place,
                                  const UserKey& key) {
  return {.key = key.id,
          .content = as_bytes(memory_.text(seal(said, place, *key.key))),
          .dimension = said.dimension()};
}

Result<SealedMemory> MemorySealer::seal_new(const MemorySpec& spec, MemoryId id) {
  const auto key = keys_.find(spec.user);
  const auto known = known_key(state_, spec.user);
  const bool fits = key != keys_.end() && key->second.key != nullptr &&
                    (!known || *known == key->second.id) &&
                    !state_.contexts.destroyed.contains(key->second.id);
  if (!fits) {
    return fail(ErrorCode::conflict, "user '" + printable(spec.user) + "' was forgotten meanwhile",
                "ask again: what is known then begins anew");
  }
  return sealed({.content = spec.content,
                 .summary = spec.summary,
                 .embedding = raw(spec.embedding),
                 .metadata = to_json(spec.metadata),
                 .tags = spec.tags},
                {spec.user, id}, key->second);
}

Result<const UserKey*> MemorySealer::key_of(MemoryId id, const Memory& memory) const {
  if (MemoryReader(state_, nullptr).is_forgotten(memory)) {
    return fail(ErrorCode::refused,
                "memory " + std::to_string(id.value) + " was forgotten with its user",
                "store what is to be known of it as another one");
  }
  const auto key = keys_.find(state_.names.text(*memory.user));
  const bool fits =
      key != keys_.end() && key->second.key != nullptr && key->second.id == memory.sealed->key;
  if (fits) return &key->second;
  return fail(ErrorCode::not_found,
              "the key of memory " + std::to_string(id.value) + " is not in the folder of the log",
              "bring it with `almanac context import-keys FILE`, or forget the user");
}

Result<SealedMemory> MemorySealer::seal_changed(const MemoryUpdate& update, const Memory& memory) {
  const auto key = key_of(update.id, memory);
  if (!key) return std::unexpected(key.error());
  const MemoryPlace place{state_.names.text(*memory.user), update.id};
  auto said = changed_.find(update.id);
  if (said == changed_.end()) {
    auto open = open_memory(*memory.sealed, place, *(*key)->key);
    if (!open) return std::unexpected(open.error());
    said = changed_.emplace(update.id, std::move(*open)).first;
  }
  take_update(said->second, update);
  return sealed(said->second, place, **key);
}

}  // namespace almanac
