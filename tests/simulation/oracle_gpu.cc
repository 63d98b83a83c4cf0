// What the oracle knows of tasks on GPUs: those that name models, and those that have memory.
#include <almanac/projections/gpu_memory.h>
#include <almanac/tests/simulation/oracle.h>

#include <algorithm>

namespace almanac::test {

GpuUses Oracle::gpu_uses() const {
  GpuUses uses;
  for (const auto& [id, task] : tasks_) {
    if (!task.lease) continue;
    for (const auto& [name, amount] : task.demands) {
      if (gpus_.is_model(name)) ++uses.models[name];
      if (!is_gpu_memory(name)) continue;
      const std::uint64_t bytes = std::uint64_t{amount} << 20U;
      uses.bytes[task.gpu] += bytes;
      if (task.begun_at > gpus_.sampled(task.gpu)) uses.fresh[task.gpu] += bytes;
    }
  }
  return uses;
}

void Oracle::judge_gpu(const TaskStarted& event, Record& task) {
  if (gpus_.is_of_gpus(task.demands) || !event.gpu.empty()) {
    const auto wrong = gpus_.judge_start(task.demands, std::string(event.gpu), gpu_uses());
    require(wrong.empty(), text(event.id) + " started: " + wrong);
  }
  task.gpu = event.gpu;
  task.begun_at = now_.position;
}

// Others that wait for GPUs may have something kept for them.
bool Oracle::may_wait_for_gpu(const Record& task) const {
  if (!gpus_.is_of_gpus(task.demands)) return false;
  const bool is_alone = std::ranges::none_of(tasks_, [&](const auto& one) {
    const auto& [id, other] = one;
    return !other.is_in_lane_of(task) && is_ready(id) && gpus_.is_of_gpus(other.demands);
  });
  return !is_alone || gpus_.may_hold_back(task.demands, gpu_uses());
}

void Oracle::model_work_begins(ModelWork::Kind kind, const std::string& model,
                               const std::string& gpu) {
  const auto wrong = gpus_.work_begins(kind, model, gpu);
  require(wrong.empty(), wrong);
}

void Oracle::model_is_leased(const std::string& model, std::uint64_t lease) {
  const auto wrong = gpus_.is_leased(model, lease);
  require(wrong.empty(), wrong);
}

}  // namespace almanac::test
