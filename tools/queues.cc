#include <almanac/tools/past_commands.h>
#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_retention.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <array>
#include <map>

namespace almanac {
namespace {

using Counts = std::array<std::uint64_t, task_state_count>;

// By name. A queue is there when a task or a setting names it.
std::map<std::string_view, Counts> count_queues(const State& state) {
  std::map<NameId, Counts> numbers;
  for (const auto& [queue, slots] : state.queues.slots) numbers[queue] = {};
  for (const auto& [queue, policy] : state.tasks.ranking.policies) numbers[queue] = {};
  for (const auto& [id, task] : state.tasks.all) {
    ++numbers[task.queue][static_cast<std::size_t>(task.state)];
  }
  std::map<std::string_view, Counts> named;
  for (const auto& [queue, counts] : numbers) named.emplace(state.names.text(queue), counts);
  return named;
}

// 0 = as many as the engine has.
std::uint32_t slots_of(const State& state, std::string_view queue) {
  auto id = state.names.find(queue);
  const std::uint32_t* slots = id ? state.queues.slots.find(*id) : nullptr;
  return slots == nullptr ? 0 : *slots;
}

const Policy& policy_of(const State& state, std::string_view queue) {
  return state.tasks.ranking.policy(*state.names.find(queue));
}

QueueRetention retention_of(const State& state, std::string_view queue) {
  return retention_of(state.queues, *state.names.find(queue));
}

void print_json(const State& state, std::string_view queue, const Counts& counts) {
  nlohmann::ordered_json json{{"queue", queue}, {"slots", slots_of(state, queue)}};
  json.update(policy_json(state.names, policy_of(state, queue)));
  json.update(retention_json(retention_of(state, queue)));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    json[std::string(name(static_cast<TaskState>(i)))] = counts[i];
  }
  fmt::print("{}\n", json.dump(-1, ' ', false, decltype(json)::error_handler_t::replace));
}

}  // namespace

ExitCode queues(const QueuesCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  // Those told to stop still run: one column, so that a line fits on a terminal.
  Table table(
      {"QUEUE", "SLOTS", "WAIT", "DELAY", "READY", "RUN", "HELD", "DONE", "FAILED", "CANCEL"});
  const auto counted_queues = count_queues(state);
  for (const auto& [queue, counts] : counted_queues) {
    if (command.json) {
      print_json(state, queue, counts);
      continue;
    }
    const auto of = [&](TaskState is) { return counts[static_cast<std::size_t>(is)]; };
    const auto slots = slots_of(state, queue);
    table.add({printable(queue), slots == 0 ? "-" : std::to_string(slots),
               std::to_string(of(TaskState::waiting)), std::to_string(of(TaskState::delayed)),
               std::to_string(of(TaskState::ready)),
               std::to_string(of(TaskState::running) + of(TaskState::cancelling)),
               std::to_string(of(TaskState::held)), std::to_string(of(TaskState::succeeded)),
               std::to_string(of(TaskState::failed)), std::to_string(of(TaskState::cancelled))});
  }
  if (command.json) return ExitCode::ok;
  if (counted_queues.empty()) {
    fmt::print("no queues\n");
    return ExitCode::ok;
  }
  fmt::print("{}", table.text(terminal_columns()));
  // Those of the default policy say it by their silence, as do those that keep tasks like all.
  for (const auto& [queue, counts] : counted_queues) {
    const Policy& policy = policy_of(state, queue);
    const auto begin = fmt::format("queue {} runs by ", printable(queue));
    if (policy != Policy()) fmt::print("{}", policy_text(begin, state.names, policy));
    fmt::print("{}", retention_text(queue, retention_of(state, queue)));
  }
  return ExitCode::ok;
}

}  // namespace almanac
