// The public door: one engine per folder. Submit work from any thread, give it handlers, read the
// published state.
//
//   auto engine = almanac::Engine::open({.folder = "work"});
//   (*engine)->handle("greet", [](const almanac::Attempt& attempt) { … });
//   auto task = (*engine)->submit({.kind = "greet", .payload = "world", .attempts_max = 3});
//
// A compiled example is examples/greet.cc.
#pragma once

#include <almanac/engine/advisor_spec.h>
#include <almanac/engine/backup_spec.h>
#include <almanac/engine/circuit_gate.h>
#include <almanac/engine/command.h>
#include <almanac/engine/command_spec.h>
#include <almanac/engine/component_spec.h>
#include <almanac/engine/context_spec.h>
#include <almanac/engine/event_spec.h>
#include <almanac/engine/gpu_options.h>
#include <almanac/engine/handler.h>
#include <almanac/engine/inline_projection.h>
#include <almanac/engine/lease_spec.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/memory_consolidation.h>
#include <almanac/engine/memory_query.h>
#include <almanac/engine/memory_spec.h>
#include <almanac/engine/model_lease.h>
#include <almanac/engine/model_spec.h>
#include <almanac/engine/pool_options.h>
#include <almanac/engine/schedule_spec.h>
#include <almanac/engine/task_retention.h>
#include <almanac/engine/task_spec.h>
#include <almanac/engine/trim_report.h>
#include <almanac/engine/user_contexts.h>
#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/checkpoint_policy.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

[[nodiscard]] Time system_time();

struct EngineOptions {
  std::filesystem::path folder;  // made when missing
  std::uint32_t slots = 0;       // attempts that may run at once; 0 = one for each processor
  // Of a stop: how long attempts may go on before they are told to end and handed back.
  Duration stop_grace = std::chrono::seconds(10);
  // Between SIGTERM and SIGKILL, for a command that was cancelled, timed out or handed back.
  Duration kill_grace = std::chrono::seconds(5);
  std::size_t output_bytes_max = limits::output_bytes_default;  // kept of a command's output
  std::vector<std::string> environment_allow = environment_allow_default();
  // Whether tasks of kind "command" run; without, they wait for an engine that runs them.
  bool runs_commands = true;
  VersionRange command_versions = {};  // of those tasks, which are run
  // Whether instants of schedules are decided; without, they wait for an engine that does.
  bool fires_schedules = true;
  // SIGINT and SIGTERM stop the engine; a second one makes it hand back at once.
  bool handle_signals = false;
  std::uint64_t seed = 0;                     // of the jitter in retry times; 0 = drawn
  std::function<Time()> clock = system_time;  // also called on threads of backups and of take()
  std::size_t map_bytes = limits::map_bytes_default;
  CheckpointPolicy checkpoints;
  TaskRetention retention;  // how long tasks stay in the state that have ended; queues may differ
  // How well circuits, backups and components go is put on record (HealthChanged) once it has been
  // other than what is there for so long; 0 = it is not.
  Duration health_hold{0};
  BackupOptions backups;  // made by the engine itself, beside its work
  // Sees every event once it is durable, in order, with the state behind it. Called on the
  // engine's own thread: must return soon and must not call the engine's blocking functions.
  std::function<void(const State&, std::span<const RecordedEvent>)> on_events;
  // Told of every move of a circuit once, in order, when it is durable. As on_events.
  std::function<void(const CircuitMove&)> on_circuit;
  ContextOptions contexts;                // which fields there are of users
  std::vector<ComponentSpec> components;  // kept in working order, beside the work
  // Told of every switch of a component once, in order, when it is durable. As on_events.
  std::function<void(const ComponentSwitch&)> on_component;
  // Whether, and how, GPUs and their memory are looked at (docs/guides/gpu.md). Without, nothing is
  // known of them.
  std::optional<GpuWatchOptions> gpu_watch;
  // Told of every device that comes or goes, and of every alert, once, in order, when it is
  // durable. As on_events.
  std::function<void(const GpuChange&)> on_gpu;
  ModelOptions models;                           // of what is loaded into the memory of those GPUs
  std::vector<AnyInlineProjection> projections;  // see inline_projection.h
  // Says which of the ready tasks should begin first; none = the built-in order decides.
  std::optional<AdvisorSpec> advisor;
};

