#include <almanac/engine/effects.h>

#include <almanac/projections/gpu_memory.h>

namespace almanac {
namespace {

template <class Moved>
ShowCircuit show_move(const State& after, const Moved& event) {
  const Circuit circuit = circuit_of(after.circuits, *after.names.find(event.service));
  CircuitCause cause = CircuitCause::cooled_down;
  if constexpr (requires { event.cause; }) cause = event.cause;
  const std::string service(event.service);
  return {service, CircuitMove{service, circuit.state, cause, circuit.since, circuit.until}};
}

std::vector<AttemptModel> models_for(const State& after, TaskId id) {
  std::vector<AttemptModel> models;
  const DemandsId demands = after.tasks.demands_of(id);
  if (!demands || (after.models.all.empty() && after.tasks.on_gpu.empty())) return models;
  for (const LimitDemand& demand : after.tasks.demand_sets.of(demands)) {
    const Model* model = after.models.all.find(demand.limit);
    if (model == nullptr || !model->gpu) continue;
    models.push_back(
        {std::string(after.names.text(demand.limit)), std::string(after.names.text(*model->gpu))});
  }
  if (const GpuPlace* place = after.tasks.on_gpu.find(id)) {
    models.push_back({.name = {},
                      .gpu = std::string(after.names.text(place->gpu)),
                      .bytes = place->mebibytes * bytes_of_mebibyte});
  }
  return models;
}

std::optional<ShowCircuit> show_circuit(const State& after, const EventBody& body) {
  if (std::holds_alternative<CircuitConfigured>(body)) return ShowCircuit{};
  if (const auto* observed = std::get_if<CircuitObserved>(&body)) {
    return ShowCircuit{std::string(observed->service), {}};
  }
  if (const auto* opened = std::get_if<CircuitOpened>(&body)) return show_move(after, *opened);
  if (const auto* half = std::get_if<CircuitHalfOpened>(&body)) return show_move(after, *half);
  if (const auto* closed = std::get_if<CircuitClosed>(&body)) return show_move(after, *closed);
  return std::nullopt;
}

// Each implementation of a component that is kept from now on is looked at at once.
void add_checks(const RecordedEvent& recorded, std::vector<Effect>& effects) {
  const auto* described = std::get_if<ComponentDescribed>(&recorded.event.body);
  for (std::size_t i = 0; described != nullptr && i < described->implementations.size(); ++i) {
    effects.push_back(CheckComponent{std::string(described->component),
                                     std::string(described->implementations[i].name),
                                     recorded.event.at});
  }
}

// Of a component's event.
std::optional<Effect> component_effect(const State& after, const RecordedEvent& recorded) {
  const EventBody& body = recorded.event.body;
  if (const auto* started = std::get_if<RepairStarted>(&body)) {
    return BeginRepair{std::string(started->component),
                       std::string(started->implementation),
                       recorded.position,
                       started->issue,
                       started->strategy,
                       started->deadline - recorded.event.at};
  }
  if (const auto* diagnosed = std::get_if<ComponentDiagnosed>(&body)) {
    return CheckComponent{std::string(diagnosed->component), std::string(diagnosed->implementation),
                          diagnosed->next};
  }
  if (const auto* ended = std::get_if<RepairEnded>(&body)) {
    const Component& component = *after.components.all.find(*after.names.find(ended->component));
    return CheckComponent{std::string(ended->component), std::string(ended->implementation),
                          recorded.event.at + component.setting.check_interval};
  }
  if (const auto* failed = std::get_if<ComponentFailed>(&body)) {
    return CheckComponent{std::string(failed->component), std::string(failed->implementation),
                          recorded.event.at};
  }
  if (const auto* switched = std::get_if<ComponentSwitched>(&body)) {
    return ComponentSwitch{std::string(switched->component), std::string(switched->from),
                           std::string(switched->to), switched->cause};
  }
  return std::nullopt;
}

}  // namespace

void add_effects(const State& after, const RecordedEvent& recorded, std::vector<Effect>& effects) {
  const auto* started = std::get_if<TaskStarted>(&recorded.event.body);
  if (started != nullptr && started->worker.empty()) {
    const Task& task = *after.tasks.all.find(started->id);
    effects.push_back(BeginAttempt{started->id, task.lease, started->attempt, started->deadline,
                                   task.enqueued, std::string(started->implementation),
                                   models_for(after, started->id)});
  }
  if (const auto* over = std::get_if<TaskFailedOver>(&recorded.event.body)) {
    const Task& task = *after.tasks.all.find(over->id);
    effects.push_back(BeginAttempt{over->id, task.lease, task.attempts, over->deadline,
                                   task.enqueued, std::string(over->to),
                                   models_for(after, over->id)});
  }
  if (const auto* cancel = std::get_if<TaskCancelRequested>(&recorded.event.body)) {
    effects.push_back(CancelAttempt{after.tasks.all.find(cancel->id)->lease});
  }
  if (const auto* backup = std::get_if<BackupStarted>(&recorded.event.body)) {
    const BackupJob& job = *after.backups.jobs.find(*after.names.find(backup->job));
    effects.push_back(
        BeginBackup{std::string(backup->job), job.action, backup->due, !job.succeeded});
  }
  add_checks(recorded, effects);
  if (auto effect = component_effect(after, recorded)) effects.push_back(*std::move(effect));
  if (auto show = show_circuit(after, recorded.event.body)) effects.push_back(std::move(*show));
}

}  // namespace almanac
