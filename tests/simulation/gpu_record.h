// The oracle's own record of GPUs and models: which are there, what the last sample says, where
// each model stands, and what programs and tasks have of them.
#pragma once

#include <almanac/engine/model_table.h>
#include <almanac/log/event.h>
#include <almanac/tests/simulation/coverage.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace almanac::test {

// Of tasks that run.
struct GpuUses {
  std::map<std::string, std::uint64_t> bytes;   // given of each GPU
  std::map<std::string, std::uint64_t> fresh;   // of that, since its last sample
  std::map<std::string, std::uint32_t> models;  // how many name each
};

class GpuRecord {
 public:
  explicit GpuRecord(Coverage& coverage) : coverage_(coverage) {}

  using Demands = std::map<std::string, std::uint32_t>;
  // What is on the disk, in order. What is wrong with it; empty = nothing, here and below.
  [[nodiscard]] std::string see(const RecordedEvent& recorded,
                                const std::function<GpuUses()>& uses);
  // Of a task that starts, and is given memory of this GPU; empty = of none.
  [[nodiscard]] std::string judge_start(const Demands& demands, const std::string& gpu,
                                        const GpuUses& uses);
  // Whether a task that asks for this may have to wait for it, if nobody else waits for GPUs.
  [[nodiscard]] bool may_hold_back(const Demands& demands, const GpuUses& uses) const;
  // Whether all models that it names are loaded.
  [[nodiscard]] bool has_models(const Demands& demands) const;
  [[nodiscard]] bool is_of_gpus(const Demands& demands) const;
  [[nodiscard]] bool is_model(const std::string& name) const { return models_.contains(name); }
  [[nodiscard]] Position sampled(const std::string& gpu) const;

  // What happens outside.
  void engine_begins();
  [[nodiscard]] std::string work_begins(ModelWork::Kind kind, const std::string& model,
                                        const std::string& gpu);
  void work_ends(const std::string& model) { working_.erase(model); }
  [[nodiscard]] std::string is_leased(const std::string& model, std::uint64_t lease);
  void is_given_back(const std::string& model, std::uint64_t lease);

 private:
  struct Device {
    bool is_there = false;
    bool is_sampled = false;  // since it appeared
    bool is_estimate = false;
    std::size_t heap = 0;  // of its own
    std::uint64_t size = 0;
    std::uint64_t own = 0;
    std::uint64_t budget = 0;
    Position sampled;
    Position vanished;
    [[nodiscard]] std::uint64_t most() const { return is_estimate ? estimated_budget(size) : size; }
    [[nodiscard]] std::uint64_t free() const;
  };
  struct Known {
    ModelState state = ModelState::absent;
    std::string gpu;
    std::uint64_t declared = 0;
    std::uint64_t learned = 0;
    std::uint64_t reserved = 0;
    std::string commands;
    std::int32_t priority = 0;
    bool is_pinned = false;
    Duration residency{0};
    Time loaded_at;
    Position loaded;
    std::set<std::uint64_t> leases;  // of programs
    [[nodiscard]] std::uint64_t bytes() const { return learned > 0 ? learned : declared; }
    [[nodiscard]] bool is_loaded() const {
      return state == ModelState::settling || state == ModelState::resident;
    }
    [[nodiscard]] bool is_moving() const {
      return state == ModelState::loading || state == ModelState::settling ||
             state == ModelState::unloading || state == ModelState::releasing;
    }
  };
  [[nodiscard]] std::uint64_t held(const std::string& gpu, const GpuUses& uses) const;
  [[nodiscard]] bool has_moving(const std::string& gpu) const;
  [[nodiscard]] bool has_room(const std::string& gpu, std::uint64_t bytes,
                              const GpuUses& uses) const;
  void go(Known& model, ModelState state);

  std::string check(const EngineStarted& event);
  std::string check(const GpuDeviceAppeared& event);
  std::string check(const GpuDeviceVanished& event);
  std::string check(const GpuSampled& event);
  std::string check(const GpuAlertRaised& event);
  std::string check(const GpuAlertCleared& event);
  std::string check(const ModelRegistered& event);
  std::string check(const ModelChanged& event);
  std::string check(const ModelLoadStarted& event);
  std::string check(const ModelLoaded& event);
  std::string check(const ModelLoadFailed& event);
  std::string check(const ModelMeasured& event);
  std::string check(const ModelUnloadStarted& event);
  std::string check(const ModelUnloaded& event);
  std::string check(const ModelUnloadFailed& event);
  std::string check(const ModelReleased& event);
  std::string check(const ModelLost& event);
  std::string check(const ModelChecked& event);
  std::string check(const ModelUsed& event);
  std::string check(const ModelDegraded& event);
  std::string check(const auto&) { return {}; }
  // Where the model must stand.
  [[nodiscard]] std::string stands(std::string_view model, std::initializer_list<ModelState> states,
                                   const char* what) const;

  Coverage& coverage_;
  std::map<std::string, Device> devices_;
  std::map<std::string, Known> models_;
  std::map<std::string, std::string> working_;  // by model, to which GPU
  const RecordedEvent* now_ = nullptr;          // the event that is judged
  const std::function<GpuUses()>* uses_ = nullptr;
};

}  // namespace almanac::test
