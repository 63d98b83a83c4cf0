#include <almanac/tools/advisor_file.h>
#include <almanac/tools/commands.h>
#include <almanac/tools/component_file.h>
#include <almanac/tools/limits.h>
#include <almanac/tools/model_file.h>
#include <almanac/tools/progress.h>
#include <almanac/tools/run_display.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>
#include <almanac/tools/units.h>
#include <almanac/tools/version_range.h>
#include <almanac/tools/workload.h>

#include <almanac/engine/diagnostics.h>
#include <almanac/engine/engine.h>
#include <almanac/engine/limits.h>
#include <almanac/log/limits.h>
#include <almanac/log/this_thread.h>
#include <almanac/projections/wait_reason.h>
#include <almanac/snapshots/archive_follower.h>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace almanac {
namespace {

// Tasks of one submission, and the bytes they carry; one task may carry more. Small enough that the
// first ones run while the rest is still coming, and that all of one fits a batch of the log.
constexpr std::size_t chunk_tasks = 1'000;
constexpr std::size_t chunk_bytes = 4 * limits::mebibyte;
constexpr auto poll_interval = std::chrono::milliseconds(100);

std::size_t bytes_of(const TaskSpec& spec) {
  auto bytes = spec.kind.size() + spec.queue.size() + spec.label.size() + spec.payload.size() +
               spec.idempotency_key.size() + spec.dependencies.size() * sizeof(TaskId);
  for (const std::string& tag : spec.tags) bytes += tag.size();
  return bytes;
}

// Behind the tasks that go with the one at `begin`: always that one, however large it is.
std::size_t chunk_end(const std::vector<WorkloadTask>& tasks, std::size_t begin) {
  const auto end_max = std::min(begin + chunk_tasks, tasks.size());
  auto end = begin + 1;
  for (auto bytes = bytes_of(tasks[begin].spec); end < end_max; ++end) {
    bytes += bytes_of(tasks[end].spec);
    if (bytes > chunk_bytes) break;
  }
  return end;
}

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

using Submit = std::function<Result<std::vector<Submitted>>(std::vector<TaskSpec>)>;

// Submits a workload piece by piece; `tasks` are those that were, also when it answers an error.
// What was submitted before, by a run that did not end, is recognised by its keys.
Result<void> submit_workload(const Workload& workload, const Submit& submit,
                             std::vector<RunTask>& tasks) {
  for (std::size_t begin = 0, end = 0; begin < workload.tasks.size(); begin = end) {
    end = chunk_end(workload.tasks, begin);
    std::vector<TaskSpec> specs;
    for (std::size_t i = begin; i < end; ++i) {
      resolve(specs.emplace_back(workload.tasks[i].spec), begin, tasks);
    }
    auto submitted = submit(std::move(specs));
    if (!submitted) return std::unexpected(submitted.error());
    for (std::size_t i = begin; i < end; ++i) {
      tasks.push_back({(*submitted)[i - begin].id, printable(workload.tasks[i].name)});
    }
  }
  return {};
}

// "queue mail: …"
Error about(std::string_view what, const std::string& name, Error error) {
  error.message = fmt::format("{} {}: {}", what, printable(name), error.message);
  return error;
}

// All of the workload will be accepted, or why not, before anything of it is.
Result<void> try_out_workload(const Workload& workload, const std::vector<ModelSpec>& models,
                              State state) {
  for (const ModelSpec& model : models) {
    auto accepted = try_out(state, RegisterModel{model});
    if (!accepted) return std::unexpected(accepted.error());
  }
  for (const ConfigureQueue& settings : workload.queues) {
    auto accepted = try_out(state, settings);
    if (!accepted) return std::unexpected(about("queue", settings.queue, accepted.error()));
  }
  for (const auto& [name, setting] : workload.limits) {
    auto accepted = try_out(state, ConfigureLimit{name, setting});
    if (!accepted) return std::unexpected(accepted.error());
  }
  for (const ScheduleSpec& schedule : workload.schedules) {
    auto accepted = try_out(state, DefineSchedule{schedule});
    if (!accepted) return std::unexpected(about("schedule", schedule.name, accepted.error()));
  }
  auto submit = [&](std::vector<TaskSpec> specs) -> Result<std::vector<Submitted>> {
    auto answer = try_out(state, EnqueueTasks{std::move(specs)});
    if (!answer) return std::unexpected(answer.error());
    return std::get<std::vector<Submitted>>(std::move(*answer));
  };
  std::vector<RunTask> tasks;
  return submit_workload(workload, submit, tasks);
}

// Not all of it, when the engine was stopped meanwhile.
Result<std::vector<RunTask>> hand_over(Engine& engine, const Workload& workload) {
  std::vector<RunTask> tasks;
  Result<void> submitted;
  for (const ConfigureQueue& settings : workload.queues) {
    if (submitted) submitted = engine.configure_queue(settings);
  }
  for (const auto& [name, setting] : workload.limits) {
    if (submitted) submitted = engine.configure_limit(name, setting);
  }
  for (const ScheduleSpec& schedule : workload.schedules) {
    if (submitted) submitted = engine.define_schedule(schedule);
  }
  auto submit = [&](std::vector<TaskSpec> specs) { return engine.submit(std::move(specs)); };
  if (submitted) submitted = submit_workload(workload, submit, tasks);
  if (submitted) return tasks;
  bool was_stopped = submitted.error().code == ErrorCode::stopped && !engine.failure();
  if (!was_stopped) return std::unexpected(submitted.error());
  return tasks;
}

// Without a workload a run is for everything the folder held that had not ended when it began.
Result<std::vector<RunTask>> live_tasks(const State& began, const Log& log) {
  std::vector<RunTask> tasks;
  for (const auto& [id, task] : began.tasks.all) {
    if (has_ended(task.state)) continue;
    RunTask live{.id = id, .label = {}};
    auto read = log.read_one(task.enqueued, [&](const Event& event) {
      live.label = printable(request_in(event.body).label);
    });
    if (!read) return std::unexpected(read.error());
    tasks.push_back(std::move(live));
  }
  return tasks;
}

std::vector<TaskId> ids_of(const std::vector<RunTask>& tasks) {
  std::vector<TaskId> ids;
  for (const RunTask& task : tasks) ids.push_back(task.id);
  return ids;
}

// For what nobody but another process can change.
bool stands_still(const State& state, const Lane& lane, TaskId first) {
  if (state.pauses.hold_back(lane)) return true;
  if (!state.implementations.versions_of(lane.kind).takes(lane.version)) return true;
  const auto reason = wait_reason(state, first, state.time);
  if (!reason) return false;
  if (reason->wait == Wait::circuit) {
    return circuit_of(state.circuits, *reason->limit).state == CircuitState::forced_open;
  }
  return reason->wait == Wait::handler;
}

// Nothing will happen any more before somebody has decided about tasks that are under review,
// paused, or failed and waited for, resets a circuit that is kept open, or runs those of other
// versions and kinds: no other process can, while this one holds the log.
bool awaits_decision(const State& state) {
  const Tasks& tasks = state.tasks;
  const bool rests = tasks.doomed.empty() && tasks.expiring.empty() &&
                     tasks.count(TaskState::delayed) + tasks.running.size() == 0;
  if (!rests || tasks.live() == 0) return false;
  return std::ranges::all_of(tasks.ready.lanes(), [&](const auto& entry) {
    return stands_still(state, entry.key, entry.value.first()->id);
  });
}

// Follows the run to its end, or to the engine's.
ExitCode follow(Engine& engine, Progress& progress, std::vector<RunTask> tasks,
                DisplayOptions options) {
  auto ids = ids_of(tasks);
  const bool is_json = options.json;
  const bool forever = options.forever;
  RunDisplay display(std::move(options), std::move(tasks));
  progress.await(ids);
  bool stopped = false;
  bool over = false;
  while (!over && (forever || !progress.done())) {
    stopped = engine.stopped();
    over = stopped || (!forever && awaits_decision(*engine.state()));
    if (engine.stopping()) display.stopping(*engine.state());
    display.show(progress.take(stopped ? std::chrono::milliseconds(0) : poll_interval),
                 *engine.state());
  }
  bool interrupted = stopped && !progress.done();
  if (is_json) {  // the closing object is about the end of the log
    engine.stop();
    engine.wait_until_stopped();
  }
  auto state = engine.state();
  display.close(*state, engine.log());
  if (auto failure = engine.failure()) return report(*failure);
  return interrupted || display.all_succeeded(*state) ? ExitCode::ok : ExitCode::work_failed;
}

// What a run is for, checked as far as that goes without an engine.
struct Plan {
  std::optional<Workload> workload;
  State before;
};

Result<Plan> make_plan(const RunCommand& command, const std::vector<ModelSpec>& models) {
  Plan plan;
  if (!command.workload.empty()) {
    auto loaded = load_workload(command.workload, system_time());
    if (!loaded) return std::unexpected(loaded.error());
    plan.workload = std::move(*loaded);
  }
  auto state = plan.workload ? read_state_or_none(command.folder) : read_state(command.folder);
  if (!state) return std::unexpected(state.error());
  plan.before = std::move(*state);
  if (plan.workload) {
    auto accepted = try_out_workload(*plan.workload, models, plan.before);
    if (!accepted) return std::unexpected(accepted.error());
  }
  return plan;
}

Result<TaskRetention> parse_task_retention(const RunCommand& command) {
  if (command.retain_all) return TaskRetention::keep_all();
  auto succeeded = parse_duration(command.retain_succeeded);
  if (!succeeded) return std::unexpected(succeeded.error());
  auto failed = parse_duration(command.retain_failed);
  if (!failed) return std::unexpected(failed.error());
  return TaskRetention{.succeeded = *succeeded, .failed = *failed, .cancelled = *failed};
}

std::optional<GpuWatchOptions> gpu_watch_of(const RunCommand& command) {
  if (!command.gpu_watch && command.models.empty()) return std::nullopt;
  return GpuWatchOptions();
}

struct RunModels {
  std::vector<ModelSpec> specs;
  ModelOptions options;
};

Result<RunModels> run_models_of(const RunCommand& command) {
  RunModels models;
  if (!command.models.empty()) {
    auto specs = load_models(command.models);
    if (!specs) return std::unexpected(specs.error());
    models.specs = std::move(*specs);
  }
  if (command.model_patience.empty()) return models;
  const auto patience = parse_duration(command.model_patience);
  if (!patience) return std::unexpected(patience.error());
  models.options.patience = *patience;
  return models;
}

Result<void> register_all(Engine& engine, const std::vector<ModelSpec>& models) {
  for (const ModelSpec& model : models) {
    if (auto done = engine.register_model(model); !done) return done;
  }
  return {};
}

DisplayOptions display_options(const RunCommand& command,
                               std::chrono::steady_clock::time_point began) {
  auto folder = command.folder == ".almanac" ? "" : " --dir " + shell_line({command.folder});
  return {.json = command.json,
          .forever = command.forever,
          .all = command.all,
          .grace = printable(command.grace),
          .hint = printable("`almanac show ID" + folder + "` shows what a task wrote"),
          .began = began};
}

void begin_archiving(std::optional<ArchiveFollower>& archiving, const Engine& engine,
                     const RunCommand& command, FollowOptions options) {
  const NamedRepository& repository = command.backups.repository;
  archiving.emplace(ArchiveFollower::Surroundings{.log = engine.log(),
                                                  .folder = command.folder,
                                                  .open_repository =
                                                      [repository](Access access) {
                                                        return open_repository(
                                                            repository, access,
                                                            limits::repository_wait_max);
                                                      }},
                    std::move(options));
}

// With the last events of the engine, also of a run that was over before anything was archived. How
// the work ended stays how the run does.
void end_archiving(ArchiveFollower& archiving, Engine& engine) {
  engine.stop();
  engine.wait_until_stopped();
  auto status = archiving.status();
  for (; !status.archived.last && !status.failure; status = archiving.status()) {
    this_thread::wait_for({}, std::chrono::milliseconds(10));
  }
  archiving.stop();
  status = archiving.status();
  if (status.failure) (void)report(*status.failure);
}

}  // namespace

