#include <almanac/engine/circuits.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/resource_limits.h>
#include <almanac/engine/submission.h>
#include <almanac/projections/resource_limits.h>

#include <algorithm>
#include <string>

namespace almanac {
namespace {

Result<void> check_setting(const CircuitSetting& setting) {
  if (setting.requests_min == 0 || setting.failure_permille == 0 ||
      setting.failure_permille > 1'000) {
    return fail(ErrorCode::invalid, "a circuit opens at a failure rate of some requests",
                "say one over 0 and up to 1, of 1 request or more");
  }
  const Duration longest = std::max({setting.window, setting.cooldown, setting.cooldown_max});
  const Duration shortest = std::min({setting.window, setting.cooldown, setting.cooldown_max});
  if (shortest < limits::circuit_duration_min || longest > limits::circuit_duration_max) {
    return fail(ErrorCode::invalid, "a window or a cool-down of a circuit is out of its range",
                "say 10 ms to 366 days");
  }
  if (setting.cooldown > setting.cooldown_max) {
    return fail(ErrorCode::invalid, "a circuit cools down longer than it may",
                "raise the longest cool-down as well");
  }
  if (setting.probes > limits::circuit_probes_max) {
    return fail(ErrorCode::invalid,
                std::to_string(setting.probes) + " probes are over the limit of " +
                    std::to_string(limits::circuit_probes_max),
                "stay within the limit");
  }
  return {};
}

// Those that wait for the circuit, when they are more than may begin at once after it has closed.
std::uint64_t paced_starts(const State& state, NameId service) {
  std::uint64_t waiting = 0;
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    const bool needs_it =
        std::ranges::any_of(state.tasks.demand_sets.of(lane.demands),
                            [&](const LimitDemand& demand) { return demand.limit == service; });
    if (needs_it) waiting += places.size();
  }
  const LimitSetting pace =
      setting_of(state.limits, state.names, recovery_limit_of_circuit(state.names.text(service)));
  return pace.per_minute > 0 && waiting > pace.burst ? waiting : 0;
}

CircuitOpened opened(const State& state, NameId service, CircuitCause cause,
                     const DecideContext& context) {
  const Circuit circuit = circuit_of(state.circuits, service);
  const auto [successes, failures] = circuit.window.sum();
  CircuitOpened event{.service = context.memory.text(state.names.text(service)),
                      .cause = cause,
                      .requests = successes + failures,
                      .failures = failures,
                      .consecutive_failures = static_cast<std::uint32_t>(
                          std::min<std::uint64_t>(circuit.consecutive_failures, UINT32_MAX))};
  if (cause != CircuitCause::forced) {
    const auto setting = setting_or_default(state.circuits, state.names, event.service);
    event.until = context.now + next_cooldown(circuit, setting);
  }
  return event;
}

CircuitClosed closed(const State& state, NameId service, CircuitCause cause,
                     const DecideContext& context) {
  return {.service = context.memory.text(state.names.text(service)),
          .cause = cause,
          .paced = paced_starts(state, service)};
}

EventBody move_of(const State& state, NameId service, CircuitCause cause,
                  const DecideContext& context) {
  if (cause == CircuitCause::probes_succeeded) return closed(state, service, cause, context);
  if (cause != CircuitCause::cooled_down) return opened(state, service, cause, context);
  const std::string_view name = context.memory.text(state.names.text(service));
  return CircuitHalfOpened{name, setting_or_default(state.circuits, state.names, name).probes};
}

}  // namespace

Result<void> check_service(const std::string& service) {
  if (auto checked = check_name("service", service); !checked) return checked;
  if (!service.ends_with('*')) return {};
  return fail(ErrorCode::invalid, "'" + service + "' is no service: it sets others",
              "name one of them");
}

