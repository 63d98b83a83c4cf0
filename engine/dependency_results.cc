#include <almanac/engine/dependency_results.h>

#include <almanac/engine/limits.h>

#include <nlohmann/json.hpp>

#include <utility>

namespace almanac {
namespace {

Result<DependencyResult> read_result(const LogPort& log, const EndedDependency& dependency) {
  DependencyResult result{.id = dependency.id, .state = dependency.state};
  auto read = log.read_one(dependency.end, [&](const Event& event) {
    if (const AttemptEnd* end = attempt_end_in(event.body)) {
      result.result = as_text(end->result);
      result.output = as_text(end->output);
    }
  });
  if (!read) return std::unexpected(read.error());
  return result;
}

}  // namespace

std::vector<EndedDependency> find_ended(const State& state, std::span<const TaskId> dependencies) {
  std::vector<EndedDependency> ended;
  for (TaskId id : dependencies) {
    const Task* task = state.tasks.all.find(id);
    if (task != nullptr && has_ended(task->state))
      ended.push_back({id, task->state, task->changed});
  }
  return ended;
}

Result<std::vector<DependencyResult>> read_results(const LogPort& log,
                                                   std::span<const EndedDependency> dependencies) {
  std::vector<DependencyResult> results;
  for (const EndedDependency& dependency : dependencies) {
    auto result = read_result(log, dependency);
    if (!result) return std::unexpected(result.error());
    results.push_back(std::move(*result));
  }
  return results;
}

Result<std::string> results_json(const LogPort& log,
                                 std::span<const EndedDependency> dependencies) {
  using nlohmann::ordered_json;
  auto list = ordered_json::array();
  std::size_t bytes = 0;
  for (const EndedDependency& dependency : dependencies) {
    ordered_json json{{"id", dependency.id.value}, {"state", name(dependency.state)}};
    auto result = read_result(log, dependency);
    if (!result) return std::unexpected(result.error());
    bytes += result->result.size() + result->output.size();
    if (bytes <= limits::dependency_bytes_max) {
      json["result"] = std::move(result->result);
      json["output"] = std::move(result->output);
    } else {
      json["left_out"] = true;
    }
    list.push_back(std::move(json));
  }
  return list.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace almanac