struct TakeOptions {
  std::uint32_t tokens = 1;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

// Owns the log, a loop on a thread of its own and threads of handlers. All may be called from any
// thread. Blocking ones return when the outcome is on disk; on its own thread `refused` at once.
class Engine {
 public:
  // Opens or makes the folder's log, folds what lies behind its newest checkpoint that serves, and
  // takes back what an engine that died there was running. Errors: those of Log::open and
  // reach_state(), invalid (options), storage_full.
  [[nodiscard]] static Result<std::unique_ptr<Engine>> open(EngineOptions options);
  // Stops as stop() does and waits, also for a last checkpoint; handlers that do not return keep it
  // waiting.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // From now on tasks of this kind run through `handler`, if their version is one of these. Those
  // that waited for one start. Stops the program when asked for "command", which the engine runs
  // itself, or for no version at all.
  void handle(std::string kind, Handler handler, VersionRange versions = {});
  // The same with several, in order of preference: an attempt begins by the first that can be used,
  // and goes on by the next where that has failed. Errors: invalid.
  [[nodiscard]] Result<void> handle(std::string kind, std::vector<Implementation> implementations,
                                    VersionRange versions = {});

  // All tasks or none. Errors: invalid, conflict (idempotency key, or what is unique and to be
  // refused), busy (the mailbox is full), stopped, storage_full, unknown_outcome.
  [[nodiscard]] Result<Submitted> submit(TaskSpec task);
  // Takes a vector by its type alone: {.kind = "a", .payload = "b"} is one task, not the two ends
  // of some range.
  template <std::same_as<std::vector<TaskSpec>> Tasks>
  [[nodiscard]] Result<std::vector<Submitted>> submit(Tasks tasks) {
    return submit_all(std::move(tasks));
  }
  [[nodiscard]] Result<std::vector<Submitted>> submit(std::initializer_list<TaskSpec> tasks) {
    return submit_all(tasks);
  }
  // Without waiting: `done` is called once, on the engine's thread, and must return soon.
  void submit(std::vector<TaskSpec> tasks,
              std::function<void(Result<std::vector<Submitted>>)> done);

  // A task that is not running is cancelled, a running one told to stop.
  // Errors: not_found, conflict (it has ended), and those of submit().
  // With `expected` only what was changed last by that event (Task::changed); else it is a conflict
  // too.
  [[nodiscard]] Result<CancelOutcome> cancel(TaskId id, std::string reason = "cancelled",
                                             std::optional<Position> expected = {});
  // Changes tasks as TaskChange says (command.h); answers how many. All or none, or with `skip`
  // those that can be. At most 10,000 in one call. Errors: not_found, conflict (the state of
  // one does not allow it), and those of submit().
  enum class Conflicts : std::uint8_t { refuse, skip };
  [[nodiscard]] Result<std::size_t> change(TaskChange change, std::vector<TaskId> ids,
                                           std::string reason = {},
                                           Conflicts conflicts = Conflicts::refuse,
                                           std::optional<Position> expected = {});
  // No attempt begins any more in a queue, or of a kind; what runs goes on. Resumed, they do.
  [[nodiscard]] Result<void> pause(PauseScope scope, std::string name);
  [[nodiscard]] Result<void> resume(PauseScope scope, std::string name);
  // Puts on record who asked for what, and who was turned away (audit_note.h), in front of what is
  // asked for by this thread from now on; returns at once. `done` as above. Errors: invalid (too
  // many), and those of submit().
  void record(std::vector<AuditNote> notes, std::function<void(Result<void>)> done);
  // Puts events of the program's own into the log (event_spec.h), in order with the engine's: all
  // of them or none, in one append. Those whose key was used for the same before are stored once,
  // and answered with where they are. Errors: invalid, conflict (a key that stands for something
  // else), and those of submit().
  [[nodiscard]] Result<AppendedEvent> append(EventSpec event);
  template <std::same_as<std::vector<EventSpec>> Events>
  [[nodiscard]] Result<std::vector<AppendedEvent>> append(Events events) {
    return append_all(std::move(events));
  }
  // Without waiting: `done` is called once, on the engine's thread, and must return soon.
  void append(std::vector<EventSpec> events,
              std::function<void(Result<std::vector<AppendedEvent>>)> done);
  // Decides about tasks under review (snapshots/review.h), all or none. Errors: not_found, conflict
  // (one is not under review), and those of submit().
  [[nodiscard]] Result<void> review(std::vector<TaskId> ids, ReviewDecision decision);
  // Attempts of the queue that may run at once; 0 = as many as the engine has slots.
  [[nodiscard]] Result<void> configure_queue(std::string queue, std::uint32_t slots);
  // The same for all its settings, among them which of its ready tasks runs next.
  // Errors: invalid, and those of submit().
  [[nodiscard]] Result<void> configure_queue(ConfigureQueue settings);

