// How things stand: the overview, the time line of the log, and what is counted or advised.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/overview.h>
#include <almanac/tools/past.h>
#include <almanac/tools/recommendation_json.h>
#include <almanac/tools/review_json.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/stats_json.h>
#include <almanac/tools/task_json.h>
#include <almanac/tools/timeline.h>

#include <almanac/snapshots/state_at.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// The moment that is asked about: now, or that of the state.
Time moment_of(const ApiCall& call) {
  return call.is_past ? call.state->time : std::max(system_time(), call.state->time);
}

ApiResult get_overview(const ApiCall& call) {
  auto json = overview_json({.log = call.api.log(),
                             .state = *call.state,
                             .tally = call.api.tally(),
                             .now = moment_of(call)});
  if (!json) return std::unexpected(json.error());
  return json_response(*json);
}

ApiResult get_timeline(const ApiCall& call) {
  auto buckets = number_parameter(call, "buckets", limits::timeline_buckets_default,
                                  limits::timeline_buckets_max);
  if (!buckets) return std::unexpected(buckets.error());
  if (*buckets == 0) {
    return fail(ErrorCode::invalid, "buckets: the log is cut into one part at least",
                fmt::format("write 1 to {}", limits::timeline_buckets_max));
  }
  auto from = number_parameter(call, "from", 1);
  if (!from) return std::unexpected(from.error());
  auto to = number_parameter(call, "to", call.state->position.value);
  if (!to) return std::unexpected(to.error());
  auto first = call.api.log().first();
  if (!first) return std::unexpected(first.error());
  const Position begin = std::max(*first, Position(*from));
  const Position end = std::min(call.state->position, Position(*to));
  const bool is_part = !text_parameter(call, "from").empty() || !text_parameter(call, "to").empty();
  if (is_part && end < begin) {
    return fail(ErrorCode::invalid, fmt::format("there is no event from {} to {}", *from, *to),
                fmt::format("the log has {} to {}", first->value, call.state->position.value));
  }
  auto json =
      timeline_json({.log = call.api.log(), .first = begin, .last = end, .buckets = *buckets});
  if (!json) return std::unexpected(json.error());
  // In front of it there are events of a trimmed log, and no state.
  const auto shown = first_state_position(call.api.log(), call.api.surroundings().folder);
  (*json)["first_state"] = shown ? ordered_json(shown->value) : ordered_json();
  return json_response(*json);
}

ApiResult get_stats(const ApiCall& call) {
  const std::string grouped_by = text_parameter(call, "by");
  auto by = stats_by_from(grouped_by.empty() ? "queue" : grouped_by);
  if (!by) return std::unexpected(by.error());
  const Log& log = call.api.log();
  auto since = find_position(log, text_parameter(call, "since"), system_time());
  if (!since) return std::unexpected(since.error());
  auto base = log.base();
  if (!base) return std::unexpected(base.error());
  const std::uint64_t from = std::max(since->value_or(Position()), base->last).value;
  if (call.state->position.value > from + limits::route_events_max) {
    return fail(ErrorCode::refused,
                fmt::format("there are more than {} events to count", limits::route_events_max),
                "begin later with since=, or ask `almanac stats`");
  }
  auto gathered = gather_stats_since(log, *call.state, *since, *by);
  if (!gathered) return std::unexpected(gathered.error());
  ordered_json items = ordered_json::array();
  for (ordered_json& row : stats_rows_json(*by, *gathered)) items.push_back(std::move(row));
  return items_response(std::move(items));
}

ApiResult get_recommend(const ApiCall& call) {
  auto limit = number_parameter(call, "limit", 10, limits::page_items_max);
  if (!limit) return std::unexpected(limit.error());
  if (*limit == 0) {
    return fail(ErrorCode::invalid, "limit: one task is asked for at least",
                fmt::format("write 1 to {}", limits::page_items_max));
  }
  const State& state = *call.state;
  const std::string queue = text_parameter(call, "queue");
  const std::string owner = text_parameter(call, "owner");
  ordered_json items = ordered_json::array();
  for (const Recommendation& next : recommend_for(
           state, {.now = moment_of(call), .limit = *limit, .queue = queue, .owner = owner})) {
    auto label = task_label(call.api.log(), *state.tasks.all.find(next.id));
    if (!label) return std::unexpected(label.error());
    items.push_back(recommendation_json(state, next, *label));
  }
  return items_response(std::move(items));
}

ApiResult get_models(const ApiCall& call) {
  const State& state = *call.state;
  std::map<std::string_view, const Model*> named;
  for (const auto& [id, model] : state.models.all) named.emplace(state.names.text(id), &model);
  ordered_json items = ordered_json::array();
  for (const auto& [name, model] : named) items.push_back(model_json(state, name, *model));
  return items_response(std::move(items));
}

ApiResult get_model(const ApiCall& call) {
  const State& state = *call.state;
  const std::string name = name_in_path(call);
  const auto id = state.names.find(name);
  const Model* model = id ? state.models.all.find(*id) : nullptr;
  if (model != nullptr) return json_response(model_json(state, name, *model));
  return fail(ErrorCode::not_found, "nothing is known of a model of this name",
              "GET /v1/models lists those there are");
}

ApiResult get_reviews(const ApiCall& call) {
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  const Tasks& tasks = call.state->tasks;
  ordered_json items = ordered_json::array();
  std::uint64_t last = 0;
  for (auto entry = tasks.held.lower_bound(TaskId(page->after + 1)); entry != tasks.held.end();
       ++entry) {
    const auto& [id, hold] = *entry;
    if (hold.reason != HoldReason::restored) continue;
    if (items.size() == page->limit) return items_response(std::move(items), last);
    auto label = task_label(call.api.log(), *tasks.all.find(id));
    if (!label) return std::unexpected(label.error());
    items.push_back(review_json(id, hold, *label));
    last = id.value;
  }
  return items_response(std::move(items));
}

constexpr std::array overview_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/overview",
              .runs = RouteRuns::on_reader,
              .handler = get_overview,
              .summary = "How things stand, on one page: counts, rates, queues, what runs, what "
                         "is wrong",
              .parameters = "at",
              .holds = std::chrono::milliseconds(250)},
    HttpRoute{.method = "GET",
              .path = "/v1/timeline",
              .runs = RouteRuns::on_reader,
              .handler = get_timeline,
              .summary = "Evenly spaced positions with their times, and what went on between them; "
                         "`first_state` is the first of which there is a state",
              .parameters = "buckets from to"},
    HttpRoute{.method = "GET",
              .path = "/v1/stats",
              .runs = RouteRuns::on_reader,
              .handler = get_stats,
              .summary = "Counts, rates, waits and ends of tasks, by group and all together",
              .parameters = "by since at"},
    HttpRoute{.method = "GET",
              .path = "/v1/recommend",
              .runs = RouteRuns::on_reader,
              .handler = get_recommend,
              .summary = "Which tasks should be done next, and why",
              .parameters = "queue owner limit at"},
    HttpRoute{.method = "GET",
              .path = "/v1/models",
              .handler = get_models,
              .summary = "What GPUs have in memory",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/models/{model}",
              .handler = get_model,
              .summary = "One of them",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/reviews",
              .runs = RouteRuns::on_reader,
              .handler = get_reviews,
              .summary = "Tasks that a restore holds",
              .parameters = "limit page at"},
};

}  // namespace

std::span<const HttpRoute> overview_routes() { return overview_table; }

}  // namespace almanac
