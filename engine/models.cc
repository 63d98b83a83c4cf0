#include <almanac/engine/models.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/model_turns.h>
#include <almanac/projections/lane_claims.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

namespace almanac {
namespace {

const Model* known_model(const State& state, std::string_view model) {
  const auto id = state.names.find(model);
  return id ? state.models.all.find(*id) : nullptr;
}

std::unexpected<Error> no_model(const std::string& model) {
  return fail(ErrorCode::not_found, "there is no model '" + model + "'",
              "`almanac model list` shows those there are");
}

// On record already, but for what nobody has asked for since.
bool is_registered(const State& state, const Model& known, const ModelRegistered& event) {
  const auto text = [&](const std::optional<NameId>& id) {
    return id ? state.names.text(*id) : std::string_view();
  };
  const ModelSetting& setting = known.setting;
  return setting.bytes == event.bytes && text(setting.gpu) == event.gpu &&
         text(setting.alternative) == event.alternative && setting.priority == event.priority &&
         setting.is_pinned == event.pinned && setting.residency == event.residency &&
         setting.timeout == event.timeout && setting.commands.view() == event.commands;
}

bool has_gpu(const State& state, std::string_view gpu) {
  const auto id = state.names.find(gpu);
  const GpuDevice* device = id ? state.gpu.devices.find(*id) : nullptr;
  return device != nullptr && device->presence == GpuPresence::present;
}

// Tasks that have begun since somebody looked have their memory first.
bool leaves_room(const State& state, const ModelStep& step, Time now) {
  if (state.tasks.on_gpu.empty()) return true;
  return can_load(room_of(state, now), *state.names.find(step.gpu), step.bytes);
}

Time next_try(const Model& model, Time now) {
  Duration wait = limits::model_backoff;
  for (std::uint32_t i = 0; i < model.failures_in_row && wait < limits::model_backoff_max; ++i) {
    wait *= 2;
  }
  return now + std::min(wait, limits::model_backoff_max);
}

std::string_view shown(const std::string& message) {
  return std::string_view(message).substr(0, limits::message_bytes_max);
}

// The states from which a step leads.
bool may_step(const Model& model, ModelStep::Kind kind) {
  using Kind = ModelStep::Kind;
  const auto is = [&](std::initializer_list<ModelState> states) {
    return std::ranges::find(states, model.state) != states.end();
  };
  switch (kind) {
    case Kind::load: return is({ModelState::absent});
    case Kind::loaded:
    case Kind::load_failed: return is({ModelState::loading});
    case Kind::measured: return is({ModelState::settling});
    case Kind::unload: return is({ModelState::resident, ModelState::unknown});
    case Kind::unloaded:
    case Kind::unload_failed: return is({ModelState::unloading});
    case Kind::released: return is({ModelState::releasing});
    case Kind::lost: return !is({ModelState::absent, ModelState::loading});
    case Kind::checked: return is({ModelState::unknown});
    case Kind::used:
    case Kind::degraded: return true;
  }
  return false;
}

EventBody event_of(const State& state, const Model& model, const ReportModel& command, Time now) {
  using Kind = ModelStep::Kind;
  const ModelStep& step = command.step;
  const std::string& name = command.model;
  switch (step.kind) {
    case Kind::load:
      return ModelLoadStarted{name, step.gpu, step.bytes, now + model.setting.timeout};
    case Kind::loaded:
      if (!has_gpu(state, state.names.text(*model.gpu))) {
        return ModelLoadFailed{name, "its GPU went while it was loaded", next_try(model, now)};
      }
      return ModelLoaded{name, step.took};
    case Kind::load_failed: return ModelLoadFailed{name, shown(step.message), next_try(model, now)};
    case Kind::measured: return ModelMeasured{name, step.bytes};
    case Kind::unload: return ModelUnloadStarted{name, step.cause, step.other};
    case Kind::unloaded: return ModelUnloaded{name, step.took};
    case Kind::unload_failed:
      return ModelUnloadFailed{name, shown(step.message), next_try(model, now)};
    case Kind::released: return ModelReleased{name, step.bytes, step.is};
    case Kind::lost: return ModelLost{name, shown(step.message)};
    case Kind::checked: return ModelChecked{name, step.is, shown(step.message)};
    case Kind::used: return ModelUsed{name, step.times, step.last};
    case Kind::degraded: break;
  }
  return ModelDegraded{name, step.other, step.times, shown(step.message)};
}

// By a task that has not ended. O(tasks that ask for something).
bool is_named(const State& state, NameId model) {
  return std::ranges::any_of(state.tasks.demands, [&](const auto& entry) {
    if (has_ended(state.tasks.all.find(entry.key)->state)) return false;
    const auto demands = state.tasks.demand_sets.of(entry.value);
    return std::ranges::any_of(demands,
                               [&](const LimitDemand& demand) { return demand.limit == model; });
  });
}

}  // namespace

Result<Decision> decide_one(const State& state, const RegisterModel& command,
                            const DecideContext& context) {
  const ModelSpec& spec = command.model;
  if (auto checked = check(spec); !checked) return std::unexpected(checked.error());
  const ModelRegistered event{.model = spec.name,
                              .bytes = spec.bytes,
                              .gpu = spec.gpu,
                              .alternative = spec.alternative,
                              .priority = spec.priority,
                              .pinned = spec.is_pinned,
                              .residency = spec.residency,
                              .timeout = spec.timeout,
                              .commands = context.memory.text(commands_json(spec.commands))};
  const Model* known = known_model(state, spec.name);
  if (known != nullptr && is_registered(state, *known, event)) return Decision{};
  return decision_of(context.now, event);
}

Result<Decision> decide_one(const State& state, const ChangeModel& command,
                            const DecideContext& context) {
  const Model* known = known_model(state, command.model);
  if (known == nullptr) return no_model(command.model);
  const bool is_pinned = command.is_pinned.value_or(known->setting.is_pinned);
  const std::int32_t priority = command.priority.value_or(known->setting.priority);
  if (is_pinned == known->setting.is_pinned && priority == known->setting.priority) {
    return Decision{};
  }
  return decision_of(context.now, ModelChanged{command.model, is_pinned, priority});
}

Result<Decision> decide_one(const State& state, const RemoveModel& command,
                            const DecideContext& context) {
  const Model* known = known_model(state, command.model);
  if (known == nullptr) return no_model(command.model);
  if (known->state != ModelState::absent) {
    return fail(ErrorCode::conflict,
                "the model '" + command.model + "' is " + std::string(name(known->state)),
                "unload it first");
  }
  const NameId id = *state.names.find(command.model);
  if (is_named(state, id)) {
    return fail(ErrorCode::conflict, "tasks wait for the model '" + command.model + "', or use it",
                "cancel them first");
  }
  return decision_of(context.now, ModelRemoved{command.model});
}

Result<Decision> decide_one(const State& state, const ReportModel& command,
                            const DecideContext& context) {
  const Model* known = known_model(state, command.model);
  if (known == nullptr) return no_model(command.model);
  if (!may_step(*known, command.step.kind)) {
    return fail(ErrorCode::conflict,
                "the model '" + command.model + "' is " + std::string(name(known->state)));
  }
  // What tasks use stays where it is: decided of the same state as their beginnings are.
  if (command.step.kind == ModelStep::Kind::unload) {
    if (const auto tasks = tasks_with(state, *state.names.find(command.model)); tasks > 0) {
      return fail(ErrorCode::conflict, "the model '" + command.model + "' is used by " +
                                           std::to_string(tasks) +
                                           (tasks == 1 ? " task" : " tasks"));
    }
  }
  if (command.step.kind == ModelStep::Kind::load && !has_gpu(state, command.step.gpu)) {
    return fail(ErrorCode::conflict, "the GPU '" + command.step.gpu + "' is not there");
  }
  if (command.step.kind == ModelStep::Kind::load &&
      !leaves_room(state, command.step, context.now)) {
    return fail(ErrorCode::conflict, "a task has begun that has the memory of it");
  }
  return decision_of(context.now, event_of(state, *known, command, context.now));
}

}  // namespace almanac
