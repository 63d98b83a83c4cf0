#include <almanac/engine/queues.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

namespace almanac {

Result<Decision> decide_one(const State& state, const ConfigureQueue& command,
                            const DecideContext& context) {
  if (auto checked = check_name("queue", command.queue); !checked) {
    return std::unexpected(checked.error());
  }
  if (command.slots > limits::slots_max) {
    return fail(ErrorCode::invalid, "a queue takes at most " + std::to_string(limits::slots_max) +
                                        " slots, not " + std::to_string(command.slots));
  }
  auto queue = state.names.find(command.queue);
  const std::uint32_t* slots = queue ? state.queues.slots.find(*queue) : nullptr;
  Decision decision;
  if ((slots == nullptr ? 0 : *slots) == command.slots) return decision;
  decision.events.push_back(
      {.at = context.now, .body = QueueConfigured{.queue = command.queue, .slots = command.slots}});
  return decision;
}

}  // namespace almanac
