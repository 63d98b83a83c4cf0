// What programs remember, and what is known of users.
#include <almanac/daemon/http_api.h>

#include <almanac/engine/memory_query.h>
#include <almanac/engine/memory_reader.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/memory_file.h>
#include <almanac/tools/memory_json.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// By when what has expired is not shown: now, or the moment that is asked about.
Time now_for(const ApiCall& call) {
  return call.is_past ? call.state->time : std::max(system_time(), call.state->time);
}

ordered_json memory_entry(const State& state, MemoryId id, const Memory& memory) {
  ordered_json json{{"memory", id.value}};
  json.update(memory_json(state.names, memory));
  return json;
}

// Those of users are opened with their keys, as an engine does.
Result<std::vector<MemoryHit>> search_past(const ApiCall& call, const MemoryQuery& query) {
  const auto keys = UserKeys::open(call.api.surroundings().folder);
  if (!keys) return std::unexpected(keys.error());
  return search_memories(*call.state, query, keys->get());
}

// What is searched at present may be newer than the state of the call, and has names that one does
// not know.
ApiResult found_memories(const ApiCall& call, MemoryQuery query) {
  query.now = now_for(call);
  auto hits =
      call.is_past ? search_past(call, query) : call.api.engine().search_memories(std::move(query));
  if (!hits) return std::unexpected(hits.error());
  const auto state = call.is_past ? call.state : call.api.engine().state();
  ordered_json items = ordered_json::array();
  for (const MemoryHit& hit : *hits) {
    ordered_json json = memory_entry(*state, hit.id, *hit.memory);
    json["similarity"] = hit.similarity;
    items.push_back(std::move(json));
  }
  auto response = items_response(std::move(items));
  response.shows = state->position;
  return response;
}

// Not set where nothing is said.
Result<Time> stored_moment(const std::string& text) {
  return text.empty() ? Result<Time>() : parse_moment(text, system_time());
}

ApiResult get_memories(const ApiCall& call) {
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  auto since = stored_moment(text_parameter(call, "stored_since"));
  if (!since) return std::unexpected(since.error());
  auto until = stored_moment(text_parameter(call, "stored_until"));
  if (!until) return std::unexpected(until.error());
  return found_memories(call, {.kind = text_parameter(call, "kind"),
                               .user = text_parameter(call, "user"),
                               .tags = texts_parameter(call, "tag"),
                               .text = text_parameter(call, "text"),
                               .from = *since,
                               .until = *until,
                               .limit = page->limit});
}

Result<void> read_stored_times(const ordered_json& object, MemoryQuery& query) {
  for (const auto& [name, into] :
       {std::pair("stored_since", &query.from), std::pair("stored_until", &query.until)}) {
    auto text = text_member_or(object, name, {});
    if (!text) return std::unexpected(text.error());
    auto moment = stored_moment(*text);
    if (!moment) return std::unexpected(moment.error());
    *into = *moment;
  }
  return {};
}

Result<MemoryQuery> memory_query_of(const ordered_json& object) {
  MemoryQuery query;
  auto kind = text_member_or(object, "kind", {});
  if (!kind) return std::unexpected(kind.error());
  query.kind = std::move(*kind);
  auto user = text_member_or(object, "user", {});
  if (!user) return std::unexpected(user.error());
  query.user = std::move(*user);
  auto text = text_member_or(object, "text", {});
  if (!text) return std::unexpected(text.error());
  query.text = std::move(*text);
  if (object.contains("embedding")) {
    auto embedding = parse_embedding(object["embedding"].dump());
    if (!embedding) return std::unexpected(embedding.error());
    query.embedding = std::move(*embedding);
  }
  if (auto times = read_stored_times(object, query); !times) return std::unexpected(times.error());
  if (object.contains("tag")) {
    auto tag = text_member(object, "tag");
    if (!tag) return std::unexpected(tag.error());
    query.tags = {std::move(*tag)};
  }
  if (object.contains("limit")) {
    const ordered_json& limit = object["limit"];
    const bool is_number = limit.is_number_unsigned() && limit.get<std::uint64_t>() > 0;
    if (!is_number || limit.get<std::uint64_t>() > limits::page_items_max) {
      return fail(ErrorCode::invalid,
                  "the member 'limit' is no number of entries that can be asked for at once",
                  fmt::format("send 1 to {}", limits::page_items_max));
    }
    query.limit = limit.get<std::size_t>();
  }
  return query;
}

// By what an entry is like: the embedding is too long for a path.
ApiResult post_search(const ApiCall& call) {
  auto object =
      object_of(call.request, "embedding kind user text tag limit stored_since stored_until");
  if (!object) return std::unexpected(object.error());
  auto query = memory_query_of(*object);
  if (!query) return std::unexpected(query.error());
  return found_memories(call, std::move(*query));
}

