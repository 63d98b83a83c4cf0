#include <almanac/engine/memory_reader.h>

#include <string>

namespace almanac {

bool MemoryReader::is_forgotten(const Memory& memory) const {
  if (!memory.sealed) return false;
  const UserKeyId& key = memory.sealed->key;
  return destroyed_.contains(key) || (keys_ != nullptr && keys_->is_destroyed(key));
}

Result<MemoryVersion> MemoryReader::open(MemoryId id, const MemoryVersion& version) const {
  const Memory& memory = *version;
  if (!memory.sealed) return version;
  if (is_forgotten(memory)) {
    return fail(ErrorCode::refused,
                "memory " + std::to_string(id.value) + " was forgotten with its user",
                "nobody can read it any more: `almanac memory forget " + std::to_string(id.value) +
                    "` removes what is left of it");
  }
  if (keys_ == nullptr) return fail(ErrorCode::not_found, "there are no keys");
  const auto key = keys_->need(memory.sealed->key);
  if (!key) return std::unexpected(key.error());
  return open_memory(memory, {names_.text(*memory.user), id}, **key);
}

}  // namespace almanac
