#include <almanac/engine/carrying.h>

#include <almanac/engine/limits.h>
#include <almanac/log/append.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace almanac {
namespace {

Event carried(const State& state, const NeededEvent& needed, const Event& event) {
  Event again{.correlation = event.correlation, .causation = event.causation};
  if (state.tasks.all.find(needed.of)->enqueued == needed.position) {
    again.body = TaskRequestCarried{request_in(event.body)};
  } else {
    const AttemptEnd* end = attempt_end_in(event.body);
    again.body = TaskResultCarried{needed.of, end == nullptr ? AttemptEnd() : *end};
  }
  return again;
}

// Whether it is still read where it was found.
struct IsNeeded {
  const State& state;
  Position from;

  bool operator()(const TaskRequestCarried& event) const {
    const Task* task = state.tasks.all.find(event.request.id);
    return task != nullptr && may_run(task->state) && task->enqueued == from;
  }
  bool operator()(const TaskResultCarried& event) const {
    const Task* task = state.tasks.all.find(event.id);
    return task != nullptr && has_ended(task->state) && task->changed == from;
  }
  bool operator()(const auto&) const { return false; }
};

}  // namespace

Result<CarryTasks> read_needed(const Log& log, const State& state,
                               std::span<const NeededEvent> needed) {
  CarryTasks command;
  std::vector<std::shared_ptr<EventBatch>> owned;
  std::size_t bytes = 0;
  for (const NeededEvent& one : needed.first(std::min(needed.size(), limits::changes_max))) {
    auto read = log.read_one(one.position, [&](const Event& event) {
      const Event again = carried(state, one, event);
      owned.push_back(own_events({&again, 1}));
    });
    if (!read) return std::unexpected(read.error());
    auto cost = check_batch(*owned.back());
    if (!cost) return std::unexpected(cost.error());
    bytes += cost->bytes;
    if (bytes > limits::frame_bytes_target && !command.what.empty()) break;
    command.what.push_back({one.position, owned.back()->events.front()});
  }
  command.memory =
      std::make_shared<const std::vector<std::shared_ptr<EventBatch>>>(std::move(owned));
  return command;
}

Result<Decision> decide_one(const State& state, const CarryTasks& command,
                            const DecideContext& context) {
  Decision decision;
  context.memory.keep(command.memory);
  for (const CarryTasks::One& one : command.what) {
    if (!std::visit(IsNeeded{state, one.from}, one.event.body)) continue;
    decision.events.push_back(one.event);
    decision.events.back().at = context.now;
  }
  decision.answer = Changed{decision.events.size()};
  return decision;
}

}  // namespace almanac
