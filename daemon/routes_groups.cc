// Groups as they are read: how far each is, who waits for it, and the tasks that belong to it.
#include <almanac/daemon/http_api.h>

#include <almanac/tools/group_text.h>
#include <almanac/tools/task_json.h>

#include <nlohmann/json.hpp>

#include <array>

namespace almanac {
namespace {

using nlohmann::ordered_json;

Result<GroupId> group_in_path(const ApiCall& call) {
  if (const auto found = call.state->tasks.groups.find(name_in_path(call))) return *found;
  return fail(ErrorCode::not_found, "there is no group of this name",
              "GET /v1/groups lists those there are; a group goes with the last of its tasks");
}

// In the order in which they were opened. `page` is the number of the last one.
ApiResult get_groups(const ApiCall& call) {
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  const Tasks& tasks = call.state->tasks;
  const auto& all = tasks.groups.all;
  ordered_json items = ordered_json::array();
  std::uint64_t last = 0;
  for (auto entry = all.lower_bound(GroupId(page->after + 1)); entry != all.end(); ++entry) {
    if (items.size() == page->limit) return items_response(std::move(items), last);
    items.push_back(group_json(tasks, entry->key));
    last = entry->key.value;
  }
  return items_response(std::move(items));
}

ApiResult get_group(const ApiCall& call) {
  auto group = group_in_path(call);
  if (!group) return std::unexpected(group.error());
  return json_response(group_json(call.state->tasks, *group));
}

ApiResult get_group_tasks(const ApiCall& call) {
  auto group = group_in_path(call);
  if (!group) return std::unexpected(group.error());
  auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  const State& state = *call.state;
  const auto& members = state.tasks.groups.members;
  ordered_json items = ordered_json::array();
  std::uint64_t last = 0;
  for (auto member = members.lower_bound(GroupTask{*group, TaskId(page->after + 1)});
       member != members.end() && member->group == *group; ++member) {
    if (items.size() == page->limit) return items_response(std::move(items), last);
    const Task& task = *state.tasks.all.find(member->id);
    auto label = task_label(call.api.log(), task);
    if (!label) return std::unexpected(label.error());
    items.push_back(task_summary_json(state, member->id, task, *label));
    last = member->id.value;
  }
  return items_response(std::move(items));
}

constexpr std::array group_table = {
    HttpRoute{.method = "GET",
              .path = "/v1/groups",
              .runs = RouteRuns::on_reader,
              .handler = get_groups,
              .summary = "Groups of tasks, and how far they are",
              .parameters = "limit page at"},
    HttpRoute{.method = "GET",
              .path = "/v1/groups/{group}",
              .runs = RouteRuns::on_reader,
              .handler = get_group,
              .summary = "One of them",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/v1/groups/{group}/tasks",
              .runs = RouteRuns::on_reader,
              .handler = get_group_tasks,
              .summary = "Tasks that belong to it, by number",
              .parameters = "limit page at"},
};

}  // namespace

std::span<const HttpRoute> group_routes() { return group_table; }

}  // namespace almanac
