#include <almanac/tools/memory_commands.h>
#include <almanac/tools/memory_file.h>
#include <almanac/tools/memory_json.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <almanac/engine/engine.h>
#include <almanac/engine/memory_query.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

void print_json(const State& state, MemoryId id, const Memory& memory,
                std::optional<double> similarity = {}) {
  ordered_json json{{"memory", id.value}};
  if (similarity) json["similarity"] = *similarity;
  json.update(memory_json(state.names, memory));
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

// By when what has expired is not shown: now, or the moment that is asked about.
Time now_of(const State& state, const std::string& at) {
  return at.empty() ? std::max(system_time(), state.time) : state.time;
}

Result<const Memory*> find(const State& state, MemoryId id, Time now) {
  const MemoryVersion* version = state.memories.all.find(id);
  if (version != nullptr && !(*version)->has_expired(now)) return &**version;
  return fail(ErrorCode::not_found, fmt::format("there is no memory {}", id.value),
              "`almanac memory list` shows those there are; --at MOMENT those there were");
}

std::string tags_of(const State& state, const Memory& memory) {
  std::string tags;
  for (const NameId tag : memory.tags) {
    tags += (tags.empty() ? "" : ",") + printable(state.names.text(tag));
  }
  return tags.empty() ? "-" : tags;
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
  if (!memory.tags.empty()) fmt::print("  tags          {}\n", tags_of(state, memory));
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

Result<MemoryQuery> query_of(const MemorySearchCommand& command, const State& state) {
  MemoryQuery query{.kind = command.kind,
                    .user = command.user,
                    .tags = command.tags,
                    .text = command.text,
                    .limit = command.limit,
                    .now = now_of(state, command.at)};
  if (!command.embedding.empty()) {
    auto embedding = parse_embedding(command.embedding);
    if (!embedding) return std::unexpected(embedding.error());
    query.embedding = std::move(*embedding);
  }
  if (command.like > 0) {
    const auto memory = find(state, MemoryId(command.like), query.now);
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
  const auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const auto memory = find(state, MemoryId(command.id), now_of(state, command.at));
  if (!memory) return report(memory.error());
  if (command.json) {
    print_json(state, MemoryId(command.id), **memory);
  } else {
    print(state, MemoryId(command.id), **memory);
  }
  return ExitCode::ok;
}

ExitCode memory_search(const MemorySearchCommand& command) {
  const auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const auto query = query_of(command, state);
  if (!query) return report(query.error());
  const auto hits = search_memories(state, *query);
  if (!hits) return report(hits.error());
  const bool is_by_similarity = !query->embedding.empty();
  std::vector<std::string> headings{"MEMORY", "KIND", "USER", "STORED", "SIGNIF", "TAGS"};
  if (is_by_similarity) headings.emplace_back("SIMILAR");
  headings.emplace_back("CONTENT");
  Table table(headings);
  for (const auto& [id, similarity, memory] : *hits) {
    if (command.json) {
      print_json(state, id, *memory, is_by_similarity ? std::optional(similarity) : std::nullopt);
      continue;
    }
    std::vector<std::string> cells{
        std::to_string(id.value), printable(state.names.text(memory->kind)),
        user_of(state, *memory),  format_time(memory->stored_at).substr(0, 19) + "Z",
        significance_of(*memory), tags_of(state, *memory)};
    if (is_by_similarity) cells.push_back(fmt::format("{:.3f}", similarity));
    cells.push_back(printable(content_of(*memory).content));
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
  const auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const Time now = now_of(state, command.at);
  for (const auto& [id, memory] : state.memories.all) {
    if (!memory->has_expired(now)) print_json(state, id, *memory);
  }
  return ExitCode::ok;
}

}  // namespace almanac
