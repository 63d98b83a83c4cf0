#include <almanac/engine/submission.h>

#include <almanac/engine/admission.h>
#include <almanac/engine/content.h>
#include <almanac/engine/dependency_order.h>
#include <almanac/engine/groups.h>
#include <almanac/engine/large_array.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/resource_limits.h>
#include <almanac/engine/tasks.h>
#include <almanac/engine/uniqueness.h>
#include <almanac/log/hash.h>
#include <almanac/log/printable.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace almanac {
namespace {

std::unexpected<Error> refusal(const EnqueueTasks& command, std::size_t index, Error error) {
  error.message = describe_task(command, index) + " is refused: " + error.message;
  return std::unexpected(std::move(error));
}

Result<void> check_limit(std::string_view what, std::size_t size, std::size_t size_max) {
  if (size <= size_max) return {};
  return fail(ErrorCode::invalid,
              std::string(what) + ": " + std::to_string(size) + " is over the limit of " +
                  std::to_string(size_max),
              "stay within the limit");
}

Result<void> check_numbers(const TaskSpec& spec) {
  if (spec.attempts_max < 1 || spec.attempts_max > limits::attempts_max) {
    return fail(ErrorCode::invalid,
                "attempts must be 1 to " + std::to_string(limits::attempts_max) + ", not " +
                    std::to_string(spec.attempts_max),
                "stay within that");
  }
  if (spec.crashes_max < 1 || spec.crashes_max > limits::attempts_max) {
    return fail(ErrorCode::invalid,
                "crashes must be 1 to " + std::to_string(limits::attempts_max) + ", not " +
                    std::to_string(spec.crashes_max),
                "stay within that");
  }
  if (spec.estimate < Duration(0) || spec.timeout < Duration(0) ||
      spec.backoff.initial < Duration(0) || spec.backoff.max < Duration(0)) {
    return fail(ErrorCode::invalid, "timeout, estimate and backoff cannot be negative",
                "leave out what is not wanted");
  }
  if (std::max({spec.timeout, spec.estimate, spec.backoff.initial, spec.backoff.max}) >
      limits::duration_max) {
    return fail(ErrorCode::invalid,
                "timeout, estimate and backoff cannot be longer than 100 years");
  }
  return {};
}

Result<void> check_times(const TaskSpec& spec, Time now) {
  if (spec.expires_at == Time() || spec.expires_at > std::max(now, spec.run_at)) return {};
  return fail(ErrorCode::invalid, "it expires before it could begin",
              "let it expire later, or not at all");
}

Result<void> check_conditions(const TaskSpec& spec) {
  if (spec.conditions.empty() || spec.conditions.size() == spec.dependencies.size()) return {};
  return fail(ErrorCode::invalid,
              "it has " + std::to_string(spec.dependencies.size()) + " dependencies and " +
                  std::to_string(spec.conditions.size()) + " conditions",
              "give each dependency a condition, or none of them");
}

Result<void> check_spec(const State& state, const EnqueueTasks& command, const TaskSpec& spec) {
  Result<void> checked = check_name("kind", spec.kind);
  if (checked) checked = check_name("queue", spec.queue);
  if (checked && !spec.owner.empty()) checked = check_name("owner", spec.owner);
  for (const std::string& tag : spec.tags) {
    if (checked) checked = check_name("tag", tag);
  }
  if (checked) checked = check_numbers(spec);
  if (checked) checked = check_conditions(spec);
  if (checked) checked = check_unique(spec);
  if (checked) checked = check_groups(spec);
  if (checked)
    checked = check_limit("bytes of payload", spec.payload.size(), limits::payload_bytes_max);
  if (checked) checked = check_limit("bytes of label", spec.label.size(), limits::label_bytes_max);
  if (checked) checked = check_demands(state, demands_of(spec));
  if (checked) checked = check_limit("tags", spec.tags.size(), limits::tags_max);
  if (checked)
    checked = check_limit("dependencies", spec.dependencies.size(), limits::dependencies_max);
  if (checked)
    checked =
        check_limit("bytes of idempotency key", spec.idempotency_key.size(), limits::key_bytes_max);
  for (const Dependency& dependency : spec.dependencies) {
    if (!checked) break;
    const auto* id = std::get_if<TaskId>(&dependency);
    if (id != nullptr && !state.tasks.all.contains(*id)) {
      const bool existed = *id && *id <= state.tasks.last;
      return fail(
          ErrorCode::invalid,
          "it depends on task " + std::to_string(id->value) +
              (existed ? ", which ended long ago and is no longer kept" : ", which does not exist"),
          "`almanac list` shows those there are");
    }
    const auto* in_batch = std::get_if<InBatch>(&dependency);
    if (in_batch != nullptr && in_batch->index >= command.tasks.size()) {
      return fail(ErrorCode::invalid, "it depends on a task outside the submission",
                  "name one by its place in it, counted from 0, or by its number");
    }
  }
  return checked;
}

// What a task waits for: without conditions, for the success of all.
struct Awaited {
  std::span<const TaskId> ids;
  std::span<const DependencyCondition> conditions;
  GroupPlace groups = {};
};

// What an idempotency key stands for. Start time and label may differ when work is submitted
// again; what would run may not.
std::uint64_t content_hash(const TaskSpec& spec, const Awaited& awaited) {
  Content content;
  content.text(spec.kind);
  content.text(spec.queue);
  content.text(spec.payload);
  content.number(static_cast<std::uint64_t>(spec.priority));
  content.number(spec.attempts_max);
  content.number(static_cast<std::uint64_t>(spec.timeout.count()));
  content.number(static_cast<std::uint64_t>(spec.backoff.initial.count()));
  content.number(static_cast<std::uint64_t>(spec.backoff.max.count()));
  content.number(spec.tags.size());
  for (const std::string& tag : spec.tags) content.text(tag);
  for (TaskId id : awaited.ids) content.number(id.value);
  for (const TaskDemand& demand : demands_of(spec)) {
    content.text(demand.limit);
    content.number(demand.units);
  }
  for (DependencyCondition condition : awaited.conditions) content.number(std::uint64_t(condition));
  // Came later: without a version, or a group, the hash is what it was.
  if (spec.version != 0) content.text("version " + std::to_string(spec.version));
  if (!spec.group.empty()) content.text("group " + spec.group);
  if (spec.after_group) {
    content.text("after group " + spec.after_group->group);
    content.number(std::uint64_t(spec.after_group->condition));
  }
  return xxh3(content.bytes());
}

// None where all are what they are without being said.
std::span<const DependencyCondition> conditions_of(const TaskSpec& spec) {
  const bool plain = std::ranges::all_of(spec.conditions, [](DependencyCondition condition) {
    return condition == DependencyCondition::success;
  });
  return plain ? std::span<const DependencyCondition>() : spec.conditions;
}

// Gives numbers to the tasks of one submission and makes their events.
class Enqueuer {
 public:
  Enqueuer(const State& state, const EnqueueTasks& command, const DecideContext& context)
      : state_(state),
        command_(command),
        context_(context),
        next_(state.tasks.last.next()),
        submitted_(command.tasks.size()) {
    reserve_large(events_, command.tasks.size());
    const auto meets_others = [](const TaskSpec& spec) {
      return spec.unique || !spec.group.empty() || spec.after_group;
    };
    if (std::ranges::any_of(command.tasks, meets_others)) folded_ = state;
  }

