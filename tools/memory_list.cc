#include <almanac/tools/memory_commands.h>
#include <almanac/tools/memory_file.h>
#include <almanac/tools/memory_json.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>
#include <almanac/engine/memory_query.h>
#include <almanac/engine/memory_reader.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

struct Remembered {
  Source source;
  std::unique_ptr<UserKeys> keys;
  MemoryReader reader;
};

// With the keys that are there now, whatever the moment.
Result<Remembered> open_remembered(const std::filesystem::path& folder, const std::string& at) {
  auto source = open_source(folder, at);
  if (!source) return std::unexpected(source.error());
  auto keys = UserKeys::open(folder);
  if (!keys) return std::unexpected(keys.error());
  MemoryReader reader(source->state, keys->get());
  return Remembered{std::move(*source), std::move(*keys), std::move(reader)};
}

// What a search does not find for want of a key.
void warn_of_missing_keys(const Remembered& in) {
  const State& state = in.source.state;
  std::size_t missing = 0;
  for (const auto& [id, memory] : state.memories.all) {
    const bool is_open = !memory->sealed || in.keys->find(memory->sealed->key) != nullptr;
    if (!is_open && !in.reader.is_forgotten(*memory)) ++missing;
  }
  if (missing == 0) return;
  fmt::print(
      stderr,
      "{} cannot be read, as the keys of their users are not in the folder of the log: bring "
      "them with `almanac context import-keys FILE`\n",
      missing == 1 ? "1 entry" : std::to_string(missing) + " entries");
}

void print_json(const MemoryReader& reader, const State& state, const MemoryHit& hit,
                bool is_by_similarity = false) {
  ordered_json json{{"memory", hit.id.value}};
  if (is_by_similarity) json["similarity"] = hit.similarity;
  json.update(memory_json(state.names, *hit.memory));
  if (reader.is_forgotten(*hit.memory)) json["forgotten"] = true;
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

// By when what has expired is not shown: now, or the moment that is asked about.
Time now_of(const State& state, const std::string& at) {
  return at.empty() ? std::max(system_time(), state.time) : state.time;
}

// What stands in the place of a content.
std::string unreadable_text(const MemoryReader& reader, const Memory& memory) {
  return reader.is_forgotten(memory) ? "(forgotten with the user)" : "(the user's key is not here)";
}

// Opened.
Result<MemoryVersion> find(const Remembered& in, MemoryId id, Time now) {
  const MemoryVersion* version = in.source.state.memories.all.find(id);
  if (version != nullptr && !(*version)->has_expired(now)) return in.reader.open(id, *version);
  return fail(ErrorCode::not_found, fmt::format("there is no memory {}", id.value),
              "`almanac memory list` shows those there are; --at MOMENT those there were");
}

std::string tags_text(const State& state, const Memory& memory) {
  std::string text;
  for (const auto tag : tags_of(state.names, memory)) {
    text += (text.empty() ? "" : ",") + printable(tag);
  }
  return text.empty() ? "-" : text;
}

std::string user_of(const State& state, const Memory& memory) {
  return memory.user ? printable(state.names.text(*memory.user)) : "-";
}

std::string significance_of(const Memory& memory) {
  return fmt::format("{:.2f}", double(memory.significance) / significance_max);
}

void print(const State& state, MemoryId id, const Memory& memory) {
  const MemoryContent said = content_of(memory);
  fmt::print("memory {}  {}\n", id.value, printable(state.names.text(memory.kind)));
  if (memory.user) fmt::print("  user          {}\n", user_of(state, memory));
  fmt::print("  content       {}\n", printable(said.content));
  if (!said.summary.empty()) fmt::print("  summary       {}\n", printable(said.summary));
  if (!tags_of(state.names, memory).empty()) {
    fmt::print("  tags          {}\n", tags_text(state, memory));
  }
  if (!said.metadata.empty()) fmt::print("  metadata      {}\n", printable(said.metadata));
  fmt::print("  significance  {}\n", significance_of(memory));
  if (!said.embedding.empty()) {
    fmt::print("  embedding     {} numbers\n", embedding_of(memory).size());
  }
  fmt::print("  stored        {}, event {}\n", format_time(memory.stored_at), memory.stored.value);
  if (memory.changed != memory.stored) {
    fmt::print("  changed       {}, event {}\n", format_time(memory.changed_at),
               memory.changed.value);
  }
  if (memory.expires_at != Time()) {
    fmt::print("  expires       {}\n", format_time(memory.expires_at));
  }
  if (memory.task) fmt::print("  task          {}\n", memory.task.value);
}

Result<void> read_moment(const std::string& text, Time now, Time& time) {
  if (text.empty()) return {};
  auto moment = parse_moment(text, now);
  if (!moment) return std::unexpected(moment.error());
  time = *moment;
  return {};
}

Result<MemoryQuery> query_of(const MemorySearchCommand& command, const Remembered& in) {
  const State& state = in.source.state;
  MemoryQuery query{.kind = command.kind,
                    .user = command.user,
                    .tags = command.tags,
                    .text = command.text,
                    .limit = command.limit,
                    .unreadable = command.lists,
                    .now = now_of(state, command.at)};
  if (!command.embedding.empty()) {
    auto embedding = parse_embedding(command.embedding);
    if (!embedding) return std::unexpected(embedding.error());
    query.embedding = std::move(*embedding);
  }
  if (command.like > 0) {
    const auto memory = find(in, MemoryId(command.like), query.now);
    if (!memory) return std::unexpected(memory.error());
    const auto embedding = embedding_of(**memory);
    if (embedding.empty()) {
      return fail(ErrorCode::invalid, fmt::format("memory {} has no embedding", command.like),
                  "search by --embedding, or by text");
    }
    query.embedding.assign(embedding.begin(), embedding.end());
  }
  if (!command.significance.empty()) {
    const auto significance = parse_significance(command.significance);
    if (!significance) return std::unexpected(significance.error());
    query.significance_min = *significance;
  }
  auto read = read_moment(command.from, query.now, query.from);
  if (read) read = read_moment(command.until, query.now, query.until);
  if (!read) return std::unexpected(read.error());
  return query;
}

}  // namespace

