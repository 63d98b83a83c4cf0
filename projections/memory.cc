#include <almanac/projections/memory.h>

#include <almanac/projections/tasks.h>

#include <array>

namespace almanac {
namespace {

SharedText text_of(std::string_view text) { return SharedText(text); }
SharedText text_of(Bytes bytes) { return SharedText(as_text(bytes)); }

bool fits(const Memories& memories, const Memory& memory) {
  if (memory.embedding.view().size() % sizeof(float) != 0) return false;
  const EmbeddedKind* known = memories.kinds.find(memory.kind);
  const std::uint32_t dimension = dimension_of(memory);
  return dimension == 0 || known == nullptr || known->dimension == dimension;
}

bool says_nothing(const MemoryContent& said) {
  return said.content.empty() && said.summary.empty() && said.embedding.empty() &&
         said.metadata.empty();
}

// None where it makes no sense.
std::optional<SealedContent> content_in(const SealedMemory& sealed) {
  const auto key = sixteen_bytes(sealed.key);
  if (!key || sealed.content.empty()) return std::nullopt;
  return SealedContent{*key, sealed.dimension, text_of(sealed.content)};
}

// False where the event contradicts what is known of the user.
bool take_sealed(Memories& memories, Memory& memory, const MemoryStored& event) {
  memory.sealed = content_in(event.sealed);
  if (!memory.sealed || !memory.user) return false;
  if (!says_nothing(event.said) || event.tags.size() > 0) return false;
  const UserKeyId* known = memories.user_keys.find(*memory.user);
  return known == nullptr || *known == memory.sealed->key;
}

void add(Memories& memories, MemoryId id, Memory memory) {
  if (memory.expires_at != Time()) memories.expiring.insert({memory.expires_at, id});
  if (const auto dimension = dimension_of(memory); dimension > 0) {
    if (!memories.kinds.contains(memory.kind)) memories.kinds.set(memory.kind, {dimension, 0});
    ++memories.kinds.edit(memory.kind)->entries;
  }
  memories.all.set(id, MemoryVersion(std::move(memory)));
}

// Of what follows from an entry; the entry itself is about to go or to be replaced.
void remove_orders(Memories& memories, MemoryId id, const Memory& memory) {
  if (memory.expires_at != Time()) memories.expiring.erase(MemoryDue{memory.expires_at, id});
  if (dimension_of(memory) == 0) return;
  EmbeddedKind& kind = *memories.kinds.edit(memory.kind);
  if (--kind.entries == 0) memories.kinds.erase(memory.kind);
}

std::vector<NameId> numbers_of(Names& names, const NameListView& list) {
  std::vector<NameId> numbers;
  for (std::size_t i = 0; i < list.size(); ++i) numbers.push_back(names.intern(list[i]));
  return numbers;
}

// False where there is no such field, or it is sealed.
bool change(Memory& memory, Names& names, std::string_view field, const MemoryUpdated& event) {
  if (field == "sealed") {
    auto content = content_in(event.sealed);
    if (!memory.sealed || !content || content->key != memory.sealed->key) return false;
    memory.sealed = std::move(content);
  } else if (field == "significance") {
    memory.significance = event.significance;
  } else if (field == "expires_at") {
    memory.expires_at = event.expires_at;
  } else if (memory.sealed) {
    return false;
  } else if (field == "content") {
    memory.content = text_of(event.said.content);
  } else if (field == "summary") {
    memory.summary = text_of(event.said.summary);
  } else if (field == "embedding") {
    memory.embedding = text_of(event.said.embedding);
  } else if (field == "metadata") {
    memory.metadata = text_of(event.said.metadata);
  } else if (field == "tags") {
    memory.tags = numbers_of(names, event.tags);
  } else {
    return false;
  }
  return true;
}

void hash_sealed(StateHasher& hasher, const SealedContent& content) {
  hasher.text("sealed");
  hasher.text(as_text(content.key));
  hasher.number(content.dimension);
  hasher.text(content.bytes.view());
}

}  // namespace

MemoryContent content_of(const Memory& memory) {
  return {memory.content.view(), memory.summary.view(), as_bytes(memory.embedding.view()),
          memory.metadata.view()};
}

std::span<const float> embedding_of(const Memory& memory) {
  const Bytes bytes = content_of(memory).embedding;
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

std::uint32_t dimension_of(const Memory& memory) {
  if (memory.sealed) return memory.sealed->dimension;
  return static_cast<std::uint32_t>(memory.embedding.view().size() / sizeof(float));
}

std::vector<std::string_view> tags_of(const Names& names, const Memory& memory) {
  std::vector<std::string_view> tags;
  for (const NameId tag : memory.tags) tags.push_back(names.text(tag));
  for (std::string_view rest = memory.own_tags.view(); !rest.empty();) {
    const auto end = rest.find('\n');
    tags.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return tags;
}

bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryStored& event) {
  if (event.id != memories.last.next()) return false;
  Memory memory{.kind = names.intern(event.kind),
                .user = {},
                .tags = {},
                .significance = event.significance,
                .stored_at = place.at,
                .changed_at = place.at,
                .expires_at = event.expires_at,
                .stored = place.position,
                .changed = place.position,
                .task = event.task,
                .content = text_of(event.said.content),
                .summary = text_of(event.said.summary),
                .embedding = text_of(event.said.embedding),
                .metadata = text_of(event.said.metadata)};
  if (!event.user.empty()) memory.user = names.intern(event.user);
  const bool is_sealed = !event.sealed.content.empty();
  if (is_sealed && !take_sealed(memories, memory, event)) return false;
  if (!fits(memories, memory)) return false;
  memory.tags = numbers_of(names, event.tags);
  if (is_sealed) memories.user_keys.set(*memory.user, memory.sealed->key);
  memories.last = event.id;
  add(memories, event.id, std::move(memory));
  return true;
}

bool fold(Memories& memories, Names& names, const EventPlace& place, const MemoryUpdated& event) {
  const MemoryVersion* before = memories.all.find(event.id);
  if (before == nullptr) return false;
  Memory memory = **before;
  for (std::size_t i = 0; i < event.changed.size(); ++i) {
    if (!change(memory, names, event.changed[i], event)) return false;
  }
  memory.changed = place.position;
  memory.changed_at = place.at;
  const MemoryVersion old = *before;
  remove_orders(memories, event.id, *old);
  const bool is_sound = fits(memories, memory);
  add(memories, event.id, is_sound ? std::move(memory) : *old);
  return is_sound;
}

bool fold(Memories& memories, Names&, const EventPlace&, const MemoryForgotten& event) {
  const MemoryVersion* found = memories.all.find(event.id);
  if (found == nullptr) return false;
  remove_orders(memories, event.id, **found);
  memories.all.erase(event.id);
  return true;
}

bool fold_user_forgotten(Memories& memories, const Names& names, const UserForgotten& event) {
  const auto user = names.find(event.user);
  const UserKeyId* known = user ? memories.user_keys.find(*user) : nullptr;
  if (known == nullptr || sixteen_bytes(event.key) != *known) return false;
  memories.user_keys.erase(*user);
  return true;
}

bool restore(Memories& memories, MemoryId id, Memory memory) {
  if (!id || id <= memories.last || !fits(memories, memory)) return false;
  memories.last = id;
  add(memories, id, std::move(memory));
  return true;
}

bool restore_sealed(Memories& memories, MemoryId id, SealedContent content) {
  const MemoryVersion* found = memories.all.find(id);
  if (found == nullptr || !(*found)->user || (*found)->sealed) return false;
  if (!says_nothing(content_of(**found)) || !(*found)->tags.empty()) return false;
  Memory memory = **found;
  memory.sealed = std::move(content);
  if (!fits(memories, memory)) return false;
  add(memories, id, std::move(memory));
  return true;
}

std::optional<Time> Memories::next_expiry() const {
  const MemoryDue* due = expiring.first();
  return due == nullptr ? std::nullopt : std::optional(due->at);
}

void Memories::hash_into(StateHasher& hasher) const {
  if (empty()) return;
  constexpr std::uint64_t part = 0x6d656d6f7279;  // "memory"
  hasher.number(part);
  hasher.number(last.value);
  hasher.number(all.size());
  for (const auto& [id, version] : all) {
    const Memory& memory = *version;
    hasher.numbers(std::array{id.value, std::uint64_t{memory.kind.value},
                              memory.user ? std::uint64_t{memory.user->value} + 1 : 0,
                              std::uint64_t{memory.significance}, number_of(memory.stored_at),
                              number_of(memory.changed_at), number_of(memory.expires_at),
                              memory.stored.value, memory.changed.value, memory.task.value,
                              std::uint64_t{memory.tags.size()}});
    for (const NameId tag : memory.tags) hasher.number(tag.value);
    for (const SharedText* text :
         {&memory.content, &memory.summary, &memory.embedding, &memory.metadata}) {
      hasher.text(text->view());
    }
    if (memory.sealed) hash_sealed(hasher, *memory.sealed);
  }
  if (user_keys.empty()) return;
  hasher.number(user_keys.size());
  for (const auto& [user, key] : user_keys) {
    hasher.number(user.value);
    hasher.text(as_text(key));
  }
}

std::vector<std::string> broken_memories(const Memories& memories, const Names& names) {
  std::vector<std::string> broken;
  Memories again;
  for (const auto& [id, version] : memories.all) {
    const Memory& memory = *version;
    const auto fails = [&](bool holds, std::string_view otherwise) {
      if (!holds) broken.push_back("memory " + std::to_string(id.value) + std::string(otherwise));
    };
    fails(restore(again, id, memory), " has an embedding of another size than its kind");
    fails(!memory.sealed || memory.user, " is sealed, and nobody's");
    fails(!memory.sealed || (memory.tags.empty() && says_nothing(content_of(memory))),
          " is sealed, and says something beside that");
    fails(id <= memories.last, " has a number that was never given");
    fails(names.contains(memory.kind), " is of a kind without a name");
    fails(!memory.user || names.contains(*memory.user), " is a user's without a name");
    for (const NameId tag : memory.tags) fails(names.contains(tag), " has a tag without a name");
    fails(memory.stored <= memory.changed, " was changed before it was stored");
    fails(memory.significance <= significance_max, " matters more than anything can");
  }
  for (const auto& [user, key] : memories.user_keys) {
    if (!names.contains(user)) broken.emplace_back("a key of entries is a user's without a name");
  }
  if (!(again.expiring == memories.expiring)) {
    broken.emplace_back("the order in which memories expire is not the one of their times");
  }
  if (!(again.kinds == memories.kinds)) {
    broken.emplace_back("the embeddings of a kind of memories are not those that are counted");
  }
  return broken;
}

}  // namespace almanac
