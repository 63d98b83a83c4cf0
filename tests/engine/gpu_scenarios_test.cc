// Whatever happens to GPUs while tasks and models want their memory: others press, loads fail, what
// is unloaded comes free late, devices are lost in the middle of it, and what was planned a moment
// ago is asked for when it is too late. Drawn, and the same from the same seed.
#include <almanac/projections/invariants.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/tests/support/gpu_desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Kind = ModelStep::Kind;

const std::vector<std::string> scenario_cards = {"card", "other"};
const std::vector<std::string> scenario_models = {"a", "b", "c"};

std::uint64_t drawn(std::uint64_t from, std::uint64_t to) {
  return *rc::gen::inRange<std::uint64_t>(from, to);
}

class GpuScenario {
 public:
  GpuScenario() : world_(scenario_cards, 6) {
    world_.add("a", 5);
    world_.add("b", 4);
    world_.add("c", 8);
  }

  void act(std::uint64_t which) {
    if (which == 0) world_.ask_for(drawn(1, 11));
    if (which == 1) world_.ask_for(drawn(1, 11), scenario_cards[drawn(0, 2)]);
    if (which <= 3)
      world_.desk.submit({.kind = "ask", .demands = {{scenario_models[drawn(0, 3)], 1}}});
    if (which == 4) end_one();
    if (which == 5) others_ = drawn(0, 10) * desk_gib;
    if (which == 6) lost_ = {scenario_cards[drawn(0, 2)]};
    if (which == 7) lost_.clear();
    if (which >= 5 && which <= 7) world_.look(others_, lost_);
    if (which == 8) move_on(drawn(0, 4) > 0);
    world_.desk.now += std::chrono::seconds(drawn(0, 20));
    turn();
  }

  // Nothing fails any more.
  void heal() {
    lost_.clear();
    world_.look();
    for (int i = 0; i < 3'000 && world_.desk.state().tasks.live() > 0; ++i) {
      world_.desk.now += 10s;
      move_on(true);
      turn();
      end_one();
    }
    RC_ASSERT(world_.desk.state().tasks.live() == 0U);
  }

 private:
  [[nodiscard]] const State& state() const { return world_.desk.state(); }
  [[nodiscard]] std::string text(NameId id) const { return std::string(state().names.text(id)); }
  [[nodiscard]] bool is_there(NameId gpu) const {
    return state().gpu.devices.find(gpu)->presence == GpuPresence::present;
  }

  // What was planned is asked for behind what has begun since.
  void turn() {
    lose_models();
    const ModelTurns planned = world_.turns();
    for (const TaskId id : world_.desk.start()) begin(id);
    for (const ModelTurn& one : planned.steps) {
      const std::string moved = text(one.evicts ? one.victim : one.model);
      if (one.evicts) {
        (void)world_.step(moved, {.kind = Kind::unload, .cause = ModelUnloadCause::room});
      } else {
        const std::uint64_t bytes = state().models.all.find(one.model)->bytes();
        (void)world_.step(moved, {.kind = Kind::load, .gpu = text(one.gpu), .bytes = bytes});
      }
    }
    check();
  }

  void begin(TaskId id) {
    running_.push_back(id);
    if (const GpuPlace* place = state().tasks.on_gpu.find(id)) RC_ASSERT(is_there(place->gpu));
    const Lane lane = lane_of(state().tasks, id, world_.desk.task(id));
    for (const NameId model : models_of(state(), lane)) {
      RC_ASSERT(is_usable(state(), *state().models.all.find(model)));
    }
  }

  // What the runner says once their GPU is gone.
  void lose_models() {
    for (const std::string& name : scenario_models) {
      const Model& model = *state().models.all.find(world_.id_of(name));
      if (!model.gpu || is_there(*model.gpu)) continue;
      const bool loads = model.state == ModelState::loading;
      RC_ASSERT(world_.step(name, {.kind = loads ? Kind::load_failed : Kind::lost}).has_value());
    }
  }

  // The next step of each model that is on its way.
  void move_on(bool succeeds) {
    for (const std::string& name : scenario_models) {
      const ModelState now = state().models.all.find(world_.id_of(name))->state;
      if (now == ModelState::loading) {
        (void)world_.step(name, {.kind = succeeds ? Kind::loaded : Kind::load_failed, .took = 1s});
      }
      if (now == ModelState::settling) (void)world_.step(name, {.kind = Kind::measured});
      if (now == ModelState::unloading) {
        (void)world_.step(name, {.kind = succeeds ? Kind::unloaded : Kind::unload_failed});
      }
      if (now == ModelState::releasing) {
        (void)world_.step(name, {.kind = Kind::released, .is = !succeeds});
      }
      if (now == ModelState::unknown)
        (void)world_.step(name, {.kind = Kind::checked, .is = succeeds});
    }
  }

  void end_one() {
    if (running_.empty()) return;
    const auto which = static_cast<std::ptrdiff_t>(drawn(0, running_.size()));
    world_.desk.finish(running_[static_cast<std::size_t>(which)], AttemptStatus::succeeded);
    running_.erase(running_.begin() + which);
  }

  // No more than there is was promised, one thing at a time goes on with models on each GPU, and
  // what tasks use is there.
  void check() const {
    std::map<NameId, std::uint64_t> promised;
    std::map<NameId, int> moving;
    for (const auto& [id, place] : state().tasks.on_gpu) {
      promised[place.gpu] += place.mebibytes * bytes_of_mebibyte;
    }
    for (const auto& [id, model] : state().models.all) {
      if (!model.gpu) continue;
      if (model.holds_memory()) promised[*model.gpu] += model.bytes();
      const bool rests = model.state == ModelState::resident || model.state == ModelState::unknown;
      if (!rests) ++moving[*model.gpu];
      if (tasks_with(state(), id) > 0) RC_ASSERT(model.state != ModelState::unloading);
    }
    for (const auto& [gpu, bytes] : promised) RC_ASSERT(bytes <= 10 * desk_gib);
    for (const auto& [gpu, count] : moving) RC_ASSERT(count <= 1);
    RC_ASSERT(broken_invariants(state()).empty());
  }

  GpuDesk world_;
  std::vector<TaskId> running_;
  std::vector<std::string> lost_;
  std::uint64_t others_ = 0;
};

RC_GTEST_PROP(GpuScenarios, KeepTheirPromisesAndServeEverybodyInTheEnd, ()) {
  GpuScenario scenario;
  const auto acts = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 9));
  for (const int which : acts) scenario.act(static_cast<std::uint64_t>(which));
  scenario.heal();
}

}  // namespace
}  // namespace almanac::test
