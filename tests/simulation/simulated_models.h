// What an engine has beside its core for GPUs: the real runner of models, and the real rules of
// what a watch tells, over simulated GPUs. What they do on threads of their own happens here in
// order.
#pragma once

#include <almanac/engine/gpu_watch.h>
#include <almanac/engine/model_runner.h>
#include <almanac/tests/simulation/simulated_gpus.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace almanac::test {

struct SimulatedMachine;

struct SimulatedGpuSettings {
  GpuWatchOptions watch;
  ModelOptions models;
};
[[nodiscard]] SimulatedGpuSettings draw_gpu_settings(Draw& draw);

// Of one engine.
class SimulatedModels {
 public:
  using Done = std::function<void(Result<Answer>)>;
  struct Surroundings {
    std::function<std::shared_ptr<const State>()> state;  // as published
    std::function<void(Command, Done)> tell;
    std::function<void(Command)> report;
  };
  SimulatedModels(SimulatedMachine& machine, Surroundings surroundings,
                  const SimulatedGpuSettings& settings);
  // What runs ends with it, and may have come to its end just before.
  ~SimulatedModels();
  SimulatedModels(const SimulatedModels&) = delete;
  SimulatedModels& operator=(const SimulatedModels&) = delete;

  void begin();
  // It takes its next steps if it would have woken by itself.
  void saw(std::span<const RecordedEvent> events);
  void turns_have_changed();
  void stop(bool at_once);
  // A program uses it, for so long once it is there, if it is in time.
  void use(const std::string& model, Duration timeout, Duration holds);
  void unload(const std::string& model, Duration timeout);

 private:
  struct Job {
    std::shared_ptr<ModelTable> table;
    ModelWork* work = nullptr;
    ModelJob job;
    std::uint64_t bytes = 0;  // that it really takes
    bool is_command = false;
    bool hangs = false;
    Duration began{0};
    Duration ends{0};
  };
  void wake();
  void step_soon();
  void step();
  void look();
  void look_in(Duration wait);
  void begin_job(const std::shared_ptr<ModelTable>& table, ModelEntry& entry, ModelWork::Kind kind,
                 const ModelJob& job, const Model& model);
  void go_on(std::uint64_t number);
  void end(std::uint64_t number);
  [[nodiscard]] Result<void> outcome_of(const Job& job);
  void hold(std::shared_ptr<ModelLease> lease, Duration holds);
  // Unless this is gone by then.
  void in(Duration wait, std::function<void()> action);

  SimulatedMachine& machine_;
  SimulatedGpus& gpus_;
  const Surroundings surroundings_;
  const SimulatedGpuSettings settings_;
  GpuNews news_;
  GpuReading before_;
  Duration wait_;
  std::uint64_t looks_ = 0;  // armed: what was before is void, …
  std::uint64_t steps_ = 0;  // … here too
  bool is_awake_ = false;
  bool has_begun_ = false;
  std::map<std::uint64_t, Job> jobs_;
  std::uint64_t numbers_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
  ModelRunner runner_;
};

}  // namespace almanac::test
