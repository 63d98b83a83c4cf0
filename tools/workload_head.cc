#include <almanac/tools/workload_head.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <fmt/core.h>

#include <array>
#include <utility>

namespace almanac::workload {
namespace {

// "task" is here for the suggestions; the reader of TOML has taken it out.
constexpr std::array<std::string_view, 4> head_keys = {"name", "defaults", "queues", "task"};
constexpr std::array<std::string_view, 1> queue_keys = {"slots"};

Checked<void> read_name(Head& head, const Field& field) {
  auto name = read_text(field);
  if (!name) return std::unexpected(std::move(name.error()));
  head.name = std::move(*name);
  return check_workload_name(head.name, field.value.line);
}

Checked<void> read_defaults(Head& head, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  return read_task(head.defaults, **table, Scope::defaults);
}

Checked<void> read_queue(Head& head, const Member& queue) {
  if (auto checked = check_name("queue", queue.key); !checked) {
    return fault(queue.line, std::move(checked.error().message), "give the queue another name");
  }
  auto table = read_table({queue.key, queue.value});
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& member : **table) {
    if (member.key != "slots") return unknown_key(member, queue_keys);
    auto slots = read_integer({member.key, member.value}, {1, limits::slots_max});
    if (!slots) return std::unexpected(std::move(slots.error()));
    head.queue_slots[queue.key] = static_cast<std::uint32_t>(*slots);
  }
  if (head.queue_slots.contains(queue.key)) return {};
  return fault(queue.line, fmt::format("the queue '{}' is given no slots", queue.key),
               "write how many of its tasks may run at once, such as slots = 2");
}

Checked<void> read_queues(Head& head, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& queue : **table) {
    if (auto read = read_queue(head, queue); !read) return read;
  }
  return {};
}

Checked<void> read_member(Head& head, const Member& member) {
  const Field field{member.key, member.value};
  if (member.key == "name") return read_name(head, field);
  if (member.key == "defaults") return read_defaults(head, field);
  if (member.key == "queues") return read_queues(head, field);
  return unknown_key(member, head_keys);
}

}  // namespace

Checked<void> check_workload_name(const std::string& name, int line) {
  auto checked = check_name("workload's name", name);
  std::string message = checked ? "" : std::move(checked.error().message);
  if (name.find('/') != std::string::npos) message = "the workload's name has a '/' in it";
  if (message.empty()) return {};
  return fault(line, std::move(message),
               fmt::format("give it a 'name' of 1 to {} bytes without '/' and control characters",
                           limits::name_bytes_max));
}

Checked<Head> read_head(const Value::Table& table) {
  Head head;
  for (const Member& member : table) {
    if (auto read = read_member(head, member); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  return head;
}

}  // namespace almanac::workload
