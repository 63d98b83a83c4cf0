#include <almanac/tools/workload_task.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/limits.h>
#include <almanac/tools/units.h>

#include <almanac/engine/submission.h>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace almanac::workload {
namespace {

// What check_name allows, as a fault of this line.
Checked<void> check_word(std::string_view what, const std::string& text, int line) {
  auto checked = check_name(what, text);
  if (checked) return {};
  return fault(
      line, std::move(checked.error().message),
      fmt::format("write 1 to {} bytes without control characters", limits::name_bytes_max));
}

Checked<void> set_name(TaskDraft& draft, const Field& field) {
  draft.name_line = field.value.line;
  if (auto read = put(read_text(field), draft.name); !read) return read;
  const bool is_printable = std::ranges::none_of(
      draft.name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!draft.name.empty() && draft.name.size() <= limits::label_bytes_max && is_printable)
    return {};
  return fault(
      field.value.line,
      draft.name.empty() ? "the task's name is empty"
      : is_printable     ? "the task's name is too long"
                         : "the task's name has a control character in it",
      fmt::format("write 1 to {} bytes without control characters", limits::label_bytes_max));
}

Checked<void> set_command(TaskDraft& draft, const Field& field) {
  auto words = read_words(field);
  if (!words) return std::unexpected(std::move(words.error()));
  if (words->empty() || words->front().text.empty()) {
    return fault(field.value.line, "'command' has no program to run",
                 "write the program first: [\"echo\", \"hello\"]");
  }
  draft.command.arguments.clear();
  for (Word& word : *words) draft.command.arguments.push_back(std::move(word.text));
  return {};
}

Checked<void> set_shell(TaskDraft& draft, const Field& field) {
  auto text = read_text(field);
  if (!text) return std::unexpected(std::move(text.error()));
  if (text->empty()) {
    return fault(field.value.line, "'shell' is empty", "write what /bin/sh should run");
  }
  draft.command.arguments = {"/bin/sh", "-c", std::move(*text)};
  return {};
}

Checked<void> set_after(TaskDraft& draft, const Field& field) {
  return put(read_after(field, limits::dependencies_max), draft.after);
}

Checked<void> set_group(TaskDraft& draft, const Field& field) {
  if (auto read = put(read_text(field), draft.spec.group); !read) return read;
  return check_word("group", draft.spec.group, field.value.line);
}

// A name, or {group = "…", when = "…"}.
Checked<void> set_after_group(TaskDraft& draft, const Field& field) {
  static constexpr std::array<std::string_view, 2> known = {"group", "when"};
  AfterGroup& after = draft.spec.after_group.emplace();
  const auto* table = std::get_if<Value::Table>(&field.value.content);
  if (table == nullptr) return put(read_text(field), after.group);
  for (const Member& member : *table) {
    const Field part{member.key, member.value};
    if (std::ranges::find(known, member.key) == known.end()) return unknown_key(member, known);
    auto read = member.key == "group" ? put(read_text(part), after.group)
                                      : put_choice(part, condition_from, after.condition);
    if (!read) return read;
  }
  return {};
}

Checked<void> set_queue(TaskDraft& draft, const Field& field) {
  if (auto read = put(read_text(field), draft.spec.queue); !read) return read;
  return check_word("queue", draft.spec.queue, field.value.line);
}

Checked<void> set_priority(TaskDraft& draft, const Field& field) {
  using Limits = std::numeric_limits<std::int32_t>;
  return put(read_integer(field, {Limits::min(), Limits::max()}), draft.spec.priority);
}

Checked<void> set_attempts(TaskDraft& draft, const Field& field) {
  return put(read_integer(field, {1, limits::attempts_max}), draft.spec.attempts_max);
}

Checked<void> set_backoff(TaskDraft& draft, const Field& field) {
  return put(read_duration(field), draft.spec.backoff.initial);
}

Checked<void> set_backoff_max(TaskDraft& draft, const Field& field) {
  return put(read_duration(field), draft.spec.backoff.max);
}

Checked<void> set_retry(TaskDraft& draft, const Field& field) {
  return put_choice(field, retry_policy_from, draft.spec.retry_policy);
}

Checked<void> set_crashes(TaskDraft& draft, const Field& field) {
  return put(read_integer(field, {1, limits::attempts_max}), draft.spec.crashes_max);
}

Checked<void> set_expires(TaskDraft& draft, const Field& field) {
  draft.spec.expires_at = {};
  return put(read_duration(field), draft.expires);
}

Checked<void> set_expires_at(TaskDraft& draft, const Field& field) {
  draft.expires.reset();
  return put(read_time(field), draft.spec.expires_at);
}

Checked<void> set_timeout(TaskDraft& draft, const Field& field) {
  return put(read_duration(field), draft.spec.timeout);
}

Checked<void> set_delay(TaskDraft& draft, const Field& field) {
  draft.spec.run_at = {};
  return put(read_duration(field), draft.delay);
}

Checked<void> set_run_at(TaskDraft& draft, const Field& field) {
  draft.delay.reset();
  return put(read_time(field), draft.spec.run_at);
}

Checked<void> set_owner(TaskDraft& draft, const Field& field) {
  if (auto read = put(read_text(field), draft.spec.owner); !read) return read;
  return check_word("owner", draft.spec.owner, field.value.line);
}

Checked<void> set_deadline(TaskDraft& draft, const Field& field) {
  return put(read_time(field), draft.spec.deadline);
}

Checked<void> set_estimate(TaskDraft& draft, const Field& field) {
  return put(read_duration(field), draft.spec.estimate);
}

Checked<void> set_version(TaskDraft& draft, const Field& field) {
  constexpr std::int64_t version_max = std::numeric_limits<std::uint32_t>::max();
  return put(read_integer(field, {0, version_max}), draft.spec.version);
}

Checked<void> set_tags(TaskDraft& draft, const Field& field) {
  auto words = read_word_set(field, limits::tags_max);
  if (!words) return std::unexpected(std::move(words.error()));
  draft.spec.tags.clear();
  for (Word& word : *words) {
    if (auto checked = check_word("tag", word.text, word.line); !checked) return checked;
    draft.spec.tags.push_back(std::move(word.text));
  }
  return {};
}

void demand_model(TaskDraft& draft) {
  if (!draft.model.empty()) draft.spec.demands.push_back({draft.model, 1});
}

Checked<void> set_model(TaskDraft& draft, const Field& field) {
  std::erase_if(draft.spec.demands,
                [&](const TaskDemand& demand) { return demand.limit == draft.model; });
  if (auto read = put(read_text(field), draft.model); !read) return read;
  demand_model(draft);
  return check_word("model", draft.model, field.value.line);
}

Checked<void> set_gpu_memory(TaskDraft& draft, const Field& field) {
  std::string text;
  if (auto read = put(read_text(field), text); !read) return read;
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes == 0) {
    return fault(field.value.line, fmt::format("'{}' is not a size", printable(text)),
                 "write one such as \"9GiB\"");
  }
  if (!draft.spec.gpu_memory) draft.spec.gpu_memory.emplace();
  draft.spec.gpu_memory->bytes = *bytes;
  return {};
}

