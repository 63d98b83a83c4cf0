#include <almanac/tools/command_request.h>
#include <almanac/tools/component_commands.h>
#include <almanac/tools/component_file.h>
#include <almanac/tools/healing.h>
#include <almanac/tools/running_daemon.h>
#include <almanac/tools/text.h>

#include <almanac/engine/component_probe.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine.h>
#include <almanac/engine/limits.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace almanac {
namespace {

// Which of those that the command names are there; nothing named is all.
std::vector<HealChoice> chosen(const std::vector<ComponentSpec>& components,
                               const HealCommand& command) {
  std::vector<HealChoice> choices;
  for (const ComponentSpec& component : components) {
    if (!command.component.empty() && component.name != command.component) continue;
    for (const ComponentImplementation& one : component.implementations) {
      if (!command.implementation.empty() && one.name != command.implementation) continue;
      choices.push_back({component.name, one.name});
    }
  }
  return choices;
}

void print_repair(const State& state, const RepairEnded& ended) {
  const Repair& repair = *state.components.repairs.find(ended.repair);
  fmt::print("{} {}: {}: {} {}{}\n", printable(ended.component), printable(ended.implementation),
             name(repair.issue), name(repair.strategy), name(ended.outcome),
             ended.left == ComponentIssue::none
                 ? std::string()
                 : fmt::format("; {}: {}", name(ended.left), printable(ended.message)));
}

ExitCode print_result(const State& state) {
  bool all_used = true;
  for (const auto& [id, component] : state.components.all) {
    if (!component.kept) continue;
    const auto used = component.active ? printable(state.names.text(*component.active)) : "nothing";
    fmt::print("{} is used by {}\n", printable(state.names.text(id)), used);
    all_used = all_used && component.active;
  }
  return all_used ? ExitCode::ok : ExitCode::work_failed;
}

// What a daemon does about those that it keeps, as its own file describes them.
ExitCode let_daemon_heal(const RunningDaemon& daemon, HealRequest request) {
  while (true) {
    auto json = daemon.ask({"POST", "/v1/heal", heal_request_json(request)});
    if (!json) return report(json.error());
    auto answer = heal_answer_in(*json);
    if (!answer) return report(answer.error());
    for (const HealedRepair& repair : answer->repairs) {
      fmt::print("{} {}: {}: {} {}{}\n", printable(repair.component),
                 printable(repair.implementation), printable(repair.issue),
                 printable(repair.strategy), printable(repair.outcome),
                 repair.left.empty()
                     ? std::string()
                     : fmt::format("; {}: {}", printable(repair.left), printable(repair.message)));
    }
    if (!answer->settled) {
      if (answer->acted) request.act = HealAct::wait;
      request.behind = answer->through;
      continue;
    }
    bool all_used = true;
    for (const HealUse& use : answer->used) {
      fmt::print("{} is used by {}\n", printable(use.component),
                 use.implementation.empty() ? "nothing" : printable(use.implementation));
      all_used = all_used && !use.implementation.empty();
    }
    return all_used ? ExitCode::ok : ExitCode::work_failed;
  }
}

// Lets an engine look at all that the file describes and repair it, then does what is asked for,
// and waits until that is done as well. Where a daemon holds the log, it does.
ExitCode let_heal(const HealCommand& command, HealAct act) {
  auto components = load_components(command.components);
  if (!components) return report(components.error());
  const auto choices = chosen(*components, command);
  if (choices.empty()) {
    return report({ErrorCode::not_found, "the file describes nothing of that name",
                   "name a component, and one of its implementations, as the file does"});
  }
  const HealRequest request{
      .act = act, .component = command.component, .implementation = command.implementation};
  set_verbosity(Verbosity::warnings);
  EngineOptions options{.folder = command.folder,
                        .runs_commands = false,
                        .handle_signals = true,
                        .retention = TaskRetention::keep_all()};
  options.fires_schedules = false;
  options.components = std::move(*components);
  options.on_events = [](const State& state, std::span<const RecordedEvent> events) {
    for (const RecordedEvent& recorded : events) {
      const auto* ended = std::get_if<RepairEnded>(&recorded.event.body);
      if (ended != nullptr && state.components.repairs.contains(ended->repair)) {
        print_repair(state, *ended);
      }
    }
  };
  auto engine = Engine::open(std::move(options));
  if (!engine && engine.error().code == ErrorCode::conflict) {
    if (auto daemon = RunningDaemon::find(command.folder)) {
      return let_daemon_heal(*daemon, request);
    }
  }
  if (!engine) return report(engine.error());
  if (!(*engine)->wait(is_settled)) return ExitCode::work_failed;
  const auto done = act_on(**engine, request, choices);
  if (!done) return report(done.error());
  if (!(*engine)->wait(is_settled)) return ExitCode::work_failed;
  const auto settled = (*engine)->state();
  engine->reset();  // behind whose end no repair is printed any more
  return print_result(*settled);
}

struct Seen {
  const ComponentSpec& component;
  const ComponentImplementation& implementation;
  Diagnosis diagnosis;
};

void print_seen(const Seen& seen, bool is_json) {
  const auto strategies = strategies_for(seen.diagnosis.issue);
  std::optional<RepairStrategy> next;
  for (const RepairStrategy strategy : strategies) {
    if (!next && seen.implementation.allowed.contains(strategy)) next = strategy;
  }
  if (is_json) {
    const nlohmann::ordered_json json{
        {"component", seen.component.name},
        {"implementation", seen.implementation.name},
        {"issue_type", name(seen.diagnosis.issue)},
        {"details", seen.diagnosis.evidence},
        {"recommended_fix", next ? nlohmann::ordered_json(name(*next)) : nullptr},
        {"can_auto_fix", next.has_value()}};
    fmt::print("{}\n", printable_json(json.dump(-1, ' ', false,
                                                nlohmann::ordered_json::error_handler_t::replace)));
    return;
  }
  fmt::print("{} {}: {}", printable(seen.component.name), printable(seen.implementation.name),
             seen.diagnosis.issue == ComponentIssue::none ? "healthy" : name(seen.diagnosis.issue));
  if (seen.diagnosis.issue != ComponentIssue::none) {
    fmt::print(
        ": {}\n  {}", printable(seen.diagnosis.evidence),
        next ? fmt::format("{} would be tried", name(*next)) : "nothing that helps is allowed");
  }
  fmt::print("\n");
}

}  // namespace

ExitCode heal_diagnose(const HealDiagnoseCommand& command) {
  auto components = load_components(command.components);
  if (!components) return report(components.error());
  bool is_well = true;
  for (const ComponentSpec& component : *components) {
    for (const ComponentImplementation& one : component.implementations) {
      const Diagnosis diagnosis =
          diagnose(one, {.folder = component.folder,
                         .timeout = limits::probe_timeout,
                         .stop = {},
                         .environment = component_environment(component.folder)});
      is_well = is_well && diagnosis.issue == ComponentIssue::none;
      print_seen({component, one, diagnosis}, command.json);
    }
  }
  return is_well ? ExitCode::ok : ExitCode::work_failed;
}

ExitCode heal_check(const HealCommand& command) { return let_heal(command, HealAct::check); }

ExitCode heal_fix(const HealCommand& command) { return let_heal(command, HealAct::fix); }

ExitCode heal_clean_build(const HealCommand& command) {
  return let_heal(command, HealAct::clean_build);
}

ExitCode component_switch(const HealCommand& command) { return let_heal(command, HealAct::use); }

}  // namespace almanac