Result<Decision> decide_one(const State& state, const ConfigureCircuit& command,
                            const DecideContext& context) {
  const CircuitSetting& setting = command.setting;
  if (auto checked = check_set_name("service", command.service); !checked) {
    return std::unexpected(checked.error());
  }
  const bool is_set = setting.probes > 0;
  if (auto checked = is_set ? check_setting(setting) : Result<void>(); !checked) {
    return std::unexpected(checked.error());
  }
  const auto id = state.names.find(command.service);
  const CircuitSetting* before = id ? state.circuits.settings.find(*id) : nullptr;
  const bool is_known = before == nullptr ? !is_set : is_set && *before == setting;
  if (is_known) return Decision{};
  if (!is_set) return decision_of(context.now, CircuitConfigured{.service = command.service});
  return decision_of(context.now,
                     CircuitConfigured{.service = command.service,
                                       .requests_min = setting.requests_min,
                                       .failure_permille = setting.failure_permille,
                                       .consecutive_failures = setting.consecutive_failures,
                                       .window = setting.window,
                                       .cooldown = setting.cooldown,
                                       .cooldown_max = setting.cooldown_max,
                                       .probes = setting.probes});
}

Result<Decision> decide_one(const State& state, const ForceCircuit& command,
                            const DecideContext& context) {
  if (auto checked = check_service(command.service); !checked) {
    return std::unexpected(checked.error());
  }
  if (command.to == CircuitState::open || command.to == CircuitState::half_open) {
    return fail(ErrorCode::invalid,
                "a circuit cannot be forced to be " + std::string(name(command.to)),
                "force it open, closed, or reset it");
  }
  if (command.reason.size() > limits::message_bytes_max) {
    return fail(
        ErrorCode::invalid,
        "the reason is over the limit of " + std::to_string(limits::message_bytes_max) + " bytes",
        "shorten it");
  }
  const auto id = state.names.find(command.service);
  const CircuitState before = id ? circuit_of(state.circuits, *id).state : CircuitState::closed;
  if (before == command.to) return Decision{};
  if (command.to == CircuitState::forced_open) {
    CircuitOpened event{.service = command.service, .cause = CircuitCause::forced};
    if (id) event = opened(state, *id, CircuitCause::forced, context);
    event.reason = command.reason;
    return decision_of(context.now, event);
  }
  const bool is_reset = command.to == CircuitState::closed;
  return decision_of(context.now,
                     CircuitClosed{.service = command.service,
                                   .cause = is_reset ? CircuitCause::reset : CircuitCause::forced,
                                   .paced = id ? paced_starts(state, *id) : 0,
                                   .reason = command.reason});
}

Result<Decision> decide_one(const State&, const ObserveCircuit& command,
                            const DecideContext& context) {
  return decision_of(context.now, CircuitObserved{.service = command.service,
                                                  .successes = command.successes,
                                                  .failures = command.failures,
                                                  .trailing_failures = command.trailing_failures,
                                                  .took = command.took,
                                                  .probe = command.probe});
}

Result<Decision> decide_one(const State& state, const ProbeCircuit& command,
                            const DecideContext& context) {
  const auto id = state.names.find(command.service);
  const Circuit circuit = id ? circuit_of(state.circuits, *id) : Circuit();
  CircuitAdmission admission{.is_admitted = !id || admits(state.circuits, *id) > 0,
                             .state = circuit.state,
                             .until = circuit.until};
  if (!admission.is_admitted || circuit.state != CircuitState::half_open) {
    return Decision{{}, admission};
  }
  admission.probe = state.position.next();
  return decision_of(context.now, CircuitProbed{command.service}, admission);
}

std::vector<Event> decide_circuits(const State& state, const DecideContext& context) {
  std::vector<Event> events;
  for (const CircuitDue& due : state.circuits.due) {
    if (due.at > context.now || events.size() == limits::circuit_moves_per_turn) break;
    const auto move = due_move(state.circuits, state.names, due.service);
    events.push_back(
        {.at = context.now, .body = move_of(state, due.service, move->cause, context)});
  }
  return events;
}

std::optional<Time> next_circuit_move(const State& state) {
  const auto& due = state.circuits.due;
  return due.empty() ? std::nullopt : std::optional((*due.begin()).at);
}

}  // namespace almanac
