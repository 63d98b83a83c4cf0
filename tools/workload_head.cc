#include <almanac/tools/workload_head.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <fmt/core.h>

#include <array>
#include <limits>
#include <utility>

namespace almanac::workload {
namespace {

// "task" is here for the suggestions; the reader of TOML has taken it out.
constexpr std::array<std::string_view, 6> head_keys = {"name",   "defaults",  "queues",
                                                       "limits", "schedules", "task"};
constexpr std::array<std::string_view, 3> limit_keys = {"units", "per_minute", "burst"};

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

Checked<void> read_queues(Head& head, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& queue : **table) {
    auto read = read_queue(queue);
    if (!read) return std::unexpected(std::move(read.error()));
    head.queues.push_back(std::move(*read));
  }
  return {};
}

// A number of units, or a table with a rate.
Checked<void> read_limit(Head& head, const Member& limit) {
  if (auto checked = check_name("limit", limit.key); !checked) {
    return fault(limit.line, std::move(checked.error().message), "give the limit another name");
  }
  LimitSetting& setting = head.limits[limit.key];
  constexpr Range units{1, std::numeric_limits<std::int64_t>::max()};
  constexpr Range tokens{1, std::numeric_limits<std::uint32_t>::max()};
  const Field field{limit.key, limit.value};
  if (std::holds_alternative<std::int64_t>(limit.value.content)) {
    return put(read_integer(field, units), setting.units);
  }
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& member : **table) {
    const Field part{member.key, member.value};
    Checked<void> read;
    if (member.key == "units") {
      read = put(read_integer(part, units), setting.units);
    } else if (member.key == "per_minute") {
      read = put(read_integer(part, tokens), setting.per_minute);
    } else if (member.key == "burst") {
      read = put(read_integer(part, tokens), setting.burst);
    } else {
      return unknown_key(member, limit_keys);
    }
    if (!read) return read;
  }
  if (setting.per_minute > 0 && setting.burst == 0) setting.burst = 1;
  if (setting.is_set()) return {};
  return fault(limit.line,
               fmt::format("the limit '{}' is given neither units nor a rate", limit.key),
               "write how much there is, such as memory = 16");
}

Checked<void> read_limits(Head& head, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& limit : **table) {
    if (auto read = read_limit(head, limit); !read) return read;
  }
  return {};
}

Checked<void> read_schedules(Head& head, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& schedule : **table) {
    auto read = read_schedule(schedule, head.defaults);
    if (!read) return std::unexpected(std::move(read.error()));
    head.schedules.push_back(std::move(*read));
  }
  return {};
}

Checked<void> read_member(Head& head, const Member& member) {
  const Field field{member.key, member.value};
  if (member.key == "name") return read_name(head, field);
  if (member.key == "defaults") return read_defaults(head, field);
  if (member.key == "queues") return read_queues(head, field);
  if (member.key == "limits") return read_limits(head, field);
  if (member.key == "schedules") return {};
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
  Checked<void> read;
  for (const Member& member : table) {
    if (read) read = read_member(head, member);
  }
  // Behind the defaults, wherever these stand.
  for (const Member& member : table) {
    if (read && member.key == "schedules") read = read_schedules(head, {member.key, member.value});
  }
  if (!read) return std::unexpected(std::move(read.error()));
  return head;
}

}  // namespace almanac::workload
