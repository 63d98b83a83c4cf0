// Snapshots: which there are, and those that are made and verified now.
#include <almanac/daemon/http_api.h>
#include <almanac/daemon/snapshot_works.h>
#include <almanac/daemon/task_request.h>

#include <almanac/tools/json_fields.h>
#include <almanac/tools/snapshot_json.h>

#include <nlohmann/json.hpp>

#include <array>
#include <set>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view snapshot_body = "application/json";

std::set<std::string> configured_repositories(const ApiCall& call) {
  const auto& all = call.api.surroundings().repositories;
  return {all.begin(), all.end()};
}

// Of the configuration, and those that the engine's backup jobs write to.
std::set<std::string> repositories_of(const ApiCall& call) {
  auto folders = configured_repositories(call);
  for (const auto& [id, job] : call.state->backups.jobs) {
    if (!job.repository.empty()) folders.insert(job.repository);
  }
  return folders;
}

ApiResult get_snapshots(const ApiCall& call) {
  ordered_json items = ordered_json::array();
  for (const std::string& folder : repositories_of(call)) {
    ordered_json json{{"repository", folder}, {"error", nullptr}};
    auto repository = Repository::open(folder, Access::read);
    if (repository) {
      json.update(repository_json(*repository));
    } else {
      json["error"] = describe(repository.error());
    }
    items.push_back(std::move(json));
  }
  return items_response(std::move(items));
}

// Only what a person has configured is written to or read: a request names none of its own.
Result<std::string> repository_asked(const std::set<std::string>& known, const std::string& named) {
  if (known.empty()) {
    return fail(ErrorCode::refused, "no repository of snapshots is configured",
                "set repositories of [snapshots] in the configuration, and restart the daemon");
  }
  if (known.contains(named)) return named;
  if (!named.empty()) {
    return fail(ErrorCode::not_found, "this is none of the repositories that are configured",
                "GET /v1/snapshots lists them; repositories of [snapshots] says which there are");
  }
  if (known.size() == 1) return *known.begin();
  return fail(ErrorCode::invalid, "there are several repositories",
              "name the one that is meant as \"repository\"");
}

struct SnapshotRequest {
  SnapshotAsked asked;
  std::string repository;
  bool waits = false;
};

Result<SnapshotRequest> creation_of(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  SnapshotRequest request;
  JsonFields fields(*json);
  fields.text("repository", request.repository);
  fields.text("tag", request.asked.tag);
  fields.truth("full", request.asked.full);
  fields.truth("wait", request.waits);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  auto repository = repository_asked(configured_repositories(call), request.repository);
  if (!repository) return std::unexpected(repository.error());
  request.asked.repository = *repository;
  return request;
}

Result<SnapshotRequest> verification_of(const ApiCall& call) {
  auto json = json_body(call.request);
  if (!json) return std::unexpected(json.error());
  SnapshotRequest request{.asked = {.task = SnapshotTask::verify, .repository = {}}};
  JsonFields fields(*json);
  fields.text("repository", request.repository);
  fields.number("snapshot", request.asked.number, {.min = 1});
  fields.number("percent", request.asked.percent, {.max = 100});
  fields.truth("wait", request.waits);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  auto repository = repository_asked(repositories_of(call), request.repository);
  if (!repository) return std::unexpected(repository.error());
  request.asked.repository = *repository;
  return request;
}

std::string place_of(const SnapshotWork& work) {
  return "/v1/snapshots/work/" + std::to_string(work.number);
}

HttpResponse ended_response(const SnapshotWork& work) {
  return work.error ? problem(*work.error) : json_response(snapshot_work_json(work));
}

void begin_work(const ApiCall& call, const HttpReply& reply, Result<SnapshotRequest> request) {
  if (!request) return reply.send(problem(request.error()));
  const std::string* key = call.request.header("idempotency-key");
  if (key != nullptr && key->empty()) return reply.send(problem(empty_key()));
  SnapshotWorks& works = call.api.snapshots();
  auto begun = works.begin(std::move(request->asked), key == nullptr ? std::string() : *key);
  if (!begun) return reply.send(problem(begun.error()));
  if (request->waits) {
    const auto answer = [reply](const SnapshotWork& work) { reply.send(ended_response(work)); };
    if (works.when_ended(begun->number, answer)) return;
  }
  auto response = json_response(snapshot_work_json(*begun), 202);
  response.headers.emplace_back("Location", place_of(*begun));
  reply.send(std::move(response));
}

void post_snapshots(const ApiCall& call, const HttpReply& reply) {
  begin_work(call, reply, creation_of(call));
}

void post_verification(const ApiCall& call, const HttpReply& reply) {
  begin_work(call, reply, verification_of(call));
}

ApiResult get_works(const ApiCall& call) {
  ordered_json items = ordered_json::array();
  for (const SnapshotWork& work : call.api.snapshots().all()) {
    items.push_back(snapshot_work_json(work));
  }
  return items_response(std::move(items));
}

void get_work(const ApiCall& call, const HttpReply& reply) {
  const auto number = number_of(call, "piece of work");
  if (!number) return reply.send(problem(number.error()));
  const auto waits = truth_parameter(call, "wait");
  if (!waits) return reply.send(problem(waits.error()));
  SnapshotWorks& works = call.api.snapshots();
  const auto answer = [reply](const SnapshotWork& work) {
    reply.send(json_response(snapshot_work_json(work)));
  };
  if (*waits && works.when_ended(*number, answer)) return;
  if (const auto work = works.find(*number)) return answer(*work);
  reply.send(problem({ErrorCode::not_found, "nothing is known of a piece of work of this number",
                      "GET /v1/snapshots/work lists the last of them"}));
}

constexpr std::array snapshot_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/snapshots",
              .runs = RouteRuns::on_reader,
              .handler = get_snapshots,
              .summary = "Snapshots of the repositories that the configuration or backups name, "
                         "and what they cover"},
    HttpRoute{.method = "POST",
              .path = "/v1/snapshots",
              .scope = AccessScope::operate,
              .act = post_snapshots,
              .summary = "Makes one in a configured `repository`, with a `tag`, or `full`; tells "
                         "where to look, or answers at its end with `wait`",
              .body = snapshot_body,
              .success = 202},
    HttpRoute{.method = "POST",
              .path = "/v1/snapshots/verify",
              .scope = AccessScope::operate,
              .act = post_verification,
              .summary = "Reads a `snapshot`, or all of a `repository`, or a `percent` of that",
              .body = snapshot_body,
              .success = 202},
    HttpRoute{.method = "GET",
              .path = "/v1/snapshots/work",
              .handler = get_works,
              .summary = "What was made and verified so, the newest first"},
    HttpRoute{.method = "GET",
              .path = "/v1/snapshots/work/{work}",
              .act = get_work,
              .summary = "One of them: how far it is, and what has come of it",
              .parameters = "wait",
              .stays_open = true},
};

}  // namespace

std::span<const HttpRoute> snapshot_routes() { return snapshot_table; }

}  // namespace almanac
