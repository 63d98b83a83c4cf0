// What led to what: the story of a task, what changed between two moments, since when something is
// so, and what was learned of users.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/bisection.h>
#include <almanac/tools/context_events.h>
#include <almanac/tools/context_text.h>
#include <almanac/tools/event_json.h>
#include <almanac/tools/past.h>
#include <almanac/tools/query_error.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_changes.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/story_json.h>
#include <almanac/tools/task_history.h>

#include <almanac/snapshots/user_keys.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

struct AskedTask {
  TaskId id;
  const Task* task;
};

Result<AskedTask> asked_task(const ApiCall& call) {
  auto number = number_of(call, "task");
  if (!number) return std::unexpected(number.error());
  const TaskId id(*number);
  const Task* task = call.state->tasks.all.find(id);
  if (task != nullptr) return AskedTask{id, task};
  auto error = no_task(*call.state, id, text_parameter(call, "at"));
  error.next_step = "GET /v1/tasks lists those there are";
  return std::unexpected(std::move(error));
}

// What would keep a reader for seconds is for a command.
Result<void> check_reach(std::uint64_t events, std::string_view instead) {
  if (events <= limits::route_events_max) return {};
  return fail(ErrorCode::refused,
              fmt::format("{} events would have to be looked at, more than {}", events,
                          limits::route_events_max),
              std::string(instead));
}

ApiResult get_why(const ApiCall& call) {
  auto asked = asked_task(call);
  if (!asked) return std::unexpected(asked.error());
  auto with_tree = truth_parameter(call, "tree");
  if (!with_tree) return std::unexpected(with_tree.error());
  auto depth = number_parameter(call, "depth", TaskTreeOptions::depth_default, 100);
  if (!depth) return std::unexpected(depth.error());
  const State& state = *call.state;
  const bool is_over = has_ended(asked->task->state) && !*with_tree;
  const Position last = is_over ? asked->task->changed : state.position;
  auto reach = check_reach(last.value - asked->task->enqueued.value,
                           "ask at= a moment closer to its beginning, or `almanac why`");
  if (!reach) return std::unexpected(reach.error());
  const Log& log = call.api.log();
  const PastStates& past = call.api.past();
  auto story = tell_story({.log = log, .past = past, .state = state, .id = asked->id});
  if (!story) return std::unexpected(story.error());
  std::optional<TaskTree> tree;
  if (*with_tree) {
    auto grown =
        grow_tree({.log = log, .past = past, .state = state, .id = asked->id, .depth_max = *depth});
    if (!grown) return std::unexpected(grown.error());
    tree = std::move(*grown);
  }
  return json_response(story_json(state, *story, tree));
}

// Lines of JSON as they are, on one page.
HttpResponse lines_response(const std::string& items, std::uint64_t next) {
  return {.body = fmt::format("{{\"items\":[{}],\"next\":{}}}\n", items,
                              next == 0 ? "null" : fmt::format("\"{}\"", next))};
}

// As lines they would be what `almanac history --json` prints.
ApiResult get_history(const ApiCall& call) {
  auto asked = asked_task(call);
  if (!asked) return std::unexpected(asked.error());
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  std::string items;
  std::size_t count = 0;
  std::uint64_t last = 0;
  bool has_more = false;
  auto read =
      read_task_history({.log = call.api.log(),
                         .id = asked->id,
                         .task = *asked->task,
                         .from = Position(page->after + 1)},
                        [&](const RecordedEvent& event) -> Result<bool> {
                          has_more = count == page->limit || items.size() >= limits::page_bytes_max;
                          if (has_more) return false;
                          items += (count++ == 0 ? "" : ",\n ") + event_json(event);
                          last = event.position.value;
                          return true;
                        });
  if (!read) return std::unexpected(read.error());
  return lines_response(items, has_more ? last : 0);
}

Result<std::shared_ptr<const State>> state_of_parameter(const ApiCall& call,
                                                        std::string_view name) {
  const std::string moment = text_parameter(call, name);
  if (!moment.empty()) return call.api.state_at(moment);
  return fail(ErrorCode::invalid, fmt::format("the parameter '{}' is missing", name),
              "name two moments: from=1200&to=1300");
}

ApiResult get_diff(const ApiCall& call) {
  auto before = state_of_parameter(call, "from");
  if (!before) return std::unexpected(before.error());
  auto after = state_of_parameter(call, "to");
  if (!after) return std::unexpected(after.error());
  const auto [low, high] = std::minmax((*before)->position.value, (*after)->position.value);
  if (high - low > limits::diff_events_max) {
    return fail(ErrorCode::refused,
                fmt::format("more than {} events lie between them", limits::diff_events_max),
                "name two moments that are closer together, or ask `almanac diff`");
  }
  return HttpResponse{.body = difference_json(**before, **after) + "\n"};
}

