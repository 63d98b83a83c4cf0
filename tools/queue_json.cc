#include <almanac/tools/queue_json.h>

#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_retention.h>

#include <nlohmann/json.hpp>

namespace almanac {

std::map<std::string_view, QueueCounts> count_queues(const State& state) {
  std::map<NameId, QueueCounts> numbers;
  for (const auto& [queue, slots] : state.queues.slots) numbers[queue] = {};
  for (const auto& [queue, policy] : state.tasks.ranking.policies) numbers[queue] = {};
  for (const auto& [id, task] : state.tasks.all) {
    ++numbers[task.queue][static_cast<std::size_t>(task.state)];
  }
  std::map<std::string_view, QueueCounts> named;
  for (const auto& [queue, counts] : numbers) named.emplace(state.names.text(queue), counts);
  return named;
}

std::uint32_t slots_of_queue(const State& state, std::string_view queue) {
  auto id = state.names.find(queue);
  const std::uint32_t* slots = id ? state.queues.slots.find(*id) : nullptr;
  return slots == nullptr ? 0 : *slots;
}

const Policy& policy_of_queue(const State& state, std::string_view queue) {
  return state.tasks.ranking.policy(*state.names.find(queue));
}

QueueRetention retention_of_queue(const State& state, std::string_view queue) {
  return retention_of(state.queues, *state.names.find(queue));
}

nlohmann::ordered_json queue_json(const State& state, std::string_view queue,
                                  const QueueCounts& counts) {
  nlohmann::ordered_json json{{"queue", queue}, {"slots", slots_of_queue(state, queue)}};
  json.update(policy_json(state.names, policy_of_queue(state, queue)));
  json.update(retention_json(retention_of_queue(state, queue)));
  for (std::size_t i = 0; i < counts.size(); ++i) {
    json[std::string(name(static_cast<TaskState>(i)))] = counts[i];
  }
  return json;
}

}  // namespace almanac
