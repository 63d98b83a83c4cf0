#include <almanac/snapshots/contexts_codec.h>

#include <almanac/snapshots/state_columns.h>

#include <utility>
#include <vector>

namespace almanac {
namespace {

// Lengths of its name, and how many fields and turns of the tables behind it are its own.
constexpr std::size_t context_columns = 6;

void write_fields(ColumnWriter& writer, const Contexts& contexts) {
  std::vector<std::pair<FieldMark, std::string_view>> fields;
  for (const auto& [user, context] : contexts.all) {
    for (const auto& [mark, content] : context->fields) fields.emplace_back(mark, content.view());
  }
  writer.table<1>(fields, fields.size(),
                  [](const auto& field) { return Row<1>{field.second.size()}; });
  for (const auto& [mark, content] : fields) {
    writer.bytes(mark);
    writer.bytes(as_bytes(content));
  }
}

void write_turns(ColumnWriter& writer, const Contexts& contexts) {
  std::vector<std::pair<Time, std::string_view>> turns;
  for (const auto& [user, context] : contexts.all) {
    for (const auto& [number, turn] : context->turns) {
      turns.emplace_back(turn.at, turn.content.view());
    }
  }
  write_texts<2>(
      writer, turns, turns.size(),
      [](const auto& turn) { return Row<2>{turn.second.size(), number_of(turn.first)}; },
      [](const auto& turn) { return turn.second; });
}

// A context as it is read, and how many fields and turns are still to come.
struct Unfinished {
  std::string_view user;
  UserContext context;
  std::uint64_t fields = 0;
  std::uint64_t turns = 0;
};

std::array<std::byte, 16> read_sixteen(ColumnReader& reader) {
  return sixteen_bytes(reader.bytes(16)).value_or(UserKeyId());
}

std::vector<Unfinished> read_users(ColumnReader& reader) {
  std::vector<Unfinished> users;
  std::vector<Row<context_columns>> rows;
  auto same = [](const Row<context_columns>& row) { return row; };
  for (const auto& row : TableRows<context_columns, decltype(same)>(reader, same)) {
    rows.push_back(row);
  }
  for (const auto& row : rows) {
    const UserKeyId key = read_sixteen(reader);
    const std::string_view user = as_text(reader.bytes(row[0]));
    if (reader.failed() || user.empty() || row[4] > row[5]) {
      reader.fail();
      return {};
    }
    users.push_back({.user = user,
                     .context = {.key = key,
                                 .version = Position(row[1]),
                                 .changed_at = time_of(row[2]),
                                 .turns_added = row[5]},
                     .fields = row[3],
                     .turns = row[4]});
  }
  return users;
}

// The first user of whom something is missing; none where that is nobody.
Unfinished* next_of(std::vector<Unfinished>& users, std::size_t& at,
                    std::uint64_t Unfinished::* left) {
  while (at < users.size() && users[at].*left == 0) ++at;
  if (at == users.size()) return nullptr;
  --(users[at].*left);
  return &users[at];
}

void read_fields(ColumnReader& reader, std::vector<Unfinished>& users) {
  std::vector<std::uint64_t> sizes;
  auto first = [](const Row<1>& row) { return row[0]; };
  for (const auto size : TableRows<1, decltype(first)>(reader, first)) sizes.push_back(size);
  std::size_t at = 0;
  for (const auto size : sizes) {
    const FieldMark mark = read_sixteen(reader);
    const std::string_view content = as_text(reader.bytes(size));
    Unfinished* of = next_of(users, at, &Unfinished::fields);
    if (reader.failed() || of == nullptr) return reader.fail();
    of->context.fields.set(mark, SharedText(content));
  }
}

void read_turns(ColumnReader& reader, std::vector<Unfinished>& users) {
  std::size_t at = 0;
  read_texts<2>(reader, [&](const Row<2>& row, std::string_view content) {
    Unfinished* of = next_of(users, at, &Unfinished::turns);
    if (of == nullptr) return reader.fail();
    const std::uint64_t number = of->context.turns_added - of->turns;
    of->context.turns.set(number, {SharedText(content), time_of(row[1])});
  });
}

}  // namespace

void write_contexts(ColumnWriter& writer, const Contexts& contexts) {
  writer.number(contexts.changes);
  writer.number(contexts.changed.value);
  writer.number(number_of(contexts.changed_at));
  writer.table<context_columns>(contexts.all, contexts.all.size(), [&](const auto& entry) {
    const UserContext& context = *entry.value;
    return Row<context_columns>{contexts.users.text(entry.key).size(),
                                context.version.value,
                                number_of(context.changed_at),
                                context.fields.size(),
                                context.turns.size(),
                                context.turns_added};
  });
  for (const auto& [user, context] : contexts.all) {
    writer.bytes(context->key);
    writer.bytes(as_bytes(contexts.users.text(user)));
  }
  write_fields(writer, contexts);
  write_turns(writer, contexts);
  writer.number(contexts.destroyed.size());
  for (const UserKeyId& key : contexts.destroyed) writer.bytes(key);
}

void read_contexts(ColumnReader& reader, Contexts& contexts) {
  contexts.changes = reader.number();
  contexts.changed = Position(reader.number());
  contexts.changed_at = time_of(reader.number());
  std::vector<Unfinished> users = read_users(reader);
  read_fields(reader, users);
  read_turns(reader, users);
  for (Unfinished& user : users) {
    if (user.fields > 0 || user.turns > 0) reader.fail();
    const TextNumber number = contexts.users.intern(user.user);
    if (contexts.all.contains(number)) reader.fail();
    contexts.all.set(number, SharedContext(std::move(user.context)));
  }
  for (std::uint64_t left = reader.number(); left > 0 && !reader.failed(); --left) {
    if (!contexts.destroyed.insert(read_sixteen(reader))) reader.fail();
  }
}

}  // namespace almanac