ExitCode run(const RunCommand& command) {
  auto began = std::chrono::steady_clock::now();
  auto grace = parse_duration(command.grace);
  if (!grace) return report(grace.error());
  auto versions = command.versions.empty() ? VersionRange() : parse_versions(command.versions);
  if (!versions) return report(versions.error());
  auto backups = parse_backups(command.backups);
  if (!backups) return report(backups.error());
  auto retention = parse_task_retention(command);
  if (!retention) return report(retention.error());
  auto following = parse_following(command.backups);
  if (!following) return report(following.error());
  auto components = command.components.empty() ? std::vector<ComponentSpec>()
                                               : load_components(command.components);
  if (!components) return report(components.error());
  std::optional<AdvisorSpec> advisor;
  if (!command.advisor.empty()) {
    auto loaded = load_advisor(command.advisor);
    if (!loaded) return report(loaded.error());
    advisor = std::move(*loaded);
  }
  const auto models = run_models_of(command);
  if (!models) return report(models.error());
  auto plan = make_plan(command, models->specs);
  if (!plan) return report(plan.error());
  if (auto begun = begin_log(command.log); !begun) return report(begun.error());
  set_verbosity(command.verbose ? Verbosity::everything : Verbosity::warnings);
  Progress progress;
  auto engine = Engine::open(
      {.folder = command.folder,
       .slots = command.slots,
       .stop_grace = *grace,
       .command_versions = *versions,
       .handle_signals = true,
       .retention = *retention,
       .health_hold = limits::health_hold,
       .backups = std::move(*backups),
       .on_events = [&](const State& state,
                        std::span<const RecordedEvent> events) { progress.see(state, events); },
       .components = *components,
       .gpu_watch = gpu_watch_of(command),
       .models = models->options,
       .advisor = std::move(advisor)});
  if (!engine) return report(engine.error());
  if (auto done = register_all(**engine, models->specs); !done) return report(done.error());
  auto tasks = plan->workload ? hand_over(**engine, *plan->workload)
                              : live_tasks(progress.began(), (*engine)->log());
  if (!tasks) return report(tasks.error());
  for (RunTask& task : *tasks) {
    const Task* known = plan->before.tasks.all.find(task.id);
    if (known != nullptr) task.before = known->state;
  }
  auto options = display_options(command, began);
  options.tasks = plan->workload ? plan->workload->tasks.size() : tasks->size();
  std::optional<ArchiveFollower> archiving;
  if (*following) begin_archiving(archiving, **engine, command, **following);
  const auto code = follow(**engine, progress, std::move(*tasks), std::move(options));
  if (archiving) end_archiving(*archiving, **engine);
  return code;
}

}  // namespace almanac
