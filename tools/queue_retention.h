// How long a queue keeps its ended tasks, as people and programs write and read it.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/queue.h>

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace almanac {

// A duration, where 0 is what the engine is told, or "forever". Errors: invalid.
[[nodiscard]] Result<Duration> parse_retained(std::string_view text);

// What the queue has of its own, such as {"retain_failed_us": "forever"}.
[[nodiscard]] nlohmann::ordered_json retention_json(const QueueRetention& retention);
// "queue web keeps succeeded tasks 1h, failed ones forever" and the end of the line; nothing of a
// queue that has none of its own. Printable.
[[nodiscard]] std::string retention_text(std::string_view queue, const QueueRetention& retention);

}  // namespace almanac
