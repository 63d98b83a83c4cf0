#include <almanac/tools/workload_queue.h>

#include <almanac/tools/policy_text.h>
#include <almanac/tools/queue_retention.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <fmt/core.h>

#include <array>
#include <utility>

namespace almanac::workload {
namespace {

constexpr std::array<std::string_view, 9> queue_keys = {
    "slots",   "policy",           "ageing",        "window",          "short_work",
    "weights", "retain_succeeded", "retain_failed", "retain_cancelled"};

Checked<void> read_retained(const Field& field, std::optional<Duration>& kept) {
  return put_choice(field, parse_retained, kept);
}

Checked<void> read_weights(ConfigureQueue& settings, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& weight : **table) {
    constexpr Range range{-limits::queue_weight_max, limits::queue_weight_max};
    auto read = put(read_integer({weight.key, weight.value}, range), settings.weights[weight.key]);
    if (!read) return read;
  }
  return {};
}

Checked<void> read_setting(ConfigureQueue& settings, const Member& member) {
  const Field field{member.key, member.value};
  if (member.key == "slots")
    return put(read_integer(field, {1, limits::slots_max}), settings.slots);
  if (member.key == "policy") return put_choice(field, parse_policy, settings.policy);
  if (member.key == "ageing") return put(read_duration(field), settings.ageing);
  if (member.key == "window") return put(read_duration(field), settings.window);
  if (member.key == "short_work") return put(read_duration(field), settings.short_work);
  if (member.key == "weights") return read_weights(settings, field);
  if (member.key == "retain_succeeded") return read_retained(field, settings.retain_succeeded);
  if (member.key == "retain_failed") return read_retained(field, settings.retain_failed);
  if (member.key == "retain_cancelled") return read_retained(field, settings.retain_cancelled);
  return unknown_key(member, queue_keys);
}

}  // namespace

Checked<ConfigureQueue> read_queue(const Member& queue) {
  if (auto checked = check_name("queue", queue.key); !checked) {
    return fault(queue.line, std::move(checked.error().message), "give the queue another name");
  }
  auto table = read_table({queue.key, queue.value});
  if (!table) return std::unexpected(std::move(table.error()));
  if ((*table)->empty()) {
    return fault(queue.line, fmt::format("the queue '{}' is given no settings", queue.key),
                 "write how many of its tasks may run at once, such as slots = 2");
  }
  ConfigureQueue settings{.queue = queue.key};
  for (const Member& member : **table) {
    if (auto read = read_setting(settings, member); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  return settings;
}

}  // namespace almanac::workload