ApiResult get_memory(const ApiCall& call) {
  auto number = number_of(call, "memory");
  if (!number) return std::unexpected(number.error());
  const MemoryId id(*number);
  const MemoryVersion* version = call.state->memories.all.find(id);
  if (version != nullptr && !(*version)->has_expired(now_for(call))) {
    const auto keys = UserKeys::open(call.api.surroundings().folder);
    if (!keys) return std::unexpected(keys.error());
    const MemoryReader reader(*call.state, keys->get());
    return json_response(memory_entry(*call.state, id, *reader.read(id, *version)));
  }
  return fail(ErrorCode::not_found, fmt::format("there is no memory {}", id.value),
              "GET /v1/memories lists those there are");
}

// JSON Lines, or one object: all of them or none.
void post_memories(const ApiCall& call, const HttpReply& reply) {
  MemoryTransaction transaction;
  std::string_view rest = call.request.body;
  const std::string type = call.request.media_type();
  const bool is_lines = !type.empty() && type != "application/json";
  bool is_empty = true;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = is_lines ? std::min(rest.find('\n'), rest.size()) : rest.size();
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.find_first_not_of(" \t\r\n") == std::string_view::npos) continue;
    is_empty = false;
    auto entry = parse_memory(line, system_time());
    if (!entry) {
      Error error = entry.error();
      if (is_lines) error.message = fmt::format("line {}: {}", number, error.message);
      return reply.send(problem(error));
    }
    if (*entry) transaction.store.push_back(std::move(**entry));
  }
  if (is_empty) {
    return reply.send(problem({ErrorCode::invalid, "there is no entry",
                               R"(send {"kind": "note", "content": "…"} or the like)"}));
  }
  call.api.engine().change_memories(
      std::move(transaction), [reply](Result<std::vector<MemoryId>> stored) {
        if (!stored) return reply.send(problem(stored.error()));
        ordered_json ids = ordered_json::array();
        for (const MemoryId id : *stored) ids.push_back(id.value);
        reply.send(json_response({{"memories", std::move(ids)}}, 201));
      });
}

ApiResult delete_memory(const ApiCall& call) {
  auto number = number_of(call, "memory");
  if (!number) return std::unexpected(number.error());
  auto done = call.api.engine().forget_memories({MemoryId(*number)});
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

ordered_json values_json(const std::map<std::string, ContextValue>& values) {
  ordered_json json = ordered_json::object();
  for (const auto& [name, value] : values) json[name] = value_json(value);
  return json;
}

ApiResult get_context(const ApiCall& call) {
  const std::string user = name_in_path(call);
  const SharedContext* known = call.state->contexts.find(user);
  if (known == nullptr) {
    return fail(ErrorCode::not_found, "nothing is known of this user", "name another one");
  }
  auto keys = UserKeys::open(call.api.surroundings().folder);
  if (!keys) return std::unexpected(keys.error());
  const auto context = ContextSnapshot(known->pointer(), **keys).open();
  if (!context) return std::unexpected(context.error());
  ordered_json turns = ordered_json::array();
  for (const ConversationTurn& turn : context->turns) {
    turns.push_back({{"role", name(turn.role)}, {"text", turn.text}, {"at", format_time(turn.at)}});
  }
  return json_response(
      {{"user", user},
       {"version", context->version.value},
       {"changed_at", format_time(context->changed_at)},
       {"friendship", context->friendship ? ordered_json(*context->friendship) : ordered_json()},
       {"preferences", values_json(context->preferences)},
       {"fields", values_json(context->fields)},
       {"turns_added", context->turns_added},
       {"turns", std::move(turns)}});
}

constexpr std::array memory_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/memories",
              .runs = RouteRuns::on_reader,
              .handler = get_memories,
              .summary = "What is remembered, the newest first",
              .parameters = "kind user tag text stored_since stored_until limit at"},
    HttpRoute{.method = "POST",
              .path = "/v1/memories",
              .scope = AccessScope::submit,
              .act = post_memories,
              .summary = "Stores one entry, or with JSON Lines all of them or none",
              .body = "application/json application/x-ndjson application/jsonl",
              .success = 201},
    HttpRoute{.method = "POST",
              .path = "/v1/memories/search",
              .runs = RouteRuns::on_reader,
              .handler = post_search,
              .summary = "The entries that are most like an `embedding`",
              .parameters = "at",
              .body = "application/json"},
    HttpRoute{.method = "GET",
              .path = "/v1/memories/{id}",
              .runs = RouteRuns::on_reader,
              .handler = get_memory,
              .summary = "One entry",
              .parameters = "at"},
    HttpRoute{.method = "DELETE",
              .path = "/v1/memories/{id}",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = delete_memory,
              .summary = "Forgets it",
              .success = 204},
    HttpRoute{.method = "GET",
              .path = "/v1/contexts/{user}",
              .runs = RouteRuns::on_reader,
              .handler = get_context,
              .summary = "What is known of a user",
              .parameters = "at"},
};

}  // namespace

std::span<const HttpRoute> memory_routes() { return memory_table; }

}  // namespace almanac