  // From now on tasks can be submitted to a group of this name (TaskSpec::group), until it is
  // closed. Tasks that come after it (TaskSpec::after_group) begin when it is closed and all of its
  // tasks have ended. Where it is open already nothing happens. Errors: invalid, conflict (one of
  // this name is closed and still kept), and those of submit().
  [[nodiscard]] Result<void> open_group(std::string name);
  // Errors: not_found, and those of submit().
  [[nodiscard]] Result<void> close_group(std::string name);
  // Closes it and cancels its tasks, some thousands at a time; answers how many. Errors: as above.
  [[nodiscard]] Result<std::size_t> cancel_group(std::string name,
                                                 std::string reason = "cancelled");

  // From now on there is this schedule, or the one of its name is this one; where it was already,
  // nothing happens. Errors: invalid, and those of submit().
  [[nodiscard]] Result<void> define_schedule(ScheduleSpec schedule);
  // Until it is resumed its instants pass. Errors of these: not_found, conflict (it is paused, or
  // is not), and those of submit().
  [[nodiscard]] Result<void> pause_schedule(std::string name, std::string reason = {});
  [[nodiscard]] Result<void> resume_schedule(std::string name);
  // What it has enqueued stays.
  [[nodiscard]] Result<void> remove_schedule(std::string name);
  // From now on these are all whose names begin so, in one append. Errors: those of
  // define_schedule(), of the first that is refused; then nothing is changed.
  [[nodiscard]] Result<void> set_schedules(std::string prefix, std::vector<ScheduleSpec> schedules);
  // How much there is of something that tasks ask for (TaskSpec::demands); nothing set lifts the
  // limit. What names mean: projections/resource_limits.h. What runs goes on, whatever it holds.
  [[nodiscard]] Result<void> configure_limit(std::string name, LimitSetting setting);
  // Takes tokens of a service, beside those its tasks take: the rate is that of the limit of its
  // name, of its family, of "*", or else 60 a minute and 10 at once. Each take is on disk when it
  // is answered. Those that wait for one service have their tokens in the order in which they came.
  // Errors: refused (more than there ever are), and those of submit().
  [[nodiscard]] Result<bool> try_take(std::string service, std::uint32_t tokens = 1);
  // Waits for them. False when the time is up before they are there.
  [[nodiscard]] Result<bool> take(std::string service, TakeOptions options = {});
  // Without waiting: `done` is called once, on the engine's thread, and must return soon.
  void take(std::string service, TakeOptions options, std::function<void(Result<bool>)> done);

  // How the circuit of a service moves; without probes the setting is lifted. Tasks that ask for
  // the service (TaskSpec::demands) wait while it is open. What names mean: projections/circuits.h.
  // Errors: invalid, and those of submit().
  [[nodiscard]] Result<void> configure_circuit(std::string service, CircuitSetting setting = {});
  // By an operator: to forced_open, forced_closed, or closed, from where it goes by its setting
  // again. Errors: as above.
  [[nodiscard]] Result<void> force_circuit(std::string service, CircuitState to,
                                           std::string reason = {});
  // The same options of a pool whose events are on record from now on, beside what on_event does:
  // for Pool<T>::open(). The pool dies before the engine. What it tells while the log or the
  // mailbox is full, or after the engine has stopped, is missing. Errors: invalid (its name).
  [[nodiscard]] Result<PoolOptions> on_record(PoolOptions options);