Checked<void> set_gpu(TaskDraft& draft, const Field& field) {
  if (!draft.spec.gpu_memory) draft.spec.gpu_memory.emplace();
  if (auto read = put(read_text(field), draft.spec.gpu_memory->gpu); !read) return read;
  return check_word("GPU", draft.spec.gpu_memory->gpu, field.value.line);
}

Checked<void> set_needs(TaskDraft& draft, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  draft.spec.demands.clear();
  demand_model(draft);
  for (const Member& member : **table) {
    if (auto checked = check_word("limit", member.key, member.line); !checked) return checked;
    auto& demand = draft.spec.demands.emplace_back(member.key);
    constexpr std::int64_t units_max = std::numeric_limits<std::uint32_t>::max();
    auto read = put(read_integer({member.key, member.value}, {1, units_max}), demand.units);
    if (!read) return read;
  }
  return {};
}

Checked<void> set_unique_member(UniqueSpec& unique, const Field& field) {
  static constexpr std::array<std::string_view, 5> known = {"key", "per_queue", "until", "within",
                                                            "on_conflict"};
  if (field.key == "key") return put(read_text(field), unique.key);
  if (field.key == "per_queue") return put(read_truth(field), unique.per_queue);
  if (field.key == "until") return put_choice(field, unique_until_from, unique.until);
  if (field.key == "within") return put(read_duration(field), unique.within);
  if (field.key == "on_conflict") return put_choice(field, on_conflict_from, unique.on_conflict);
  return unknown_key({std::string(field.key), field.value.line, {}}, known);
}

// true, a key, or a table.
Checked<void> set_unique(TaskDraft& draft, const Field& field) {
  draft.spec.unique.reset();
  if (const auto* truth = std::get_if<bool>(&field.value.content)) {
    if (*truth) draft.spec.unique.emplace();
    return {};
  }
  UniqueSpec& unique = draft.spec.unique.emplace();
  if (std::holds_alternative<std::string>(field.value.content)) {
    return put(read_text(field), unique.key);
  }
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& member : **table) {
    if (auto set = set_unique_member(unique, {member.key, member.value}); !set) return set;
  }
  return {};
}

Checked<void> set_cwd(TaskDraft& draft, const Field& field) {
  return put(read_text(field), draft.command.working_folder);
}

Checked<void> set_env(TaskDraft& draft, const Field& field) {
  auto table = read_table(field);
  if (!table) return std::unexpected(std::move(table.error()));
  for (const Member& member : **table) {
    if (member.key.empty() ||
        member.key.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      return fault(member.line, fmt::format("'{}' cannot name an environment variable", member.key),
                   "write a name without '='");
    }
    auto text = read_text({member.key, member.value});
    if (!text) return std::unexpected(std::move(text.error()));
    draft.command.environment[member.key] = std::move(*text);
  }
  return {};
}