  // Called in an order in which dependencies come first.
  Result<void> add(std::size_t index) {
    const TaskSpec& spec = command_.tasks[index];
    Awaited awaited{resolve(spec), conditions_of(spec)};
    auto hash = spec.idempotency_key.empty() ? 0 : content_hash(spec, awaited);
    if (auto checked = check_twice(index, awaited); !checked) return checked;
    if (const KeyedTask* known = find_key(spec.idempotency_key)) {
      if (known->content_hash != hash) return other_content(index, *known);
      submitted_[index] = {known->id, SubmitOutcome::same_key};
      return {};
    }
    const Uniqueness unique = uniqueness_of(spec);
    const auto others = unique ? in_the_way(*folded_, unique, spec.unique->lasts, context_.now)
                               : std::vector<TaskId>();
    if (!others.empty() && spec.unique->on_conflict != OnConflict::replace) {
      return give_way(index, others.front());
    }
    // Of one that was submitted before this no longer matters.
    auto admitted = check_times(spec, context_.now);
    if (admitted) admitted = check_admission(state_, spec, context_.now);
    if (!admitted) return refusal(command_, index, admitted.error());
    const auto groups = place_in_groups(folded_ ? *folded_ : state_, spec, awaited.ids);
    if (!groups) return refusal(command_, index, groups.error());
    awaited.groups = *groups;
    TaskId id = next_;
    next_ = next_.next();
    if (!spec.idempotency_key.empty()) keys_[spec.idempotency_key] = {id, hash};
    submitted_[index] = {.id = id};
    if (auto replaced = replace(index, others, awaited.ids); !replaced) return replaced;
    if (unique) awaited = behind_stopping(unique, awaited);
    add(event(spec, id, hash, awaited, unique));
    return {};
  }