  // For requests of the program itself, beside tasks; lives as long as the engine. A service
  // without a setting goes by the default one. Errors: invalid (its name).
  [[nodiscard]] Result<CircuitGate*> circuit(const std::string& service);
  // For workers elsewhere: programs that run tasks in processes of their own and say by heartbeats
  // that they live. What waits goes to them by the same choice as to handlers (dispatch.h).
  // Whatever is said of a lease is a sign of life, and what is answered is on disk, but for
  // heartbeats, which never are. A lease goes on through a stop or a crash of the engine: the next
  // one gives it its whole time anew.
  //
  // Begins attempts of what may run, up to spec.tasks_max; waits for the first of them, and answers
  // none when there is none in time. Who no longer wants what it is given gives it back.
  // Errors: invalid, and those of submit().
  [[nodiscard]] Result<std::vector<LeasedTask>> lease(LeaseSpec spec);
  // Without waiting: this and every `done` below is called once, on the engine's thread, and must
  // return soon.
  void lease(LeaseSpec spec, std::function<void(Result<std::vector<LeasedTask>>)> done);
  // Says that they live; at least once in each lease time, better three times. One answer for each.
  // Errors: invalid (too many), busy, stopped.
  [[nodiscard]] Result<std::vector<LeaseStatus>> heartbeat(std::vector<HeldLease> leases);
  void heartbeat(std::vector<HeldLease> leases,
                 std::function<void(Result<std::vector<LeaseStatus>>)> done);
  // As Attempt::progress. Errors of these: refused (the lease is gone, or of another log), and
  // those of submit().
  [[nodiscard]] Result<void> report_progress(HeldLease lease, ProgressReport progress);
  void report_progress(HeldLease lease, ProgressReport progress,
                       std::function<void(Result<void>)> done);
  // What the attempt has come to, as a handler would answer it. While there is no space for it on
  // the disk it waits.
  [[nodiscard]] Result<void> finish(HeldLease lease, Outcome outcome);
  void finish(HeldLease lease, Outcome outcome, std::function<void(Result<void>)> done);
  // The worker stops: the task is ready again, and the attempt does not count.
  [[nodiscard]] Result<void> give_back(HeldLease lease);
  void give_back(HeldLease lease, std::function<void(Result<void>)> done);

  // Stores, changes and forgets entries in one append, all or nothing; answers the numbers of those
  // it stored, in their order. They are in state()->memories (projections/memory.h), where those of
  // users are sealed (user_contexts.h). Errors: invalid (the field is named), not_found (also a
  // user's key), conflict (MemoryUpdate::expected; a user was forgotten meanwhile), refused (an
  // entry was forgotten with its user), those of keeping a key, and those of submit().
  [[nodiscard]] Result<std::vector<MemoryId>> change_memories(MemoryTransaction transaction);
  void change_memories(MemoryTransaction transaction,
                       std::function<void(Result<std::vector<MemoryId>>)> done);
  // The same for one entry, or for what is forgotten.
  [[nodiscard]] Result<MemoryId> remember(MemorySpec memory);
  [[nodiscard]] Result<void> update_memory(MemoryUpdate update);
  [[nodiscard]] Result<void> forget_memories(std::vector<MemoryId> ids, std::string reason = {});
  // An entry as it is now, opened. Errors: not_found (also its user's key), refused (it was
  // forgotten with its user), corrupt.
  [[nodiscard]] Result<MemoryVersion> memory(MemoryId id) const;
  // Stores an entry in the place of many (memory_consolidation.h), in one append: what `sum_up`
  // makes of them, opened, the oldest first. Called on this thread. Errors: not_found (there are
  // none), those of `sum_up` and of change_memories().
  [[nodiscard]] Result<MemoryId> consolidate_memories(
      Consolidation consolidation,
      const std::function<Result<MemorySpec>(const std::vector<MemoryHit>&)>& sum_up);
  // What is remembered now and durable, by an index that the first search makes and each brings up
  // to date (memory_index.h). Several search at once. Errors: invalid.
  [[nodiscard]] Result<std::vector<MemoryHit>> search_memories(MemoryQuery query);

  // An implementation of a component has failed in use: the next one is used from now on, as
  // on_component tells, and this one is looked at. Any number of times; of what is not used any
  // more nothing is said.
  void component_failed(std::string component, std::string implementation, std::string reason);
  // By an operator: its attempts begin anew, by this strategy if one is named. Errors: not_found,
  // conflict (it is repaired, nothing is wrong with it), refused (the component does not allow it),
  // and those of submit().
  [[nodiscard]] Result<void> repair_component(std::string component, std::string implementation,
                                              std::optional<RepairStrategy> strategy = {});
  // By an operator: used as long as it is healthy; empty = by order of preference again. Errors:
  // not_found, conflict (it is not healthy), and those of submit().
  [[nodiscard]] Result<void> switch_component(std::string component, std::string implementation);
  // Looks at all implementations of a component, or of all, now; returns at once.
  void check_components(const std::string& component = {});
  // Looks at all GPUs now; returns at once.
  void check_gpus();

