#include <almanac/tools/commands.h>
#include <almanac/tools/progress.h>
#include <almanac/tools/run_display.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>
#include <almanac/tools/workload.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine.h>

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// Tasks of one submission. Small enough that the first ones run while the rest is still coming.
constexpr std::size_t chunk_tasks = 1'000;
constexpr auto poll_interval = std::chrono::milliseconds(100);

// Dependencies on tasks of earlier chunks become their numbers.
void resolve(TaskSpec& spec, std::size_t chunk_begin, const std::vector<RunTask>& submitted) {
  for (Dependency& dependency : spec.dependencies) {
    auto* in_batch = std::get_if<InBatch>(&dependency);
    if (in_batch == nullptr) continue;
    if (in_batch->index < chunk_begin) {
      dependency = submitted[in_batch->index].id;
    } else {
      in_batch->index -= chunk_begin;
    }
  }
}

// Submits a workload piece by piece. What was submitted before, by a run that did not end, is
// recognised by its keys.
Result<std::vector<RunTask>> submit_workload(Engine& engine, Workload workload) {
  for (const auto& [queue, slots] : workload.queue_slots) {
    if (auto done = engine.configure_queue(queue, slots); !done) {
      return std::unexpected(done.error());
    }
  }
  std::vector<RunTask> tasks;
  for (std::size_t begin = 0; begin < workload.tasks.size(); begin += chunk_tasks) {
    auto end = std::min(begin + chunk_tasks, workload.tasks.size());
    std::vector<TaskSpec> specs;
    for (std::size_t i = begin; i < end; ++i) {
      resolve(workload.tasks[i].spec, begin, tasks);
      specs.push_back(std::move(workload.tasks[i].spec));
    }
    auto submitted = engine.submit(std::move(specs));
    if (!submitted) return std::unexpected(submitted.error());
    for (std::size_t i = begin; i < end; ++i) {
      tasks.push_back({(*submitted)[i - begin].id, printable(workload.tasks[i].name)});
    }
  }
  return tasks;
}

// Without a workload a run is for everything the folder holds that has not ended.
std::vector<RunTask> live_tasks(const Engine& engine) {
  std::vector<RunTask> tasks;
  auto state = engine.state();
  for (const auto& [id, task] : state->tasks.all) {
    if (has_ended(task.state)) continue;
    std::string label;
    (void)engine.log().read_one(task.enqueued, [&](const Event& event) {
      label = printable(std::get<TaskEnqueued>(event.body).label);
    });
    tasks.push_back({id, label});
  }
  return tasks;
}

std::vector<TaskId> ids_of(const std::vector<RunTask>& tasks) {
  std::vector<TaskId> ids;
  for (const RunTask& task : tasks) ids.push_back(task.id);
  return ids;
}

bool all_succeeded(const State& state, const std::vector<TaskId>& ids) {
  return std::ranges::all_of(
      ids, [&](TaskId id) { return state.tasks.all.find(id)->state == TaskState::succeeded; });
}

// Follows the run to its end, or to the engine's.
ExitCode follow(Engine& engine, Progress& progress, std::vector<RunTask> tasks,
                DisplayOptions options) {
  auto ids = ids_of(tasks);
  RunDisplay display(options, std::move(tasks));
  progress.await(ids, [&] { return engine.state(); });
  bool stopped = false;
  while (!stopped && !progress.done()) {
    stopped = engine.stopped();
    display.show(progress.take(stopped ? std::chrono::milliseconds(0) : poll_interval),
                 *engine.state());
  }
  auto state = engine.state();
  display.close(*state, engine.log());
  if (auto failure = engine.failure()) return report(*failure);
  bool interrupted = stopped && !progress.done();
  return interrupted || all_succeeded(*state, ids) ? ExitCode::ok : ExitCode::work_failed;
}

}  // namespace

ExitCode run(const RunCommand& command) {
  auto grace = parse_duration(command.grace);
  if (!grace) return report(grace.error());
  std::optional<Workload> workload;
  if (!command.workload.empty()) {
    auto loaded = load_workload(command.workload, system_time());
    if (!loaded) return report(loaded.error());
    workload = std::move(*loaded);
  } else if (auto log = Log::open(command.folder, {.access = Access::read}); !log) {
    return report(log.error());
  }
  set_verbosity(command.verbose ? Verbosity::everything : Verbosity::warnings);
  Progress progress;
  auto engine =
      Engine::open({.folder = command.folder,
                    .slots = command.slots,
                    .stop_grace = *grace,
                    .handle_signals = true,
                    .on_events = [&](const State& state, std::span<const RecordedEvent> events) {
                      progress.see(state, events);
                    }});
  if (!engine) return report(engine.error());
  std::vector<RunTask> tasks;
  if (workload) {
    auto submitted = submit_workload(**engine, std::move(*workload));
    if (!submitted && submitted.error().code == ErrorCode::stopped && !(*engine)->failure()) {
      fmt::print("stopped before everything was submitted; run it again to go on\n");
      return ExitCode::ok;
    }
    if (!submitted) return report(submitted.error());
    tasks = std::move(*submitted);
  } else {
    tasks = live_tasks(**engine);
  }
  return follow(**engine, progress, std::move(tasks), {.json = command.json, .all = command.all});
}

}  // namespace almanac
