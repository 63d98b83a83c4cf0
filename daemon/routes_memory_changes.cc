// Changes of what programs remember and of what is known of users; what repeats, and what has been.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/json_fields.h>
#include <almanac/tools/memory_file.h>
#include <almanac/tools/memory_request.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view memory_body = "application/json";

ordered_json numbers_json(const std::vector<MemoryId>& ids) {
  ordered_json numbers = ordered_json::array();
  for (const MemoryId id : ids) numbers.push_back(id.value);
  return numbers;
}

// In one append: all or nothing.
void post_memory_changes(const ApiCall& call, const HttpReply& reply) {
  auto json = json_body(call.request);
  if (!json) return reply.send(problem(json.error()));
  auto transaction = memory_transaction_of(*json, system_time());
  if (!transaction) return reply.send(problem(transaction.error()));
  call.api.engine().change_memories(
      std::move(*transaction), [reply](Result<std::vector<MemoryId>> stored) {
        if (!stored) return reply.send(problem(stored.error()));
        reply.send(json_response({{"memories", numbers_json(*stored)}}));
      });
}

ApiResult put_memory(const ApiCall& call) {
  auto number = number_of(call, "memory");
  if (!number) return std::unexpected(number.error());
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto expected = expected_version(call.request, *json);
  if (!expected) return std::unexpected(expected.error());
  auto update = memory_update_of(MemoryId(*number), *json);
  if (!update) return std::unexpected(update.error());
  if (*expected && !**expected) {
    return fail(ErrorCode::conflict, "no entry has the version 0", "read it again");
  }
  update->expected = expected->value_or(Position());
  auto done = call.api.engine().update_memory(std::move(*update));
  if (!done) return std::unexpected(done.error());
  return HttpResponse{.status = 204};
}

Time memory_time(const ApiCall& call) {
  return call.is_past ? call.state->time : std::max(system_time(), call.state->time);
}

ApiResult get_duplicates(const ApiCall& call) {
  DuplicateQuery query{.kind = text_parameter(call, "kind"),
                       .user = text_parameter(call, "user"),
                       .now = memory_time(call)};
  if (const std::string similarity = text_parameter(call, "similarity"); !similarity.empty()) {
    auto least = parse_significance(similarity);
    if (!least) {
      return fail(ErrorCode::invalid, "similarity: it is not a number from 0 to 1",
                  "write one, such as 0.95");
    }
    query.similarity_min = *least;
  }
  auto keys = UserKeys::open(call.api.surroundings().folder);
  if (!keys) return std::unexpected(keys.error());
  ordered_json items = ordered_json::array();
  for (const MemoryDuplicate& each : find_duplicates(*call.state, query, keys->get())) {
    items.push_back({{"memory", each.id.value},
                     {"repeats", each.of.value},
                     {"same", each.is_same},
                     {"similarity", each.similarity}});
  }
  return items_response(std::move(items));
}

struct ConsolidationRequest {
  Consolidation which;
  MemorySpec summary;
  bool dry_run = false;
};

Result<ConsolidationRequest> consolidation_request_of(const ordered_json& json, Time now) {
  ConsolidationRequest request{.which = {.kind = {}, .now = now},
                               .summary = {.kind = {}, .content = {}}};
  JsonFields fields(json);
  fields.text("kind", request.which.kind);
  fields.text("user", request.which.user);
  fields.real("below", request.which.significance_below);
  fields.duration("older", request.which.older_than);
  fields.text("content", request.summary.content);
  fields.texts("tags", request.summary.tags);
  fields.truth("dry_run", request.dry_run);
  fields.require("kind");
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  request.summary.kind = request.which.kind;
  return request;
}

ApiResult post_consolidation(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto asked = consolidation_request_of(*json, memory_time(call));
  if (!asked) return std::unexpected(asked.error());
  auto keys = UserKeys::open(call.api.surroundings().folder);
  if (!keys) return std::unexpected(keys.error());
  auto replaced = find_consolidated(*call.state, asked->which, keys->get());
  if (!replaced) return std::unexpected(replaced.error());
  std::vector<MemoryId> ids;
  for (const MemoryHit& hit : *replaced) ids.push_back(hit.id);
  if (asked->dry_run) return json_response({{"would_replace", numbers_json(ids)}});
  auto transaction = consolidate(asked->which, *replaced, std::move(asked->summary));
  if (!transaction) return std::unexpected(transaction.error());
  auto stored = call.api.engine().change_memories(std::move(*transaction));
  if (!stored) return std::unexpected(stored.error());
  return json_response({{"memory", stored->front().value}, {"replaced", numbers_json(ids)}});
}

ApiResult put_context(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  auto expected = expected_version(call.request, *json);
  if (!expected) return std::unexpected(expected.error());
  auto changes = context_changes_of(*json);
  if (!changes) return std::unexpected(changes.error());
  if (changes->parts() == 0) {
    return fail(ErrorCode::invalid, "there is nothing to change",
                "send preferences, friendship, fields or add_turns");
  }
  auto version = call.api.engine().contexts().change(name_in_path(call), *changes, *expected);
  if (!version) return std::unexpected(version.error());
  auto response = json_response({{"user", name_in_path(call)}, {"version", version->value}});
  response.headers.emplace_back("ETag", "\"" + std::to_string(version->value) + "\"");
  return response;
}

ApiResult delete_context(const ApiCall& call) {
  auto done = call.api.engine().contexts().forget(name_in_path(call));
  if (!done) {
    Error error = done.error();
    if (error.next_step.empty()) error.next_step = "name another user";
    return std::unexpected(std::move(error));
  }
  return HttpResponse{.status = 204};
}

constexpr std::array memory_change_table = {
    HttpRoute{.method = "POST",
              .path = "/v1/memories/change",
              .scope = AccessScope::submit,
              .act = post_memory_changes,
              .summary =
                  "Stores, updates and forgets entries: `store`, `update`, `forget`, all of it "
                  "or nothing",
              .body = memory_body},
    HttpRoute{.method = "PUT",
              .path = "/v1/memories/{id}",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = put_memory,
              .summary = "Changes what is said of it; If-Match is the `changed` it must have",
              .body = memory_body,
              .success = 204},
    HttpRoute{.method = "GET",
              .path = "/v1/memories/duplicates",
              .runs = RouteRuns::on_reader,
              .handler = get_duplicates,
              .summary = "Entries that say what an older one says",
              .parameters = "kind user similarity at"},
    HttpRoute{.method = "POST",
              .path = "/v1/memories/consolidate",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = post_consolidation,
              .summary = "Stores a summary, `content`, in the place of entries of a `kind` that "
                         "matter less than `below`",
              .body = memory_body},
    HttpRoute{.method = "PUT",
              .path = "/v1/contexts/{user}",
              .scope = AccessScope::submit,
              .runs = RouteRuns::on_asker,
              .handler = put_context,
              .summary = "Changes what is known of a user, and adds `add_turns`; If-Match is the "
                         "version it must have",
              .body = memory_body},
    HttpRoute{.method = "DELETE",
              .path = "/v1/contexts/{user}",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = delete_context,
              .summary = "Forgets the user for good, also in every copy",
              .success = 204},
};

}  // namespace

std::span<const HttpRoute> memory_change_routes() { return memory_change_table; }

}  // namespace almanac
