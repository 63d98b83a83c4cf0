// Queues as programs read them, and what is counted of them.
#pragma once

#include <almanac/projections/state.h>

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string_view>

namespace almanac {

using QueueCounts = std::array<std::uint64_t, task_state_count>;  // tasks, by state

// By name. A queue is there when a task or a setting names it. O(tasks).
[[nodiscard]] std::map<std::string_view, QueueCounts> count_queues(const State& state);
// What a queue that is there has of its own. Slots: 0 = as many as the engine has.
[[nodiscard]] std::uint32_t slots_of_queue(const State& state, std::string_view queue);
[[nodiscard]] const Policy& policy_of_queue(const State& state, std::string_view queue);
[[nodiscard]] QueueRetention retention_of_queue(const State& state, std::string_view queue);

[[nodiscard]] nlohmann::ordered_json queue_json(const State& state, std::string_view queue,
                                                const QueueCounts& counts);

}  // namespace almanac
