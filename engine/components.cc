#include <almanac/engine/components.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/submission.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

// An implementation of a component, as far as the state knows it.
struct Known {
  NameId id;
  ComponentPlace place;
  const Component* component = nullptr;
  const ImplementationHealth* health = nullptr;
};

std::optional<Known> find_known(const State& state, std::string_view component,
                                std::string_view implementation) {
  const auto id = state.names.find(component);
  const auto name = state.names.find(implementation);
  const auto place = id && name ? state.components.find(*id, *name) : std::nullopt;
  if (!place) return std::nullopt;
  return Known{*id, *place, state.components.all.find(*id),
               state.components.implementations.find(*place)};
}

std::string_view text(const State& state, const std::optional<NameId>& name, Arena& memory) {
  return name ? memory.text(state.names.text(*name)) : std::string_view();
}

std::string_view shortened(std::string_view text) {
  return text.substr(0, limits::message_bytes_max);
}

// Failures at shrinking intervals are expected to go on, and so is a probe that got slow.
HealthTrend trend_of(const ImplementationHealth& health, Duration took, Time now) {
  const auto& [last, middle, first] = health.failed_at;
  if (first != Time() && last - middle < middle - first && now - last < middle - first) {
    return HealthTrend::failing_more;
  }
  const bool is_slow = health.took_average > Duration(0) && took > 2 * health.took_average &&
                       took > limits::slow_probe_min;
  return is_slow ? HealthTrend::slower : HealthTrend::steady;
}

Duration backoff(const ComponentSetting& setting, std::uint32_t attempts) {
  Duration wait = setting.backoff;
  for (std::uint32_t i = 1; i < attempts && wait < setting.backoff_max; ++i) wait *= 2;
  return std::min(wait, setting.backoff_max);
}

// When the next attempt begins after one that leaves an issue; not set = none does.
Time next_attempt(const State& state, const Known& known, const FinishRepair& end, Time now) {
  Repair repair = *state.components.repairs.find(end.repair);
  repair.outcome = end.outcome;
  ImplementationHealth after = *known.health;
  if (end.left != repair.issue) after.tried = 0;
  if (end.outcome == RepairOutcome::impossible) {
    after.tried |= 1U << static_cast<unsigned>(repair.strategy);
  }
  after.issue = end.left;
  const auto next = next_strategy(state.components, after);
  if (end.left == ComponentIssue::none || !next) return Time();
  if (!repair.is_attempt()) {
    const bool is_tried = (after.tried >> static_cast<unsigned>(*next) & 1U) != 0;
    return is_tried ? Time() : now;
  }
  const std::uint32_t most = known.component->setting.attempts_max;
  if (after.attempts_total >= most * limits::component_issues_in_row) return Time();
  const bool is_progress = end.outcome == RepairOutcome::done && end.left != repair.issue;
  if (is_progress) return now;
  return after.attempts >= most ? Time() : now + backoff(known.component->setting, after.attempts);
}

Result<Known> find_kept(const State& state, const std::string& component,
                        const std::string& implementation) {
  const auto known = find_known(state, component, implementation);
  if (!known) {
    return fail(
        ErrorCode::not_found,
        "there is no implementation '" + implementation + "' of a component '" + component + "'",
        "see `almanac component list`");
  }
  if (known->component->kept) return *known;
  return fail(ErrorCode::conflict, "no engine keeps the component '" + component + "'",
              "say where it is described, with --components FILE");
}

RepairEnded end_of(const State& state, const Known& known, const FinishRepair& end, Time now) {
  return {.component = end.component,
          .implementation = end.implementation,
          .repair = end.repair,
          .outcome = end.outcome,
          .left = end.left,
          .took = end.took,
          .message = shortened(end.message),
          .next = next_attempt(state, known, end, now)};
}

}  // namespace

