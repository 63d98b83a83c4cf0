// What simulations have reached: every fault, every row of the lifecycle, every edge of circuits
// and every verb, and each of these in a run that a given fault had struck before.
#pragma once

#include <almanac/projections/circuits.h>
#include <almanac/projections/lifecycle.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {

// Which of them exist is drawn for every run.
enum class Fault : std::uint8_t {
  slow_disk,
  full_disk,
  full_reserve,        // not even ends are taken
  lost_commit,         // of unknown outcome: it is not there
  unreported_commit,   // of unknown outcome: it is there
  crash,               // what was being written is not there
  crash_after_commit,  // it is there, and nobody was told
  restored,            // the log is continued as one restored from a snapshot is
  failing_worker,
  dying_worker,
  hanging_worker,
  late_report,     // of an attempt whose lease is gone
  double_report,   // of one attempt
  foreign_report,  // of another timeline
  silent_worker,   // elsewhere: for ever, or until it is too late
  clock_forward,   // by an hour
  clock_back,
  suspended,        // the wall clock goes on and timers do not
  daylight_saving,  // the clocks of a zone change
  // Of GPUs, where there are any:
  pressing_others,  // take what is free of their memory
  lying_budget,     // what its driver says is not so
  slow_release,     // of what is unloaded
  lost_gpu,         // with all that is in its memory
  failing_load,     // of a model, or its unload
  hanging_load,     // until it is told to end
};
inline constexpr std::size_t fault_count = 25;
inline constexpr auto first_gpu_fault = static_cast<std::size_t>(Fault::pressing_others);
[[nodiscard]] std::string_view name(Fault fault);

// What is asked of the engine.
enum class Verb : std::uint8_t {
  start,
  stop,
  stop_at_once,
  submit,
  submit_again,  // under the same key
  submit_badly,  // what is to be refused
  cancel,
  configure_queue,
  configure_limit,
  take_tokens,  // by a program
  review,
  retry,
  pause,
  resume,
  report,  // the end of an attempt
  back_up,
  configure_circuit,
  force_circuit,
  make_request,  // by a program, of a service
  lease,         // tasks, by a worker elsewhere
  heartbeat,
  give_back,
  open_group,
  close_group,
  register_model,
  change_model,
  use_model,  // by a program
  unload_model,
};
inline constexpr std::size_t verb_count = 28;
[[nodiscard]] std::string_view name(Verb verb);

// What becomes of GPUs and models.
enum class GpuStep : std::uint8_t {
  appeared,
  removed,
  lost,
  driver_gone,
  alert_raised,
  alert_cleared,
  load,
  loaded,
  load_failed,
  measured,
  not_measured,
  unload_asked,
  unload_for_room,
  unload_for_memory,  // that a task asks for
  unload_critical,
  unload_unknown,
  unloaded,
  unload_failed,
  released,
  released_slowly,
  model_lost,
  checked_there,
  checked_gone,
  used,
  degraded,
  task_with_model,
  task_with_memory,
};
inline constexpr std::size_t gpu_step_count = 27;
[[nodiscard]] std::string_view name(GpuStep step);

class Coverage {
 public:
  // From now on what is reached counts for this fault as well.
  void strike(Fault fault);
  void reach(std::optional<TaskState> from, TaskStep step, TaskState to);
  void reach(Verb verb) { count(lifecycle.size() + static_cast<std::size_t>(verb)); }
  void reach(const CircuitEdge& edge);
  void reach(GpuStep step) { count(first_gpu_step + static_cast<std::size_t>(step)); }

  void add(const Coverage& other);
  // One line for each fault, row, verb and pair that no run has reached.
  [[nodiscard]] std::vector<std::string> unreached() const;
  // Of pairs and runs, for people.
  [[nodiscard]] std::string summary() const;

 private:
  static constexpr std::size_t first_gpu_step =
      lifecycle.size() + verb_count + circuit_edges.size();
  static constexpr std::size_t goal_count = first_gpu_step + gpu_step_count;
  [[nodiscard]] static std::string goal_name(std::size_t goal);
  // These have nothing to do with GPUs.
  [[nodiscard]] static bool is_of_circuits(std::size_t goal) {
    return goal >= lifecycle.size() + verb_count && goal < first_gpu_step;
  }
  void count(std::size_t goal);

  std::array<std::uint64_t, fault_count> faults_{};
  std::array<std::uint64_t, goal_count> goals_{};
  std::array<std::array<std::uint64_t, goal_count>, fault_count> pairs_{};
};

}  // namespace almanac::test
