// What must happen outside once events are durable. Computed when they are decided, carried out
// when they are published.
#pragma once

#include <almanac/engine/circuit_gate.h>
#include <almanac/engine/component_spec.h>
#include <almanac/engine/handler.h>
#include <almanac/log/event.h>
#include <almanac/projections/state.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace almanac {

struct BeginAttempt {
  TaskId id;
  Lease lease;
  std::uint32_t attempt = 0;
  Time deadline;               // not set = none
  Position enqueued;           // the event that holds kind and payload
  std::string implementation;  // of several; empty = its kind has one handler
  std::vector<AttemptModel> models = {};
};

struct CancelAttempt {
  Lease lease;
};

struct BeginBackup {
  std::string job;
  BackupAction action = BackupAction::snapshot;
  Time due;
  bool is_first = false;  // none of this job has succeeded in this repository
};

// What programs see of a circuit.
struct ShowCircuit {
  std::string service;  // empty = of all
  std::optional<CircuitMove> move;
};

struct BeginRepair {
  std::string component;
  std::string implementation;
  Position repair;
  ComponentIssue issue = ComponentIssue::none;
  RepairStrategy strategy = RepairStrategy::build;
  Duration timeout{0};
};

// An implementation is to be looked at, again or at once.
struct CheckComponent {
  std::string component;
  std::string implementation;
  Time at;
};

using Effect = std::variant<BeginAttempt, CancelAttempt, BeginBackup, ShowCircuit, BeginRepair,
                            CheckComponent, ComponentSwitch>;

// The effects of one event; `after` is the state with it folded in.
void add_effects(const State& after, const RecordedEvent& event, std::vector<Effect>& effects);

}  // namespace almanac