std::vector<Event> decide_components(const State& state, const StartEngine& command,
                                     const DecideContext& context) {
  std::vector<Event> events;
  if (const auto running = state.components.running()) {
    const Repair& repair = *state.components.repairs.find(*running);
    FinishRepair end{.component = std::string(state.names.text(repair.component)),
                     .implementation = std::string(state.names.text(repair.implementation)),
                     .repair = *running,
                     .outcome = RepairOutcome::failed,
                     .left = repair.issue};
    if (end.left == ComponentIssue::none) end.left = ComponentIssue::unexplained;
    const auto known = find_known(state, end.component, end.implementation);
    RepairEnded ended = end_of(state, *known, end, context.now);
    ended.component = context.memory.text(end.component);
    ended.implementation = context.memory.text(end.implementation);
    ended.message = "the engine died before it had ended";
    events.push_back({.at = context.now, .body = ended});
  }
  for (const ComponentSpec& spec : command.components) {
    const auto list = context.memory.array<DescribedImplementation>(spec.implementations.size());
    std::ranges::transform(spec.implementations, list.begin(), [](const auto& one) {
      return DescribedImplementation{one.name, traits_of(one)};
    });
    events.push_back(
        {.at = context.now,
         .body = ComponentDescribed{.component = spec.name,
                                    .folder = context.memory.text(spec.folder.string()),
                                    .implementations = DescribedImplementationsView(list),
                                    .attempts_max = spec.setting.attempts_max,
                                    .backoff = spec.setting.backoff,
                                    .backoff_max = spec.setting.backoff_max,
                                    .build_timeout = spec.setting.build_timeout,
                                    .check_interval = spec.setting.check_interval}});
  }
  return events;
}

Result<Decision> decide_one(const State& state, const ReportDiagnosis& command,
                            const DecideContext& context) {
  const auto known = find_known(state, command.component, command.implementation);
  if (!known || !known->component->kept || known->health->state == ImplementationState::repairing) {
    return Decision{};
  }
  const HealthTrend trend = trend_of(*known->health, command.took, context.now);
  Duration wait = known->component->setting.check_interval;
  if (trend != HealthTrend::steady) wait = std::max(wait / 4, limits::component_duration_min);
  return decision_of(context.now, ComponentDiagnosed{.component = command.component,
                                                     .implementation = command.implementation,
                                                     .issue = command.issue,
                                                     .evidence = shortened(command.evidence),
                                                     .version = shortened(command.version),
                                                     .took = command.took,
                                                     .trend = trend,
                                                     .next = context.now + wait});
}

// What is known to be broken is not found out twice.
Result<Decision> decide_one(const State& state, const ReportComponentFailure& command,
                            const DecideContext& context) {
  const auto known = find_known(state, command.component, command.implementation);
  if (!known || !known->component->kept ||
      !next_state(known->health->state, ImplementationStep::failed_in_use)) {
    return Decision{};
  }
  return decision_of(context.now, ComponentFailed{command.component, command.implementation,
                                                  shortened(command.reason)});
}

Result<Decision> decide_one(const State& state, const FinishRepair& command,
                            const DecideContext& context) {
  const auto known = find_known(state, command.component, command.implementation);
  if (!known || state.components.running() != command.repair) {
    return fail(ErrorCode::conflict, "the component '" + command.component + "' is not repaired");
  }
  return decision_of(context.now, end_of(state, *known, command, context.now));
}

Result<Decision> decide_one(const State& state, const RequestRepair& command,
                            const DecideContext& context) {
  const auto known = find_kept(state, command.component, command.implementation);
  if (!known) return std::unexpected(known.error());
  const ImplementationHealth& health = *known->health;
  const std::string which = "'" + command.implementation + "' of '" + command.component + "'";
  if (health.state == ImplementationState::repairing) {
    return fail(ErrorCode::conflict, which + " is being repaired", "wait for its end");
  }
  if (command.strategy && !health.traits.allows(*command.strategy)) {
    return fail(ErrorCode::refused,
                "the file of " + which + " does not allow " + std::string(name(*command.strategy)),
                "allow it there");
  }
  if (!command.strategy && health.issue == ComponentIssue::none) {
    return fail(ErrorCode::conflict, "nothing is known to be wrong with " + which,
                "see `almanac heal check`");
  }
  if (!command.strategy && !next_strategy(state.components, health)) {
    return fail(ErrorCode::refused,
                "the file of " + which + " allows nothing that helps against " +
                    std::string(name(health.issue)),
                "allow it there");
  }
  return decision_of(context.now,
                     RepairRequested{command.component, command.implementation, command.strategy});
}