ExitCode memory_get(const MemoryGetCommand& command) {
  const auto in = open_remembered(command.folder, command.at);
  if (!in) return report(in.error());
  const State& state = in->source.state;
  const auto memory = find(*in, MemoryId(command.id), now_of(state, command.at));
  if (!memory) return report(memory.error());
  if (command.json) {
    print_json(in->reader, state, {MemoryId(command.id), 0, *memory});
  } else {
    print(state, MemoryId(command.id), **memory);
  }
  return ExitCode::ok;
}

ExitCode memory_search(const MemorySearchCommand& command) {
  const auto in = open_remembered(command.folder, command.at);
  if (!in) return report(in.error());
  const State& state = in->source.state;
  const MemoryReader& reader = in->reader;
  const auto query = query_of(command, *in);
  if (!query) return report(query.error());
  const auto hits = search_memories(state, *query, in->keys.get());
  if (!hits) return report(hits.error());
  warn_of_missing_keys(*in);
  const bool is_by_similarity = !query->embedding.empty();
  std::vector<std::string> headings{"MEMORY", "KIND", "USER", "STORED", "SIGNIF", "TAGS"};
  if (is_by_similarity) headings.emplace_back("SIMILAR");
  headings.emplace_back("CONTENT");
  Table table(headings);
  table.keep(3);  // when it was stored
  for (const auto& [id, similarity, memory] : *hits) {
    if (command.json) {
      print_json(reader, state, {id, similarity, memory}, is_by_similarity);
      continue;
    }
    std::vector<std::string> cells{
        std::to_string(id.value), printable(state.names.text(memory->kind)),
        user_of(state, *memory),  format_time(memory->stored_at).substr(0, 19) + "Z",
        significance_of(*memory), tags_text(state, *memory)};
    if (is_by_similarity) cells.push_back(fmt::format("{:.3f}", similarity));
    cells.push_back(memory->is_readable() ? printable(content_of(*memory).content)
                                          : unreadable_text(reader, *memory));
    table.add(std::move(cells));
  }
  if (command.json) return ExitCode::ok;
  if (hits->empty()) {
    fmt::print("no memories\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

ExitCode memory_export(const MemoryExportCommand& command) {
  const auto in = open_remembered(command.folder, command.at);
  if (!in) return report(in.error());
  const State& state = in->source.state;
  const Time now = now_of(state, command.at);
  const auto is_exported = [&](const Memory& memory) {
    return !memory.has_expired(now) && !in->reader.is_forgotten(memory);
  };
  for (const auto& [id, memory] : state.memories.all) {
    if (!memory->sealed || !is_exported(*memory)) continue;
    const auto key = in->keys->need(memory->sealed->key);
    if (!key) return report(key.error());
  }
  for (const auto& [id, sealed] : state.memories.all) {
    if (!is_exported(*sealed)) continue;
    const auto memory = in->reader.open(id, sealed);
    if (!memory) return report(memory.error());
    print_json(in->reader, state, {id, 0, *memory});
  }
  return ExitCode::ok;
}

}  // namespace almanac