  // From now on there is this model, and nothing is loaded yet; where it was already, it is what is
  // said now, and loaded where it was. The functions of a model are those of this call, and none of
  // an engine that is opened again. Errors: invalid, and those of submit().
  [[nodiscard]] Result<void> register_model(ModelSpec model);
  // By an operator: whether it never gives way, and to whom it does. Errors: not_found, and those
  // of submit().
  [[nodiscard]] Result<void> change_model(std::string model, std::optional<bool> is_pinned,
                                          std::optional<std::int32_t> priority = {});
  // Errors: not_found, conflict (it is loaded), and those of submit().
  [[nodiscard]] Result<void> remove_model(std::string model);
  // Loads it where it is not there, makes room for that, or takes its alternative; stays as long as
  // the lease does. Needs an engine that watches GPUs. Errors: not_found, refused (no GPU is
  // watched), timed_out (with the numbers), model_loading (its load has failed), stopped.
  [[nodiscard]] Result<ModelLease> use_model(std::string model, ModelUseOptions options = {});
  // Without waiting: `done` is called once, on a thread of the engine or on this one, and must
  // return soon.
  void use_model(std::string model, ModelUseOptions options,
                 std::function<void(Result<ModelLease>)> done);
  // Waits until nobody uses it and it is gone, also where it is pinned. Errors: not_found, refused,
  // timed_out, stopped.
  [[nodiscard]] Result<void> unload_model(
      std::string model, std::chrono::milliseconds timeout = std::chrono::minutes(2));
  // All that are registered, in the order of their names, and who uses them.
  [[nodiscard]] std::vector<ModelStatus> models() const;

  // What is known of users; lives as long as the engine.
  [[nodiscard]] UserContexts& contexts() const;

  // Trims the log (log/trim.h) while the engine runs. What tasks still need of the front is written
  // again at the end first, so that no old task keeps it, unless that is more than half as many
  // events as would go. A checkpoint is written, and the front goes as far as the one before that:
  // nothing where there was none.
  // Errors: those of Log::trim, storage_full, stopped, refused (this engine writes no checkpoints).
  [[nodiscard]] Result<EngineTrimReport> trim(const TrimOptions& options);

  // What is durable now. Immutable; keep it as long as you like.
  [[nodiscard]] std::shared_ptr<const State> state() const;
  // The same, with the values of inline projections at its position.
  [[nodiscard]] std::shared_ptr<const Publication> published() const;
  // Waits until a published state satisfies `wanted`; false when the engine ends or the time is
  // up before one does. On the engine's own thread, which publishes, it answers at once whether the
  // newest one does, and warns.
  bool wait(const std::function<bool(const State&)>& wanted,
            std::optional<std::chrono::milliseconds> timeout = {}) const;
  // For reading payloads, results and outputs by position.
  [[nodiscard]] const Log& log() const;

  // Takes no more work and returns at once; attempts end or are handed back (see EngineOptions).
  void stop();
  // The same without any grace.
  void stop_at_once();
  // One of these was called, or a signal came.
  [[nodiscard]] bool stopping() const;
  // Errors: refused (on the engine's own thread, which it would wait for).
  Result<void> wait_until_stopped() const;
  [[nodiscard]] bool stopped() const;
  // False from a write that found no room on until one finds some: new work is refused meanwhile,
  // with storage_full, and ends are kept.
  [[nodiscard]] bool has_room() const;
  // Why the engine ended by itself; nothing while it runs and when it was stopped.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  struct Parts;
  explicit Engine(std::unique_ptr<Parts> parts);
  [[nodiscard]] Result<std::vector<Submitted>> submit_all(std::vector<TaskSpec> tasks);
  [[nodiscard]] Result<std::vector<AppendedEvent>> append_all(std::vector<EventSpec> events);
  void tell(Command command, std::function<void(Result<Answer>)> done);
  [[nodiscard]] Result<Answer> ask(Command command);
  [[nodiscard]] Result<void> ask_without_answer(Command command);
  void tell_without_answer(Command command, std::function<void(Result<void>)> done);
  void set_handlers(SetImplementations command, std::vector<Implementation> implementations);
  std::unique_ptr<Parts> parts_;
};

}  // namespace almanac