Result<Decision> decide_one(const State& state, const SwitchComponent& command,
                            const DecideContext& context) {
  const auto id = state.names.find(command.component);
  const Component* component = id ? state.components.all.find(*id) : nullptr;
  if (component == nullptr || !component->kept) {
    return fail(ErrorCode::not_found, "no engine keeps a component '" + command.component + "'",
                "see `almanac component list`");
  }
  ComponentSwitched event{.component = command.component,
                          .from = text(state, component->active, context.memory),
                          .to = command.implementation,
                          .cause = SwitchCause::forced};
  if (command.implementation.empty()) {
    if (!component->pinned) return Decision{};
    Components released = state.components;
    released.all.edit(*id)->pinned.reset();
    event.to = text(state, released.best(*id), context.memory);
    event.cause = SwitchCause::released;
    return decision_of(context.now, event);
  }
  const auto known = find_kept(state, command.component, command.implementation);
  if (!known) return std::unexpected(known.error());
  if (known->health->state != ImplementationState::healthy) {
    return fail(ErrorCode::conflict,
                "'" + command.implementation + "' of '" + command.component +
                    "' cannot be used: it is " + std::string(name(known->health->state)),
                "repair it with `almanac heal fix`");
  }
  const bool is_so =
      component->pinned == known->health->name && component->active == known->health->name;
  return is_so ? Decision{} : decision_of(context.now, event);
}

std::vector<Event> decide_repair(const State& state, const DecideContext& context) {
  const Components& components = state.components;
  if (components.due.empty() || components.running()) return {};
  const auto [at, place] = *components.due.begin();
  if (at > context.now) return {};
  const ImplementationHealth& health = *components.implementations.find(place);
  const auto strategy = health.requested > 0
                            ? std::optional(static_cast<RepairStrategy>(health.requested - 1))
                            : next_strategy(components, health);
  ALMANAC_CHECK(strategy);  // none is due without one
  const ComponentSetting& setting = components.all.find(place.component)->setting;
  return {{.at = context.now,
           .body = RepairStarted{.component = text(state, place.component, context.memory),
                                 .implementation = text(state, health.name, context.memory),
                                 .issue = health.issue,
                                 .strategy = *strategy,
                                 .attempt = static_cast<std::uint16_t>(health.attempts + 1),
                                 .deadline = context.now + setting.build_timeout}}};
}

std::vector<Event> decide_switches(const State& state, const DecideContext& context) {
  std::vector<Event> events;
  for (const NameId id : state.components.unsettled) {
    const Component& component = *state.components.all.find(id);
    const auto best = state.components.best(id);
    const auto place =
        component.active ? state.components.find(id, *component.active) : std::nullopt;
    const bool can_be_used = place && state.components.implementations.find(*place)->state ==
                                          ImplementationState::healthy;
    const bool is_fallback = component.active && !can_be_used;
    events.push_back({.at = context.now,
                      .body = ComponentSwitched{
                          .component = text(state, id, context.memory),
                          .from = text(state, component.active, context.memory),
                          .to = text(state, best, context.memory),
                          .cause = is_fallback ? SwitchCause::fallback : SwitchCause::preferred}});
  }
  return events;
}

std::optional<Time> next_component_move(const State& state) {
  const Components& components = state.components;
  if (!components.unsettled.empty()) return state.time;
  if (components.due.empty() || components.running()) return std::nullopt;
  return (*components.due.begin()).at;
}

}  // namespace almanac