  Result<Decision> finish() {
    if (events_.size() <= limits::batch_events_max) {
      return Decision{std::move(events_), std::move(submitted_)};
    }
    return fail(ErrorCode::invalid,
                "the submission and what it replaces are " + std::to_string(events_.size()) +
                    " events, over the limit of " + std::to_string(limits::batch_events_max),
                "submit fewer tasks at once");
  }

 private:
  void add(Event event) {
    events_.push_back(std::move(event));
    if (folded_) fold_into(*folded_, {folded_->position.next(), events_.back()});
  }

  std::span<const TaskId> resolve(const TaskSpec& spec) {
    auto ids = context_.memory.array<TaskId>(spec.dependencies.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto* in_batch = std::get_if<InBatch>(&spec.dependencies[i]);
      ids[i] = in_batch != nullptr ? submitted_[in_batch->index].id
                                   : std::get<TaskId>(spec.dependencies[i]);
    }
    return ids;
  }

  // A dependency that is named twice must be meant alike: only one of the two would count.
  Result<void> check_twice(std::size_t index, const Awaited& awaited) const {
    std::map<TaskId, DependencyCondition> seen;
    for (std::size_t i = 0; i < awaited.conditions.size(); ++i) {
      const auto condition = awaited.conditions[i];
      const auto [entry, is_new] = seen.try_emplace(awaited.ids[i], condition);
      if (is_new || entry->second == condition) continue;
      return fail(ErrorCode::invalid,
                  describe_task(command_, index) + " depends on task " +
                      std::to_string(awaited.ids[i].value) + " in two ways: " +
                      std::string(name(entry->second)) + " and " + std::string(name(condition)),
                  "keep one of them");
    }
    return {};
  }

  const KeyedTask* find_key(const std::string& key) const {
    if (key.empty()) return nullptr;
    if (auto entry = keys_.find(key); entry != keys_.end()) return &entry->second;
    return state_.tasks.keys.find(key);
  }

  std::unexpected<Error> other_content(std::size_t index, const KeyedTask& known) const {
    return fail(ErrorCode::conflict,
                describe_task(command_, index) + " was submitted before as task " +
                    std::to_string(known.id.value) + " with other content (key '" +
                    command_.tasks[index].idempotency_key + "')",
                "submit it under another key, or as it was");
  }

  Result<void> give_way(std::size_t index, TaskId other) {
    const auto on_conflict = command_.tasks[index].unique->on_conflict;
    if (on_conflict == OnConflict::refuse) {
      return refusal(command_, index, unique_conflict(*folded_, other));
    }
    const bool skips = on_conflict == OnConflict::skip;
    submitted_[index] = {other, skips ? SubmitOutcome::skipped : SubmitOutcome::existing};
    return {};
  }

  // Cancels those in its way that have not ended.
  Result<void> replace(std::size_t index, std::span<const TaskId> others,
                       std::span<const TaskId> dependencies) {
    auto& [id, outcome, replaced] = submitted_[index];
    for (TaskId other : others) {
      const auto reason = context_.memory.text("replaced by task " + std::to_string(id.value));
      const auto cancelled = cancellation(other, *folded_->tasks.all.find(other), reason);
      if (!cancelled) continue;
      if (std::ranges::find(dependencies, other) != dependencies.end()) {
        return fail(ErrorCode::invalid,
                    describe_task(command_, index) + " depends on task " +
                        std::to_string(other.value) + ", which it replaces",
                    "leave out the dependency, or do not replace");
      }
      if (!replaced) replaced = other;
      add({.at = context_.now, .body = *cancelled});
    }
    return {};
  }

  // It begins when those of its identity that run and are to stop have ended: there are never two.
  Awaited behind_stopping(const Uniqueness& unique, const Awaited& awaited) {
    auto others = stopping_of(*folded_, unique.identity);
    std::erase_if(others, [&](TaskId other) {
      return std::ranges::find(awaited.ids, other) != awaited.ids.end();
    });
    if (others.empty()) return awaited;
    const auto size = awaited.ids.size() + others.size();
    const auto ids = context_.memory.array<TaskId>(size);
    std::ranges::copy(others, std::ranges::copy(awaited.ids, ids.begin()).out);
    const auto conditions = context_.memory.array<DependencyCondition>(size);
    std::ranges::copy(awaited.conditions, conditions.begin());
    std::ranges::fill(conditions.last(others.size()), DependencyCondition::end);
    return {ids, conditions, awaited.groups};
  }

