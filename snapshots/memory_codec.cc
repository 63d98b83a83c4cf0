#include <almanac/snapshots/memory_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// 11 numbers, how many tags, and the lengths of four texts; behind the rows all tags, then all
// texts.
constexpr std::size_t memory_columns = 15;
constexpr std::size_t tags_column = 10;

auto texts_of(auto& memory) {
  return std::array{&memory.content, &memory.summary, &memory.embedding, &memory.metadata};
}

Row<memory_columns> row_of(MemoryId id, const Memory& memory) {
  Row<memory_columns> row{id.value,
                          memory.kind.value,
                          owner_number(memory.user),
                          memory.significance,
                          number_of(memory.stored_at),
                          number_of(memory.changed_at),
                          number_of(memory.expires_at),
                          memory.stored.value,
                          memory.changed.value,
                          memory.task.value,
                          memory.tags.size()};
  std::size_t column = tags_column + 1;
  for (const SharedText* text : texts_of(memory)) row[column++] = text->view().size();
  return row;
}

Memory memory_in(const Row<memory_columns>& row) {
  return {.kind = name_of(row[1]),
          .user = owner_of(row[2]),
          .tags = {},
          .significance = small(row[3]),
          .stored_at = time_of(row[4]),
          .changed_at = time_of(row[5]),
          .expires_at = time_of(row[6]),
          .stored = Position(row[7]),
          .changed = Position(row[8]),
          .task = TaskId(row[9]),
          .content = {},
          .summary = {},
          .embedding = {},
          .metadata = {}};
}

}  // namespace

void write_memories(ColumnWriter& writer, const Memories& memories) {
  writer.number(memories.last.value);
  writer.table<memory_columns>(memories.all, memories.all.size(),
                               [](const auto& entry) { return row_of(entry.key, *entry.value); });
  std::vector<NameId> tags;
  for (const auto& [id, version] : memories.all) {
    tags.insert(tags.end(), version->tags.begin(), version->tags.end());
  }
  writer.table<1>(tags, tags.size(), [](NameId tag) { return Row<1>{tag.value}; });
  for (const auto& [id, version] : memories.all) {
    for (const SharedText* text : texts_of(*version)) writer.bytes(as_bytes(text->view()));
  }
}

void read_memories(ColumnReader& reader, State& state) {
  const MemoryId last(reader.number());
  std::vector<Row<memory_columns>> rows;
  const auto same = [](const Row<memory_columns>& row) { return row; };
  for (const auto& row : TableRows<memory_columns, decltype(same)>(reader, same)) {
    rows.push_back(row);
  }
  std::vector<NameId> tags;
  const auto tag = [](const Row<1>& row) { return name_of(row[0]); };
  for (const NameId id : TableRows<1, decltype(tag)>(reader, tag)) tags.push_back(id);
  const auto is_named = [&](NameId id) { return state.names.contains(id); };
  auto next_tag = tags.begin();
  for (const auto& row : rows) {
    Memory memory = memory_in(row);
    if (row[tags_column] > static_cast<std::uint64_t>(tags.end() - next_tag)) reader.fail();
    if (!is_named(memory.kind) || (memory.user && !is_named(*memory.user))) reader.fail();
    if (reader.failed()) return;
    for (std::uint64_t i = 0; i < row[tags_column]; ++i) {
      if (!is_named(*next_tag)) reader.fail();
      memory.tags.push_back(*next_tag++);
    }
    std::size_t column = tags_column + 1;
    for (SharedText* text : texts_of(memory)) {
      *text = SharedText(as_text(reader.bytes(row[column++])));
    }
    if (reader.failed()) return;
    if (!restore(state.memories, MemoryId(row[0]), std::move(memory))) reader.fail();
  }
  if (state.memories.last > last || next_tag != tags.end() || !last) reader.fail();
  state.memories.last = last;
}

bool has_sealed_memories(const Memories& memories) {
  const auto is_sealed = [](const auto& entry) { return entry.value->sealed.has_value(); };
  return !memories.user_keys.empty() || std::ranges::any_of(memories.all, is_sealed);
}

void write_sealed_memories(ColumnWriter& writer, const Memories& memories) {
  writer.table<1>(memories.user_keys, memories.user_keys.size(),
                  [](const auto& entry) { return Row<1>{entry.key.value}; });
  for (const auto& [user, key] : memories.user_keys) writer.bytes(key);
  std::vector<std::pair<MemoryId, const SealedContent*>> sealed;
  for (const auto& [id, version] : memories.all) {
    if (version->sealed) sealed.emplace_back(id, &*version->sealed);
  }
  writer.table<3>(sealed, sealed.size(), [](const auto& entry) {
    return Row<3>{entry.first.value, entry.second->dimension, entry.second->bytes.view().size()};
  });
  for (const auto& [id, content] : sealed) {
    writer.bytes(content->key);
    writer.bytes(as_bytes(content->bytes.view()));
  }
}

void read_sealed_memories(ColumnReader& reader, State& state) {
  std::vector<NameId> users;
  const auto user_in = [](const Row<1>& row) { return name_of(row[0]); };
  for (const NameId user : TableRows<1, decltype(user_in)>(reader, user_in)) users.push_back(user);
  for (const NameId user : users) {
    const auto key = sixteen_bytes(reader.bytes(sizeof(UserKeyId)));
    if (!key || !state.names.contains(user)) return reader.fail();
    state.memories.user_keys.set(user, *key);
  }
  std::vector<Row<3>> rows;
  const auto same = [](const Row<3>& row) { return row; };
  for (const auto& row : TableRows<3, decltype(same)>(reader, same)) rows.push_back(row);
  for (const auto& row : rows) {
    const auto key = sixteen_bytes(reader.bytes(sizeof(UserKeyId)));
    SharedText bytes(as_text(reader.bytes(row[2])));
    if (!key || bytes.view().empty()) return reader.fail();
    const bool fits = restore_sealed(state.memories, MemoryId(row[0]),
                                     {.key = *key, .dimension = small(row[1]), .bytes = bytes});
    if (!fits) return reader.fail();
  }
}

}  // namespace almanac
