#include <almanac/engine/models.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/model_turns.h>
#include <almanac/projections/lane_claims.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

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

std::string_view text_of(const State& state, const std::optional<NameId>& name) {
  return name ? state.names.text(*name) : std::string_view();
}

// On record already, but for what nobody has asked for since.
bool is_registered(const State& state, const Model& known, const ModelRegistered& event) {
  const ModelSetting& setting = known.setting;
  return setting.bytes == event.bytes && text_of(state, setting.gpu) == event.gpu &&
         text_of(state, setting.alternative) == event.alternative &&
         setting.priority == event.priority && setting.is_pinned == event.pinned &&
         setting.residency == event.residency && setting.timeout == event.timeout &&
         setting.commands.view() == event.commands;
}

constexpr const char* next_way = "then";
constexpr const char* by_functions = "functions";

// What commands have loaded is unloaded by them, and an engine that starts asks them for it: they
// stay on record until it is gone, with the note that functions come next.
std::string commands_for(const Model* known, const ModelSpec& spec) {
  std::string commands = commands_json(spec.commands);
  const bool stay = commands.empty() && known != nullptr && known->state != ModelState::absent &&
                    !known->setting.commands.view().empty();
  if (!stay) return commands;
  auto noted = nlohmann::json::parse(known->setting.commands.view(), nullptr, false);
  if (!noted.is_object()) return commands;
  noted[next_way] = by_functions;
  return noted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool has_functions_next(const Model& model) {
  const std::string_view text = model.setting.commands.view();
  if (text.find(by_functions) == std::string_view::npos) return false;
  const auto noted = nlohmann::json::parse(text, nullptr, false);
  return noted.is_object() && noted.contains(next_way) && noted[next_way] == by_functions;
}

bool leaves_memory(const EventBody& body) {
  const auto* checked = std::get_if<ModelChecked>(&body);
  return std::holds_alternative<ModelLoadFailed>(body) ||
         std::holds_alternative<ModelReleased>(body) || std::holds_alternative<ModelLost>(body) ||
         (checked != nullptr && !checked->is_loaded);
}

// As it is, but loaded by functions.
ModelRegistered by_functions_now(const State& state, std::string_view name, const Model& model,
                                 Arena& memory) {
  const ModelSetting& setting = model.setting;
  return {.model = name,
          .bytes = setting.bytes,
          .gpu = memory.text(text_of(state, setting.gpu)),
          .alternative = memory.text(text_of(state, setting.alternative)),
          .priority = setting.priority,
          .pinned = setting.is_pinned,
          .residency = setting.residency,
          .timeout = setting.timeout,
          .commands = {}};
}

bool has_gpu(const State& state, std::string_view gpu) {
  const auto id = state.names.find(gpu);
  const GpuDevice* device = id ? state.gpu.devices.find(*id) : nullptr;
  return device != nullptr && device->presence == GpuPresence::present;
}

// Tasks that have begun since somebody looked have their memory first.
bool leaves_room(const State& state, const Model& model, const ModelStep& step, Time now) {
  if (state.tasks.on_gpu.empty()) return true;
  return can_load(room_of(state, now), *state.names.find(step.gpu), model.bytes());
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

// Why it has to stay: decided of the same state as the beginnings of tasks are, and what was
// planned a moment ago may be wrong by now. Empty = it may go.
std::string refusal_of_unload(const State& state, const ReportModel& command, const Model& model,
                              Time now) {
  using Cause = ModelUnloadCause;
  if (const auto tasks = tasks_with(state, *state.names.find(command.model)); tasks > 0) {
    return "is used by " + std::to_string(tasks) + (tasks == 1 ? " task" : " tasks");
  }
  const Cause cause = command.step.cause;
  if (cause != Cause::room && cause != Cause::critical) return {};
  if (model.setting.is_pinned) return "is pinned";
  if (cause == Cause::critical) return {};
  if (now - model.loaded_at < model.setting.residency) return "has not been there for long enough";
  if (command.step.other.empty()) return {};
  const Model* other = known_model(state, command.step.other);
  const std::int32_t priority = other == nullptr ? 0 : other->setting.priority;
  return model.setting.priority > priority ? "is of a higher priority" : std::string();
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
      return ModelLoadStarted{name, step.gpu, model.bytes(), now + model.setting.timeout};
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
  const Model* known = known_model(state, spec.name);
  const ModelRegistered event{.model = spec.name,
                              .bytes = spec.bytes,
                              .gpu = spec.gpu,
                              .alternative = spec.alternative,
                              .priority = spec.priority,
                              .pinned = spec.is_pinned,
                              .residency = spec.residency,
                              .timeout = spec.timeout,
                              .commands = context.memory.text(commands_for(known, spec))};
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
  if (command.step.kind == ModelStep::Kind::unload) {
    if (const auto why = refusal_of_unload(state, command, *known, context.now); !why.empty()) {
      return fail(ErrorCode::conflict, "the model '" + command.model + "' " + why);
    }
  }
  if (command.step.kind == ModelStep::Kind::load && !has_gpu(state, command.step.gpu)) {
    return fail(ErrorCode::conflict, "the GPU '" + command.step.gpu + "' is not there");
  }
  if (command.step.kind == ModelStep::Kind::load &&
      !leaves_room(state, *known, command.step, context.now)) {
    return fail(ErrorCode::conflict, "a task has begun that has the memory of it");
  }
  Decision decision = decision_of(context.now, event_of(state, *known, command, context.now));
  if (leaves_memory(decision.events.front().body) && has_functions_next(*known)) {
    decision.events.push_back(
        {.at = context.now,
         .body = by_functions_now(state, command.model, *known, context.memory)});
  }
  return decision;
}

}  // namespace almanac