ApiResult get_bisect(const ApiCall& call) {
  const std::string when = text_parameter(call, "when");
  if (when.empty()) {
    return fail(ErrorCode::invalid, "the parameter 'when' is missing",
                "ask for a condition, such as when=tasks.failed > 100");
  }
  auto query = parse_query(when, QuerySubject::state);
  if (!query) return std::unexpected(query.error());
  const Log& log = call.api.log();
  auto range = find_range(log, call.api.surroundings().folder,
                          {text_parameter(call, "from"), text_parameter(call, "to")});
  if (!range) return std::unexpected(range.error());
  auto found = find_first(call.api.past(), *query, *range);
  if (!found) {
    Error error = found.error();
    if (error.code == ErrorCode::refused) {
      error.next_step = "begin where it does not hold, with from=, or ask for its opposite: !(…)";
    }
    if (error.code == ErrorCode::not_found) {
      error.next_step = "if it held before that, end there with to=";
    }
    return std::unexpected(std::move(error));
  }
  auto json = bisected_json(log, *found);
  if (!json) return std::unexpected(json.error());
  return HttpResponse{.body = *json + "\n"};
}

// In the order in which they became known. `page` is the number of one.
ApiResult get_contexts(const ApiCall& call) {
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  const Contexts& contexts = call.state->contexts;
  ordered_json items = ordered_json::array();
  std::uint64_t next = 0;
  const TextNumber from{
      static_cast<std::uint32_t>(std::min<std::uint64_t>(page->after, UINT32_MAX))};
  for (auto entry = contexts.all.lower_bound(from); entry != contexts.all.end(); ++entry) {
    const auto& [number, context] = *entry;
    if (items.size() == page->limit) return items_response(std::move(items), next);
    items.push_back({{"user", contexts.users.text(number)},
                     {"version", context->version.value},
                     {"changed_at", time_json(context->changed_at)},
                     {"fields", context->fields.size()},
                     {"turns_added", context->turns_added}});
    next = std::uint64_t{number.value} + 1;
  }
  return items_response(std::move(items));
}

// As lines they would be what `almanac context history --json` prints.
ApiResult get_context_history(const ApiCall& call) {
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  const std::string user = name_in_path(call);
  const SharedContext* known = call.state->contexts.find(user);
  const auto keys = UserKeys::open(call.api.surroundings().folder);
  if (!keys) return std::unexpected(keys.error());
  ordered_json items = ordered_json::array();
  std::uint64_t last = 0;
  bool has_more = false;
  const auto read =
      read_context_events({.log = call.api.log(),
                           .keys = **keys,
                           .user = user,
                           .from = Position(page->after + 1),
                           .through = known != nullptr ? (*known)->version : call.state->position},
                          [&](const ContextEvent& event) {
                            has_more = items.size() == page->limit;
                            if (has_more) return false;
                            items.push_back(event.json);
                            last = event.position.value;
                            return true;
                          });
  if (!read) return std::unexpected(read.error());
  if (items.empty() && page->after == 0) {
    return fail(ErrorCode::not_found, "nothing is known of this user", "name another one");
  }
  return items_response(std::move(items), has_more ? last : 0);
}

constexpr std::array past_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/tasks/{id}/why",
              .runs = RouteRuns::on_reader,
              .handler = get_why,
              .summary = "Why a task waited or waits, and what it did; as a `tree` what led to it",
              .parameters = "tree depth at"},
    HttpRoute{.method = "GET",
              .path = "/v1/tasks/{id}/history",
              .runs = RouteRuns::on_reader,
              .handler = get_history,
              .summary = "Its events",
              .parameters = "limit page at"},
    HttpRoute{.method = "GET",
              .path = "/v1/diff",
              .runs = RouteRuns::on_reader,
              .handler = get_diff,
              .summary = "What changed between two moments",
              .parameters = "from to"},
    HttpRoute{.method = "GET",
              .path = "/v1/bisect",
              .runs = RouteRuns::on_reader,
              .handler = get_bisect,
              .summary = "The first position at which a condition holds",
              .parameters = "when from to"},
    HttpRoute{.method = "GET",
              .path = "/v1/contexts",
              .handler = get_contexts,
              .summary = "Users of whom something is known",
              .parameters = "limit page at"},
    HttpRoute{.method = "GET",
              .path = "/v1/contexts/{user}/history",
              .runs = RouteRuns::on_reader,
              .handler = get_context_history,
              .summary = "What was learned of a user, and when",
              .parameters = "limit page at"},
};

}  // namespace

std::span<const HttpRoute> past_routes() { return past_table; }

}  // namespace almanac
