#include <almanac/tools/circuit_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// By name: those that had a request or moved, and those with a setting of their own.
std::map<std::string, NameId> services_of(const State& state) {
  std::map<std::string, NameId> services;
  const auto add = [&](NameId id) { services.emplace(state.names.text(id), id); };
  for (const auto& [id, circuit] : state.circuits.all) add(id);
  for (const auto& [id, setting] : state.circuits.settings) add(id);
  return services;
}

std::string rate_text(std::uint32_t permille) {
  return fmt::format("{}.{}%", permille / 10, permille % 10);
}

std::string until_text(const Circuit& circuit) {
  return circuit.until == Time() ? "-" : format_time(circuit.until).substr(0, 19) + "Z";
}

void print_json(const State& state, NameId service) {
  fmt::print("{}\n",
             printable_json(circuit_json(state, service)
                                .dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

// Why it is as it is; nothing where that part of the log has been removed.
std::string opening_cause(const Log& log, const Circuit& circuit) {
  std::string text;
  const auto reason_of = [](std::string_view reason) {
    return reason.empty() ? std::string() : ": " + printable(reason);
  };
  if (!circuit.changed) return text;
  (void)log.read_one(circuit.changed, [&](const Event& event) {
    if (const auto* opened = std::get_if<CircuitOpened>(&event.body)) {
      text = fmt::format("{} ({} of {} requests in the window, {} in a row){}", name(opened->cause),
                         opened->failures, opened->requests, opened->consecutive_failures,
                         reason_of(opened->reason));
    } else if (const auto* closed = std::get_if<CircuitClosed>(&event.body)) {
      text = std::string(name(closed->cause)) + reason_of(closed->reason);
    } else {
      text = name(CircuitCause::cooled_down);
    }
  });
  return text;
}

void print(const Source& source, std::string_view service, NameId id) {
  const State& state = source.state;
  const Circuit circuit = circuit_of(state.circuits, id);
  const CircuitSetting setting = setting_or_default(state.circuits, state.names, service);
  fmt::print("{}  {}\n", printable(service), name(circuit.state));
  if (circuit.changed) {
    fmt::print("  since       {}\n", format_time(circuit.since));
    fmt::print("  because     {}\n", opening_cause(*source.log, circuit));
  }
  if (circuit.until != Time()) fmt::print("  until       {}\n", format_time(circuit.until));
  if (circuit.state == CircuitState::half_open) {
    fmt::print("  probes      {} of {} succeeded, {} out\n", circuit.probes_succeeded,
               circuit.probes, probes_out(state.circuits, id));
  }
  fmt::print("  requests    {} succeeded, {} failed, {} on average\n", circuit.successes,
             circuit.failures, format_duration(circuit.average()));
  fmt::print("  trips       {}\n", circuit.trips);
  fmt::print("  waiting     {}\n", counted(tasks_waiting_for(state, id), "task"));
  fmt::print("  opens at    {} of {} or more within {}", rate_text(setting.failure_permille),
             counted(setting.requests_min, "request"), format_duration(setting.window));
  if (setting.consecutive_failures > 0) {
    fmt::print(", or {} in a row", counted(setting.consecutive_failures, "failure"));
  }
  fmt::print("\n  cools down  {}, up to {}; then {}\n", format_duration(setting.cooldown),
             format_duration(setting.cooldown_max), counted(setting.probes, "probe"));
}

}  // namespace

ExitCode circuit_list(const CircuitListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  const auto services = services_of(state);
  Table table({"SERVICE", "STATE", "UNTIL", "SUCCEEDED", "FAILED", "AVERAGE", "TRIPS", "WAITING"});
  for (const auto& [service, id] : services) {
    if (command.json) {
      print_json(state, id);
      continue;
    }
    const Circuit circuit = circuit_of(state.circuits, id);
    table.add({printable(service), std::string(name(circuit.state)), until_text(circuit),
               std::to_string(circuit.successes), std::to_string(circuit.failures),
               format_duration(circuit.average()), std::to_string(circuit.trips),
               std::to_string(tasks_waiting_for(state, id))});
  }
  if (command.json) return ExitCode::ok;
  if (services.empty()) {
    fmt::print("no circuits\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

ExitCode circuit_show(const CircuitShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto services = services_of(source->state);
  const auto found = services.find(command.service);
  if (found == services.end()) {
    return report({ErrorCode::not_found,
                   "nothing is known of a service '" + printable(command.service) + "'",
                   "`almanac circuit list` shows those there are"});
  }
  if (command.json) {
    print_json(source->state, found->second);
  } else {
    print(*source, found->first, found->second);
  }
  return ExitCode::ok;
}

}  // namespace almanac