struct TaskKey {
  std::string_view name;
  bool can_be_default;
  bool can_be_scheduled;  // enqueued again and again it means something
  Checked<void> (*set)(TaskDraft&, const Field&);
};

// docs/guides/workloads.md says the same in words.
constexpr std::array keys = {
    TaskKey{"name", false, false, set_name},
    TaskKey{"command", true, true, set_command},
    TaskKey{"shell", true, true, set_shell},
    TaskKey{"after", false, false, set_after},
    TaskKey{"group", true, false, set_group},
    TaskKey{"after_group", true, false, set_after_group},
    TaskKey{"queue", true, true, set_queue},
    TaskKey{"priority", true, true, set_priority},
    TaskKey{"attempts", true, true, set_attempts},
    TaskKey{"backoff", true, true, set_backoff},
    TaskKey{"backoff_max", true, true, set_backoff_max},
    TaskKey{"retry", true, true, set_retry},
    TaskKey{"crashes", true, true, set_crashes},
    TaskKey{"timeout", true, true, set_timeout},
    TaskKey{"delay", true, false, set_delay},
    TaskKey{"run_at", true, false, set_run_at},
    TaskKey{"owner", true, true, set_owner},
    TaskKey{"deadline", true, false, set_deadline},
    TaskKey{"estimate", true, true, set_estimate},
    TaskKey{"expires", true, false, set_expires},
    TaskKey{"expires_at", true, false, set_expires_at},
    TaskKey{"version", true, true, set_version},
    TaskKey{"tags", true, true, set_tags},
    TaskKey{"needs", true, true, set_needs},
    TaskKey{"model", true, true, set_model},
    TaskKey{"gpu_memory", true, true, set_gpu_memory},
    TaskKey{"gpu", true, true, set_gpu},
    TaskKey{"unique", true, false, set_unique},
    TaskKey{"cwd", true, true, set_cwd},
    TaskKey{"env", true, true, set_env},
};
const Member* find(const Value::Table& table, std::string_view key) {
  auto member = std::ranges::find(table, key, &Member::key);
  return member == table.end() ? nullptr : &*member;
}

// Keys that say the same thing in two ways.
Checked<void> check_alternatives(const Value::Table& table) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> alternatives = {
      {{"command", "shell"}, {"delay", "run_at"}, {"expires", "expires_at"}}};
  for (auto [one, other] : alternatives) {
    const Member* first = find(table, one);
    const Member* second = find(table, other);
    if (first == nullptr || second == nullptr) continue;
    return fault(std::max(first->line, second->line),
                 fmt::format("'{}' and '{}' stand side by side", one, other), "keep one of them");
  }
  return {};
}

Checked<void> check_gpu(const TaskDraft& draft, const Value::Table& table, Scope scope) {
  const Member* member = find(table, "gpu");
  const bool is_whole = !draft.spec.gpu_memory || draft.spec.gpu_memory->bytes > 0;
  if (member == nullptr || is_whole || scope == Scope::defaults) return {};
  return fault(member->line, "'gpu' stands without 'gpu_memory'",
               "say how much of its memory is needed, or leave it out");
}

Checked<void> check_backoff(const TaskDraft& draft, const Value::Table& table) {
  const Member* member = find(table, "backoff");
  if (member == nullptr) member = find(table, "backoff_max");
  const Backoff& backoff = draft.spec.backoff;
  if (member == nullptr || backoff.initial <= backoff.max) return {};
  return fault(member->line,
               fmt::format("'backoff' of {} is longer than 'backoff_max' of {}",
                           format_duration(backoff.initial), format_duration(backoff.max)),
               "raise 'backoff_max'");
}

}  // namespace

std::span<const std::string_view> task_keys() {
  using Names = std::array<std::string_view, keys.size()>;
  static const Names names = [] {
    Names all;
    std::ranges::transform(keys, all.begin(), &TaskKey::name);
    return all;
  }();
  return names;
}

Checked<void> read_task(TaskDraft& draft, const Value::Table& table, Scope scope) {
  for (const Member& member : table) {
    auto key = std::ranges::find(keys, member.key, &TaskKey::name);
    if (key == keys.end()) return unknown_key(member, task_keys());
    if (scope == Scope::defaults && !key->can_be_default) {
      return fault(member.line, fmt::format("'{}' cannot have a default", member.key),
                   "write it into each task");
    }
    if (scope == Scope::schedule && !key->can_be_scheduled) {
      return fault(member.line, fmt::format("'{}' is nothing that a schedule can say", member.key),
                   "leave it out");
    }
    if (auto set = key->set(draft, {member.key, member.value}); !set) return set;
  }
  if (auto checked = check_alternatives(table); !checked) return checked;
  if (auto checked = check_gpu(draft, table, scope); !checked) return checked;
  return check_backoff(draft, table);
}

}  // namespace almanac::workload