  Event event(const TaskSpec& spec, TaskId id, std::uint64_t hash, const Awaited& awaited,
              const Uniqueness& unique) {
    auto tags = context_.memory.array<std::string_view>(spec.tags.size());
    std::ranges::copy(spec.tags, tags.begin());
    const auto asked = demands_of(spec);
    auto demands = context_.memory.array<Demand>(asked.size());
    std::ranges::transform(asked, demands.begin(), [this](const TaskDemand& demand) {
      return Demand{context_.memory.text(demand.limit), demand.units};
    });
    return {.at = context_.now,
            .idempotency_key = spec.idempotency_key,
            .body = TaskEnqueued{.id = id,
                                 .kind = spec.kind,
                                 .queue = spec.queue,
                                 .label = spec.label,
                                 .priority = spec.priority,
                                 .run_at = spec.run_at,
                                 .timeout = spec.timeout,
                                 .backoff = spec.backoff,
                                 .attempts_max = spec.attempts_max,
                                 .content_hash = hash,
                                 .tags = NameListView(tags),
                                 .dependencies = awaited.ids,
                                 .conditions = awaited.conditions,
                                 .owner = spec.owner,
                                 .deadline = spec.deadline,
                                 .estimate = spec.estimate,
                                 .expires_at = spec.expires_at,
                                 .demands = DemandListView(demands),
                                 .retry_policy = spec.retry_policy,
                                 .crashes_max = spec.crashes_max == crashes_max_default
                                                    ? std::uint16_t{0}
                                                    : spec.crashes_max,
                                 .keeps_dependencies = !awaited.ids.empty(),
                                 .unique = unique,
                                 .version = spec.version,
                                 .group = awaited.groups.group,
                                 .after_group = awaited.groups.after,
                                 .after_group_condition = awaited.groups.condition,
                                 .payload = as_bytes(spec.payload)}};
  }

  const State& state_;
  const EnqueueTasks& command_;
  const DecideContext& context_;
  // With the events so far, where a task is unique or has to do with a group: others of the
  // submission may be in its way, or wait for it.
  std::optional<State> folded_;
  TaskId next_;
  std::vector<Submitted> submitted_;
  std::vector<Event> events_;
  std::unordered_map<std::string_view, KeyedTask> keys_;
};

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

}  // namespace

std::string describe_task(const EnqueueTasks& command, std::size_t index) {
  const TaskSpec& spec = command.tasks[index];
  if (!spec.label.empty()) return "'" + spec.label + "'";
  if (command.tasks.size() == 1) return "the task";
  return "task " + std::to_string(index + 1) + " of the submission";
}

Result<void> check_name(std::string_view what, std::string_view name) {
  auto bad = [&](std::string_view why) {
    return fail(ErrorCode::invalid, "the " + std::string(what) + " " + std::string(why),
                "write 1 to " + std::to_string(limits::name_bytes_max) +
                    " bytes of UTF-8 text without control characters");
  };
  if (name.empty()) return bad("is empty");
  if (name.size() > limits::name_bytes_max) {
    return check_limit("bytes of " + std::string(what), name.size(), limits::name_bytes_max);
  }
  if (std::ranges::any_of(name, is_control)) return bad("has a control character in it");
  if (!is_utf8(name)) return bad("is not UTF-8 text");
  return {};
}

Result<Decision> decide_one(const State& state, const EnqueueTasks& command,
                            const DecideContext& context) {
  if (command.tasks.empty())
    return fail(ErrorCode::invalid, "the submission has no task", "add one");
  if (auto checked = check_limit("tasks in one submission", command.tasks.size(),
                                 limits::submission_tasks_max);
      !checked) {
    return std::unexpected(checked.error());
  }
  for (std::size_t i = 0; i < command.tasks.size(); ++i) {
    if (auto checked = check_spec(state, command, command.tasks[i]); !checked) {
      return refusal(command, i, checked.error());
    }
  }
  auto order = dependency_order(command);
  if (!order) return std::unexpected(order.error());
  Enqueuer enqueuer(state, command, context);
  for (std::size_t index : *order) {
    if (auto added = enqueuer.add(index); !added) return std::unexpected(added.error());
  }
  return enqueuer.finish();
}

}  // namespace almanac
