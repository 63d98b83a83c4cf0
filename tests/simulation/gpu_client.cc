#include <almanac/tests/simulation/gpu_client.h>

#include <almanac/projections/gpu_memory.h>

#include <algorithm>
#include <utility>

namespace almanac::test {

using namespace std::chrono_literals;

namespace {

struct SimulatedModel {
  const char* name;
  std::uint64_t gib;
};
constexpr SimulatedModel simulated_models[] = {{"tiny", 1}, {"small", 3}, {"large", 6}};

}  // namespace

GpuClient::GpuClient(SimulatedMachine& machine, Note note)
    : machine_(machine), note_(std::move(note)) {
  for (const auto& [name, gib] : simulated_models) models_.push_back(draw_model(name, gib));
}

// By commands, or by the program itself, which takes what it has loaded with it.
ModelSpec GpuClient::draw_model(const std::string& name, std::uint64_t gib) {
  Draw& draw = machine_.gpus.draw();
  ModelSpec model{.name = name, .bytes = gib * simulated_gib};
  if (draw.chance(60)) {
    model.commands.load = {"load"};
    model.commands.unload = {"unload"};
    if (draw.chance(50)) model.commands.check = {"check"};
  } else {
    model.on_load = model.on_unload = [](const ModelJob&) { return Result<void>(); };
  }
  if (draw.chance(15)) model.gpu = "card";
  if (name == "large" && draw.chance(80)) model.alternative = "small";
  model.priority = static_cast<std::int32_t>(draw.below(3)) - 1;
  model.is_pinned = draw.chance(10);
  model.residency = draw.between(0s, 1min);
  model.timeout = draw.between(5s, 2min);
  return model;
}

void GpuClient::register_all(SimulatedEngine& engine) {
  if (!machine_.gpus.any()) return;
  for (const ModelSpec& model : models_) {
    machine_.coverage.reach(Verb::register_model);
    engine.tell(RegisterModel{model}, note_);
  }
}

bool GpuClient::act(SimulatedEngine& engine) {
  if (!machine_.gpus.any() || engine.models() == nullptr) return false;
  Draw& draw = machine_.gpus.draw();
  if (machine_.faults.healed() || !draw.chance(30)) return false;
  const std::string& model = draw.one_of(models_).name;
  const auto drawn = draw.below(100);
  if (drawn < 55) {
    machine_.coverage.reach(Verb::use_model);
    const Duration timeout = draw.between(1s, 2min);
    engine.models()->use(model, timeout, draw.between(10ms, 1min));
  } else if (drawn < 80) {
    machine_.coverage.reach(Verb::unload_model);
    engine.models()->unload(model, draw.between(1s, 1min));
  } else {
    change(engine);
  }
  return true;
}

void GpuClient::change(SimulatedEngine& engine) {
  Draw& draw = machine_.gpus.draw();
  ModelSpec& model = draw.one_of(models_);
  if (draw.chance(50)) {
    model = draw_model(model.name, model.bytes / simulated_gib);
    machine_.coverage.reach(Verb::register_model);
    return engine.tell(RegisterModel{model}, note_);
  }
  machine_.coverage.reach(Verb::change_model);
  engine.tell(ChangeModel{model.name, draw.chance(30), static_cast<std::int32_t>(draw.below(3))},
              note_);
}

// A model that nobody has registered is refused, and so is memory of a GPU that is unknown.
void GpuClient::draw_demand(TaskSpec& spec) {
  if (!machine_.gpus.any()) return;
  Draw& draw = machine_.gpus.draw();
  if (!draw.chance(50)) return;
  const State& state = machine_.oracle.durable();
  if (draw.chance(60)) {
    const std::string& model = draw.one_of(models_).name;
    const auto id = state.names.find(model);
    const bool is_known = id && state.models.all.contains(*id);
    if (is_known || draw.chance(3)) spec.demands.push_back({model});
    return;
  }
  const auto sizes = machine_.gpus.sizes();
  const bool is_one = draw.chance(30);
  std::uint64_t most = 0;
  for (const auto& [gpu, size] : sizes) {
    if (is_one) spec.gpu_memory = GpuMemorySpec{.gpu = gpu};
    most = is_one ? size : std::max(most, size);
  }
  if (!is_one) spec.gpu_memory.emplace();
  const bool is_small = draw.chance(70);
  spec.gpu_memory->bytes = 1 + draw.below(is_small ? most / 3 : most);
}

// Who asked before a GPU was known may have asked for more than there is.
void GpuClient::cancel_vain(SimulatedEngine& engine) {
  const State& state = machine_.oracle.durable();
  for (const auto& [id, task] : state.tasks.all) {
    const auto& demands = state.tasks.demand_sets.of(lane_of(state.tasks, id, task).demands);
    const bool is_vain = std::ranges::any_of(demands, [&](const LimitDemand& demand) {
      return is_gpu_memory(state.names.text(demand.limit)) &&
             never_fits(state, demand.limit, demand.units);
    });
    if (!is_vain || has_ended(task.state)) continue;
    machine_.oracle.cancel_is_asked(id);
    engine.tell(CancelTask{id}, [this, cancelled = id](const Result<Answer>& answer) {
      note_(answer);
      if (answer) machine_.oracle.cancel_is_accepted(cancelled);
    });
  }
}

// A load that takes longer than it may fails for ever.
void GpuClient::give_time(SimulatedEngine& engine) {
  for (ModelSpec& model : models_) {
    if (model.timeout >= 2min) continue;
    model.timeout = 2min;
    engine.tell(RegisterModel{model}, note_);
  }
}

void GpuClient::let_all_go_on(SimulatedEngine& engine) {
  cancel_vain(engine);
  give_time(engine);
  const State& state = machine_.oracle.durable();
  for (const auto& [id, model] : state.models.all) {
    const std::string name(state.names.text(id));
    if (model.state == ModelState::absent) {
      for (const auto& [gpu, size] : machine_.gpus.sizes()) {
        require(!machine_.gpus.holds(gpu, name), "the model " + name + " is still in " + gpu);
      }
    }
    if (!model.setting.is_pinned && model.setting.priority == 0) continue;
    engine.tell(ChangeModel{name, false, 0}, note_);
  }
}

}  // namespace almanac::test
