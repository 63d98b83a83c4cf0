// Who asks the engine for what GPUs are for: registers models, uses and unloads them beside tasks,
// and has tasks ask for models and for memory. Does nothing where there are no GPUs.
#pragma once

#include <almanac/tests/simulation/simulated_engine.h>

#include <functional>
#include <string>
#include <vector>

namespace almanac::test {

class GpuClient {
 public:
  using Note = std::function<void(const Result<Answer>&)>;
  // `note` sees all answers.
  GpuClient(SimulatedMachine& machine, Note note);

  // As a program does that has opened an engine.
  void register_all(SimulatedEngine& engine);
  // Whether it has asked for something.
  [[nodiscard]] bool act(SimulatedEngine& engine);
  void draw_demand(TaskSpec& spec);
  // Lets every model give way. Of what is absent on record nothing may be left in any GPU.
  void let_all_go_on(SimulatedEngine& engine);

 private:
  void change(SimulatedEngine& engine);
  void give_time(SimulatedEngine& engine);
  void cancel_vain(SimulatedEngine& engine);
  [[nodiscard]] ModelSpec draw_model(const std::string& name, std::uint64_t gib);

  SimulatedMachine& machine_;
  const Note note_;
  std::vector<ModelSpec> models_;
};

}  // namespace almanac::test
