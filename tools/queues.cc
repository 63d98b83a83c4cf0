#include <almanac/tools/past_commands.h>
#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_json.h>
#include <almanac/tools/queue_retention.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

void print_json(const State& state, std::string_view queue, const QueueCounts& counts) {
  const auto json = queue_json(state, queue, counts);
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
    const auto slots = slots_of_queue(state, queue);
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
    const Policy& policy = policy_of_queue(state, queue);
    const auto begin = fmt::format("queue {} runs by ", printable(queue));
    if (policy != Policy()) fmt::print("{}", policy_text(begin, state.names, policy));
    fmt::print("{}", retention_text(queue, retention_of_queue(state, queue)));
  }
  return ExitCode::ok;
}

}  // namespace almanac
