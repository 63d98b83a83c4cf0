// Workers elsewhere: they lease tasks, say that they live, and tell what became of them.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/encoding.h>
#include <almanac/tools/moment.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/units.h>

#include <almanac/log/printable.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view lease_body = "application/json";

void add_bytes(ordered_json& json, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    json[name] = bytes;
  } else {
    json[name + "_base64"] = to_base64(as_bytes(bytes));
  }
}

ordered_json leased_json(const LeasedTask& leased) {
  ordered_json json{{"task", leased.lease.id.value},
                    {"token", to_text(leased.lease.token)},
                    {"attempt", leased.attempt},
                    {"kind", leased.kind},
                    {"queue", leased.queue},
                    {"label", leased.label},
                    {"version", leased.version},
                    {"deadline", time_json(leased.deadline)},
                    {"lease_time", format_duration(leased.lease_time)}};
  add_bytes(json, "payload", leased.payload);
  if (!leased.dependencies.empty()) {
    auto dependencies = ordered_json::parse(leased.dependencies, nullptr, false);
    if (!dependencies.is_discarded()) json["dependencies"] = std::move(dependencies);
  }
  return json;
}

Result<std::vector<std::string>> texts_of(const ordered_json& object, const std::string& name) {
  std::vector<std::string> texts;
  if (!object.contains(name)) return texts;
  const ordered_json& list = object[name];
  for (const auto& each : list) {
    if (!list.is_array() || !each.is_string()) {
      return fail(ErrorCode::invalid, fmt::format("'{}' is no list of texts", name),
                  "send [\"one\", \"two\"] or the like");
    }
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

Result<Duration> duration_of(const ordered_json& object, const std::string& name,
                             Duration otherwise) {
  if (!object.contains(name)) return otherwise;
  auto text = text_member(object, name);
  if (!text) return std::unexpected(text.error());
  return parse_duration(*text);
}

Result<LeaseSpec> lease_spec_of(const HttpRequest& request) {
  auto object = object_of(request, "worker kinds queues tasks_max lease_time wait");
  if (!object) return std::unexpected(object.error());
  LeaseSpec spec;
  auto worker = text_member(*object, "worker");
  if (!worker) return std::unexpected(worker.error());
  spec.worker = std::move(*worker);
  auto kinds = texts_of(*object, "kinds");
  if (!kinds) return std::unexpected(kinds.error());
  if (object->contains("kinds") && kinds->empty()) {
    return fail(ErrorCode::invalid, "'kinds' is empty", "leave it out to take any kind");
  }
  spec.kinds = std::move(*kinds);
  auto queues = texts_of(*object, "queues");
  if (!queues) return std::unexpected(queues.error());
  spec.queues = std::move(*queues);
  auto lease_time = duration_of(*object, "lease_time", spec.lease_time);
  if (!lease_time) return std::unexpected(lease_time.error());
  spec.lease_time = *lease_time;
  auto wait = duration_of(*object, "wait", std::chrono::seconds(30));
  if (!wait) return std::unexpected(wait.error());
  spec.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::min<Duration>(*wait, limits::long_poll_max));
  if (object->contains("tasks_max")) {
    const ordered_json& tasks = (*object)["tasks_max"];
    if (!tasks.is_number_unsigned() || tasks.get<std::uint64_t>() > limits::lease_tasks_max) {
      return fail(ErrorCode::invalid, "'tasks_max' is no number of tasks",
                  fmt::format("send 1 to {}", limits::lease_tasks_max));
    }
    spec.tasks_max = tasks.get<std::uint32_t>();
  }
  return spec;
}

// Who has gone before it could be told gives them back: they need not wait for the lease's end.
void post_leases(const ApiCall& call, const HttpReply& reply) {
  auto spec = lease_spec_of(call.request);
  if (!spec) return reply.send(problem(spec.error()));
  Engine& engine = call.api.engine();
  engine.lease(std::move(*spec), [reply, &engine](Result<std::vector<LeasedTask>> leased) {
    if (!leased) return reply.send(problem(leased.error()));
    ordered_json items = ordered_json::array();
    std::vector<HeldLease> held;
    for (const LeasedTask& each : *leased) {
      items.push_back(leased_json(each));
      held.push_back(each.lease);
    }
    HttpResponse response = json_response({{"tasks", std::move(items)}});
    response.lost = [&engine, held = std::move(held)] {
      for (const HeldLease& lease : held) engine.give_back(lease, [](const Result<void>&) {});
    };
    reply.send(std::move(response));
  });
}

Result<HeldLease> held_lease_of(const ordered_json& object) {
  if (!object.contains("task") || !object["task"].is_number_unsigned()) {
    return fail(ErrorCode::invalid, "the member 'task' is no number", "send that of the lease");
  }
  auto text = text_member(object, "token");
  if (!text) return std::unexpected(text.error());
  const auto token = parse_fencing_token(*text);
  if (!token) {
    return fail(ErrorCode::invalid, "the member 'token' is no token of a lease",
                "send it as it came with the lease");
  }
  return HeldLease{TaskId(object["task"].get<std::uint64_t>()), *token};
}

std::string_view lease_status_name(LeaseStatus status) {
  switch (status) {
    case LeaseStatus::held: return "held";
    case LeaseStatus::cancelled: return "cancelled";
    case LeaseStatus::gone: return "gone";
  }
  return "gone";
}

void post_heartbeat(const ApiCall& call, const HttpReply& reply) {
  auto object = object_of(call.request, "leases");
  if (!object) return reply.send(problem(object.error()));
  std::vector<HeldLease> leases;
  if (object->contains("leases") && (*object)["leases"].is_array()) {
    for (const ordered_json& each : (*object)["leases"]) {
      auto lease = each.is_object()
                       ? held_lease_of(each)
                       : Result<HeldLease>(fail(ErrorCode::invalid, "a lease is no object",
                                                "send {\"task\": 7, \"token\": \"…\"}"));
      if (!lease) return reply.send(problem(lease.error()));
      leases.push_back(*lease);
    }
  }
  if (leases.empty()) {
    return reply.send(problem({ErrorCode::invalid, "there is no lease",
                               R"(send {"leases": [{"task": 7, "token": "…"}]})"}));
  }
  call.api.engine().heartbeat(leases, [reply, leases](Result<std::vector<LeaseStatus>> statuses) {
    if (!statuses) return reply.send(problem(statuses.error()));
    ordered_json items = ordered_json::array();
    for (std::size_t i = 0; i < statuses->size(); ++i) {
      items.push_back(
          {{"task", leases[i].id.value}, {"status", lease_status_name((*statuses)[i])}});
    }
    reply.send(json_response({{"leases", std::move(items)}}));
  });
}

// Answers what was said of one lease.
auto said(const HttpReply& reply) {
  return [reply](const Result<void>& done) {
    reply.send(done ? HttpResponse{.status = 204} : problem(done.error()));
  };
}

// The lease that is named beside `members`.
struct LeaseWords {
  HeldLease lease;
  ordered_json object;
};
Result<LeaseWords> lease_words_of(const HttpRequest& request, const std::string& members) {
  auto object = object_of(request, "task token " + members);
  if (!object) return std::unexpected(object.error());
  auto lease = held_lease_of(*object);
  if (!lease) return std::unexpected(lease.error());
  return LeaseWords{*lease, std::move(*object)};
}

Result<ProgressReport> progress_of(const ordered_json& object) {
  ProgressReport report;
  auto message = text_member_or(object, "message", {});
  if (!message) return std::unexpected(message.error());
  report.message = std::move(*message);
  auto partial = text_member_or(object, "partial", {});
  if (!partial) return std::unexpected(partial.error());
  report.partial = std::move(*partial);
  if (object.contains("fraction")) {
    if (!object["fraction"].is_number()) {
      return fail(ErrorCode::invalid, "the member 'fraction' is no number", "send 0 to 1");
    }
    report.fraction = object["fraction"].get<double>();
  }
  return report;
}

void post_progress(const ApiCall& call, const HttpReply& reply) {
  auto words = lease_words_of(call.request, "fraction message partial");
  if (!words) return reply.send(problem(words.error()));
  auto report = progress_of(words->object);
  if (!report) return reply.send(problem(report.error()));
  call.api.engine().report_progress(words->lease, std::move(*report), said(reply));
}

Result<Outcome> success_of(const ordered_json& object) {
  if (!object.contains("result_base64")) {
    auto text = text_member_or(object, "result", {});
    if (!text) return std::unexpected(text.error());
    return Outcome::success(std::move(*text));
  }
  if (object.contains("result")) {
    return fail(ErrorCode::invalid, "there are two results", "send either result or result_base64");
  }
  auto text = text_member(object, "result_base64");
  if (!text) return std::unexpected(text.error());
  auto bytes = from_base64(*text);
  if (bytes) return Outcome::success(std::move(*bytes));
  return fail(ErrorCode::invalid, "'result_base64' is no base64", "encode it with padding");
}

// What belongs to another outcome says that something else is meant.
Result<void> check_outcome(const ordered_json& object, std::string_view outcome) {
  constexpr std::array outcomes = {"success", "failure", "permanent_failure", "snooze",
                                   "rate_limited"};
  if (std::ranges::find(outcomes, outcome) == outcomes.end()) {
    return fail(ErrorCode::invalid, fmt::format("there is no outcome '{}'", outcome),
                "send success, failure, permanent_failure, snooze or rate_limited");
  }
  const bool is_success = outcome == "success";
  const bool is_later = outcome == "snooze" || outcome == "rate_limited";
  const std::initializer_list<std::pair<const char*, bool>> members = {
      {"result", is_success},
      {"result_base64", is_success},
      {"message", !is_success && !is_later},
      {"until", is_later},
      {"service", outcome == "rate_limited"}};
  for (const auto& [member, belongs] : members) {
    if (belongs || !object.contains(member)) continue;
    return fail(ErrorCode::invalid,
                fmt::format("an outcome '{}' has no member '{}'", outcome, member),
                "leave it out, or send the outcome that it belongs to");
  }
  return {};
}

Result<Outcome> outcome_of(const ordered_json& object) {
  const auto end = text_member_or(object, "outcome", "success");
  if (!end) return std::unexpected(end.error());
  if (auto checked = check_outcome(object, *end); !checked) {
    return std::unexpected(checked.error());
  }
  if (*end == "success") return success_of(object);
  const auto message = text_member_or(object, "message", "failed");
  if (!message) return std::unexpected(message.error());
  if (*end == "failure") return Outcome::failure(*message);
  if (*end == "permanent_failure") return Outcome::permanent_failure(*message);
  auto text = text_member(object, "until");
  if (!text) return std::unexpected(text.error());
  auto until = parse_moment(*text, system_time());
  if (!until) return std::unexpected(until.error());
  if (*end == "snooze") return Outcome::snooze(*until);
  auto service = text_member_or(object, "service", {});
  if (!service) return std::unexpected(service.error());
  return Outcome::rate_limited(*until, std::move(*service));
}

void post_result(const ApiCall& call, const HttpReply& reply) {
  auto words = lease_words_of(call.request, "outcome result result_base64 message until service");
  if (!words) return reply.send(problem(words.error()));
  auto outcome = outcome_of(words->object);
  if (!outcome) return reply.send(problem(outcome.error()));
  call.api.engine().finish(words->lease, std::move(*outcome), said(reply));
}

void post_return(const ApiCall& call, const HttpReply& reply) {
  auto words = lease_words_of(call.request, "");
  if (!words) return reply.send(problem(words.error()));
  call.api.engine().give_back(words->lease, said(reply));
}

constexpr std::array lease_table = {
    HttpRoute{.method = "POST",
              .path = "/v1/leases",
              .scope = AccessScope::work,
              .act = post_leases,
              .summary = "Leases tasks of some `kinds` for a `worker`; waits for the first of them",
              .body = lease_body,
              .stays_open = true},
    HttpRoute{.method = "POST",
              .path = "/v1/leases/heartbeat",
              .scope = AccessScope::work,
              .act = post_heartbeat,
              .summary = "Says that those who hold these `leases` live",
              .body = lease_body},
    HttpRoute{.method = "POST",
              .path = "/v1/leases/progress",
              .scope = AccessScope::work,
              .act = post_progress,
              .summary = "Tells how far an attempt is",
              .body = lease_body,
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/leases/result",
              .scope = AccessScope::work,
              .act = post_result,
              .summary = "Tells what an attempt has come to",
              .body = lease_body,
              .success = 204},
    HttpRoute{.method = "POST",
              .path = "/v1/leases/return",
              .scope = AccessScope::work,
              .act = post_return,
              .summary = "Gives a task back, which does not count as an attempt",
              .body = lease_body,
              .success = 204},
};

}  // namespace

std::span<const HttpRoute> lease_routes() { return lease_table; }

}  // namespace almanac
