#include <almanac/engine/implementations.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/model_wants.h>

#include <algorithm>
#include <set>
#include <string>

namespace almanac {
namespace {

// Whether the state has just these, in this order, for these versions.
bool is_known(const State& state, const SetImplementations& command) {
  const auto kind = state.names.find(command.kind);
  if (!kind) return command.implementations.empty() && command.versions == VersionRange();
  if (state.implementations.versions_of(*kind) != command.versions) return false;
  const auto& all = state.implementations.all;
  auto entry = all.lower_bound({*kind, 0});
  for (const auto& [name, attempts, has_probe] : command.implementations) {
    if (entry == all.end() || entry->key.kind != *kind) return false;
    if (state.names.text(entry->value.name) != name || entry->value.attempts != attempts) {
      return false;
    }
    ++entry;
  }
  return entry == all.end() || entry->key.kind != *kind;
}

const ImplementationStatus* find(const State& state, std::string_view kind,
                                 std::string_view implementation) {
  const auto of = state.names.find(kind);
  const auto name = state.names.find(implementation);
  return of && name ? state.implementations.find(*of, *name) : nullptr;
}

}  // namespace

Result<void> check(const std::vector<Implementation>& implementations) {
  const auto count = implementations.size();
  if (count == 0 || count > limits::implementations_max) {
    return fail(ErrorCode::invalid, "a kind has 1 to " +
                                        std::to_string(limits::implementations_max) +
                                        " implementations, not " + std::to_string(count));
  }
  std::set<std::string_view> names;
  for (const Implementation& one : implementations) {
    if (one.name.empty() || one.name.size() > limits::name_bytes_max) {
      return fail(ErrorCode::invalid, "the name of an implementation has 1 to " +
                                          std::to_string(limits::name_bytes_max) + " bytes");
    }
    if (!names.insert(one.name).second) {
      return fail(ErrorCode::invalid, "there are two implementations " + one.name,
                  "give each a name of its own");
    }
    if (!one.handler) {
      return fail(ErrorCode::invalid, "implementation " + one.name + " has no handler");
    }
    if (one.attempts == 0 || one.attempts > limits::attempts_max) {
      return fail(ErrorCode::invalid, "implementation " + one.name + " takes 1 to " +
                                          std::to_string(limits::attempts_max) + " attempts");
    }
    if (one.probe_interval < limits::probe_interval_min ||
        one.probe_interval > limits::duration_max) {
      return fail(ErrorCode::invalid,
                  "implementation " + one.name + " is to be probed too often or never",
                  "say an interval from 10 ms to 100 years");
    }
  }
  return {};
}

Result<Decision> decide_one(const State& state, const SetImplementations& command,
                            const DecideContext& context) {
  Decision decision;
  if (!is_known(state, command)) {
    const auto list = context.memory.array<RankedImplementation>(command.implementations.size());
    std::ranges::transform(command.implementations, list.begin(), [](const auto& one) {
      return RankedImplementation{one.name, one.attempts};
    });
    decision.events.push_back(
        {.at = context.now,
         .body = ImplementationsSet{command.kind, ImplementationListView(list), command.versions}});
  }
  // Without a probe nobody would find out that it can be used again.
  for (const auto& one : command.implementations) {
    const auto* known = find(state, command.kind, one.name);
    if (one.has_probe || known == nullptr || !known->left) continue;
    decision.events.push_back(
        {.at = context.now, .body = ImplementationReturned{command.kind, one.name}});
  }
  return decision;
}

Result<Decision> decide_one(const State& state, const ReportProbe& command,
                            const DecideContext& context) {
  const auto* known = find(state, command.kind, command.implementation);
  if (known == nullptr || command.is_usable == !known->left) return Decision{};
  Decision decision;
  EventBody body = ImplementationReturned{command.kind, command.implementation};
  if (!command.is_usable) {
    body = ImplementationLeft{command.kind, command.implementation, command.reason};
  }
  decision.events.push_back({.at = context.now, .body = body});
  return decision;
}

std::string_view implementation_for(const State& state, const Task& task, Arena& memory) {
  if (state.implementations.all.empty()) return {};
  const auto first = state.implementations.usable(task.kind);
  return first ? memory.text(state.names.text(*first)) : std::string_view();
}

std::optional<TaskFailedOver> fail_over(const State& state, TaskId id, const AttemptEnd& end,
                                        const DecideContext& context) {
  const NameId* used = state.tasks.run_by.find(id);
  if (used == nullptr) return std::nullopt;
  const Task& task = *state.tasks.all.find(id);
  const auto* status = state.implementations.find(task.kind, *used);
  const auto failures = task.failures + 1;
  const bool is_retried = !end.permanent && status != nullptr && failures < status->attempts &&
                          failures < task.attempts_max;
  const auto next = state.implementations.usable(task.kind, *used);
  const auto version = terms_of(state.tasks, id).version;
  const bool is_taken = state.implementations.versions_of(task.kind).takes(version);
  // One that went with its GPU has to be loaded again first.
  const auto models = models_of(state, lane_of(state.tasks, id, task));
  const bool has_models = std::ranges::all_of(
      models, [&](NameId model) { return state.models.all.find(model)->is_loaded(); });
  if (is_retried || !next || !is_taken || !has_models) return std::nullopt;
  return TaskFailedOver{
      .id = id,
      .lease = task.lease,
      .deadline = task.timeout > Duration(0) ? context.now + task.timeout : Time(),
      .from = context.memory.text(state.names.text(*used)),
      .to = context.memory.text(state.names.text(*next)),
      .end = end};
}

}  // namespace almanac
