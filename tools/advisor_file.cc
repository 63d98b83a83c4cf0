#include <almanac/tools/advisor_file.h>

#include <almanac/engine/limits.h>
#include <almanac/tools/workload_field.h>
#include <almanac/tools/workload_file.h>

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <utility>

namespace almanac {
namespace {

using namespace workload;

constexpr std::array<std::string_view, 15> advisor_keys = {
    "command",        "folder",   "env",       "size",          "fallback",
    "tasks_max",      "interval", "valid_for", "timeout",       "start_timeout",
    "overtaking_max", "attempts", "backoff",   "probe_backoff", "probe_backoff_max"};

Checked<void> read_command(const Field& field, CommandSpec& command) {
  auto words = read_words(field);
  if (!words) return std::unexpected(std::move(words.error()));
  for (Word& word : *words) command.arguments.push_back(std::move(word.text));
  return {};
}

Checked<void> read_environment(const Field& field, CommandSpec& command) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& member : **table) {
    auto read = put(read_text({member.key, member.value}), command.environment[member.key]);
    if (!read) return read;
  }
  return {};
}

Checked<void> read_member(AdvisorSpec& advisor, const Member& member) {
  const Field field{member.key, member.value};
  const auto count = [&](std::size_t most, auto& target) {
    return put(read_integer(field, {1, static_cast<std::int64_t>(most)}), target);
  };
  if (member.key == "command") return read_command(field, advisor.command);
  if (member.key == "folder") return put(read_text(field), advisor.command.working_folder);
  if (member.key == "env") return read_environment(field, advisor.command);
  if (member.key == "size") return count(limits::pool_instances_max, advisor.size);
  if (member.key == "fallback") return put(read_truth(field), advisor.has_fallback);
  if (member.key == "tasks_max") return count(limits::advisor_tasks_max, advisor.tasks_max);
  if (member.key == "attempts") return count(limits::attempts_max, advisor.attempts_max);
  if (member.key == "interval") return put(read_duration(field), advisor.interval);
  if (member.key == "valid_for") return put(read_duration(field), advisor.valid_for);
  if (member.key == "timeout") return put(read_duration(field), advisor.timeout);
  if (member.key == "start_timeout") return put(read_duration(field), advisor.start_timeout);
  if (member.key == "overtaking_max") return put(read_duration(field), advisor.overtaking_max);
  if (member.key == "backoff") return put(read_duration(field), advisor.backoff);
  if (member.key == "probe_backoff") return put(read_duration(field), advisor.probe_backoff);
  if (member.key == "probe_backoff_max") {
    return put(read_duration(field), advisor.probe_backoff_max);
  }
  return unknown_key(member, advisor_keys);
}

Checked<AdvisorSpec> read_advisor(const Value::Table& head) {
  if (head.size() != 1) {
    return fault(head.empty() ? 1 : head.back().line,
                 fmt::format("an engine has one advisor, and these are {}", head.size()),
                 "leave one table, such as [ranker]");
  }
  auto table = read_table({head.front().key, head.front().value});
  if (!table) return std::unexpected(std::move(table.error()));
  AdvisorSpec advisor{.name = head.front().key, .command = {}};
  for (const Member& member : **table) {
    if (auto read = read_member(advisor, member); !read) {
      return std::unexpected(std::move(read.error()));
    }
  }
  return advisor;
}

}  // namespace

Result<AdvisorSpec> load_advisor(const std::string& path) {
  auto file = read_workload_file(path, "file of an advisor");
  if (!file) return std::unexpected(file.error());
  AdvisorSpec advisor;
  const Sink sink{.head = [&](const Value::Table& head) -> Checked<void> {
                    auto read = read_advisor(head);
                    if (!read) return std::unexpected(std::move(read.error()));
                    advisor = std::move(*read);
                    return {};
                  },
                  .task = [](const Value& task) -> Checked<void> {
                    return fault(task.line, "a file of an advisor has no tasks",
                                 "put them into a workload");
                  }};
  if (auto read = read_toml(file->text, sink); !read) {
    return fail(ErrorCode::invalid, located(file->shown, read.error().line, read.error().message),
                read.error().next_step);
  }
  std::string& folder = advisor.command.working_folder;
  folder = tidied(file->folder / folder).string();
  if (auto checked = check(advisor); !checked) {
    return fail(ErrorCode::invalid, file->shown + ": " + checked.error().message,
                checked.error().next_step);
  }
  return advisor;
}

}  // namespace almanac
