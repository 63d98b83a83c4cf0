// What can be asked of the engine. Commands own their data: the events decided from them point
// into it until they are on disk.
#pragma once

#include <almanac/engine/audit_note.h>
#include <almanac/engine/backup_spec.h>
#include <almanac/engine/component_spec.h>
#include <almanac/engine/event_spec.h>
#include <almanac/engine/gpu_options.h>
#include <almanac/engine/lease_spec.h>
#include <almanac/engine/memory_spec.h>
#include <almanac/engine/model_spec.h>
#include <almanac/engine/pool_options.h>
#include <almanac/engine/schedule_spec.h>
#include <almanac/engine/steady_time.h>
#include <almanac/engine/task_spec.h>
#include <almanac/log/event.h>
#include <almanac/log/fencing_token.h>
#include <almanac/projections/circuits.h>
#include <almanac/projections/contexts.h>
#include <almanac/projections/memory_content.h>
#include <almanac/projections/resource_limits.h>
#include <almanac/snapshots/review.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac {

struct EnqueueTasks {
  std::vector<TaskSpec> tasks;
};

struct CancelTask {
  TaskId id;
  std::string reason;
  std::optional<Position> expected = {};  // Task::changed; none = whatever it is
};

// All of them or none.
struct ReviewTasks {
  std::vector<TaskId> ids;
  ReviewDecision decision = ReviewDecision::run;
};

enum class TaskChange : std::uint8_t {
  cancel,
  retry,   // of failed tasks: they run again, their failures and crashes forgiven
  pause,   // of those that do not run
  resume,  // of those that were paused
  hasten,  // of delayed ones: they are ready now, whatever their time
  forget,  // of those that have ended: they leave the state now, and not after their retention
};

struct ChangeTasks {
  std::vector<TaskId> ids;
  TaskChange change = TaskChange::cancel;
  std::string reason;
  bool skips = false;                     // those that cannot be changed so; else it is all or none
  std::optional<Position> expected = {};  // Task::changed of each; none = whatever it is
};

struct PauseWork {
  PauseScope scope = PauseScope::queue;
  std::string name;
  bool pause = true;  // or resume
};

// What is not named stays as it is. Another policy begins with its own defaults.
struct ConfigureQueue {
  std::string queue;
  std::optional<std::uint32_t> slots = {};  // 0 = as many as the engine has
  std::optional<QueuePolicy> policy = {};
  std::optional<Duration> ageing = {};  // see projections/policy.h for these
  std::optional<Duration> window = {};
  std::optional<Duration> short_work = {};
  std::map<std::string, std::int32_t> weights = {};  // of parts of the score, or of owners
  // How long tasks are kept from their end on: 0 = as the engine is told, or retained_for_ever.
  std::optional<Duration> retain_succeeded = {};
  std::optional<Duration> retain_failed = {};
  std::optional<Duration> retain_cancelled = {};
};

struct OpenGroup {
  std::string name;
};

// From now on it takes no more tasks.
struct CloseGroup {
  std::string name;
};

struct DefineSchedule {
  ScheduleSpec schedule;
};

// All schedules whose names begin so, together: those there are from now on.
struct SetSchedules {
  std::string prefix;
  std::vector<ScheduleSpec> schedules;
};

enum class ScheduleChange : std::uint8_t { pause, resume, remove };

struct ChangeSchedule {
  std::string name;
  ScheduleChange change = ScheduleChange::pause;
  std::string reason = {};  // of a pause
};

// What tasks still need from the front of the log, written again at its end, so that the front may
// go. What is needed no longer is left out.
struct CarryTasks {
  struct One {
    Position from;  // where it is read now
    Event event;    // TaskRequestCarried or TaskResultCarried
  };
  std::vector<One> what;
  std::shared_ptr<const void> memory;  // what the events point at
};

// With nothing set the limit is lifted. What names mean: projections/resource_limits.h.
struct ConfigureLimit {
  std::string name;
  LimitSetting setting;
};

// By the program, without a task. Answered with whether they were taken: at once when they are
// there, else as soon as they are, and at `until` at the latest.
struct TakeTokens {
  std::string limit;
  std::uint32_t tokens = 1;
  Time until;
};

// What names mean: projections/circuits.h. Without probes the setting is lifted.
struct ConfigureCircuit {
  std::string service;
  CircuitSetting setting;
};

struct ForceCircuit {
  std::string service;
  CircuitState to = CircuitState::closed;  // by its setting again; or forced_open, forced_closed
  std::string reason = {};
};

// What requests of programs came to since the last time, or one that was a probe.
struct ObserveCircuit {
  std::string service;
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t trailing_failures = 0;
  Duration took{0};
  Position probe = {};
};

// Asks whether a program may make a request while the circuit is half open.
struct ProbeCircuit {
  std::string service;
};

// The service has said that it is asked too often.
struct ReportRateLimit {
  std::string service;
  Time until;
};

// How an attempt ended, owned. What AttemptEnd is a view of.
struct AttemptOutcome {
  AttemptStatus status = AttemptStatus::succeeded;
  std::int32_t code = 0;
  std::uint64_t output_dropped = 0;
  std::string message;
  std::string result;
  std::string output;
  bool permanent = false;     // another attempt would fail as well
  bool crashed = false;       // its process was ended by a signal that was not ours
  Time snooze_until;          // set: it is no end, the attempt asks to be made again then, …
  bool rate_limited = false;  // … as services were asked too often: this one, or all it asks for
  std::string service = {};
  Time retry_at = {};  // of a failure: when the next attempt begins; not set = by the backoff
  std::vector<MemorySpec> memories = {};  // stored with a success
};

// From a handler, or a worker elsewhere. Refused when the lease is no longer the task's, or another
// timeline's.
struct FinishAttempt {
  TaskId id;
  FencingToken token;
  AttemptOutcome outcome;
  UserKeyRing keys = {};  // of whose memories are in it
};

// From a handler, or a worker elsewhere. Told too soon after the last time it is dropped
// (limits.h).
struct ReportProgress {
  TaskId id;
  FencingToken token;
  std::uint16_t permille = 0;
  std::string message;
  std::string partial;
  bool is_last = false;
};

// What runs the tasks of a kind from now on, in order of preference; none = one handler. And which
// versions of them.
struct SetImplementations {
  struct One {
    std::string name;
    std::uint32_t attempts = 1;
    bool has_probe = false;
  };
  std::string kind;
  std::vector<One> implementations;
  VersionRange versions = {};
};

// What a probe has said.
struct ReportProbe {
  std::string kind;
  std::string implementation;
  bool is_usable = true;
  std::string reason;        // why not
  bool has_answered = true;  // else it took too long, and still runs
};

// From a pool of the program.
struct ReportPoolEvent {
  std::string pool;
  PoolEvent event;
};

// From the watch of GPUs.
struct ReportGpu {
  GpuReading reading;
  GpuSetting setting;
  bool is_due = false;  // all are to be sampled, whether anything has changed or not
};

// From the doors of a program: who asked for what, and who was turned away.
struct RecordAudits {
  std::vector<AuditNote> notes;
};

// From the program: events of its own. Answered with where they stand.
struct AppendEvents {
  std::vector<EventSpec> events;
};

// From an engine, or a worker elsewhere, that stops before the attempt has ended.
struct HandBackAttempt {
  TaskId id;
  FencingToken token;
};

// From a worker elsewhere. Answered with what it is given, as soon as there is some; at `until` at
// the latest, with none.
struct LeaseTasks {
  LeaseSpec spec;
  SteadyTime until;
};

// The worker of an attempt was silent for the time of its lease.
struct LapseLease {
  TaskId id;
  FencingToken token;
};

// The first command of every engine: takes back the leases of an engine that died, and says which
// backups and components there are from now on.
struct StartEngine {
  std::string version;
  std::uint64_t process_id = 0;
  std::uint32_t slots = 0;
  std::uint64_t seed = 0;
  VersionRange command_versions = {};  // which of the tasks that are commands it runs
  std::string repository;              // of the backups, as it is recorded
  std::vector<BackupSpec> backups;
  std::vector<ComponentSpec> components;  // that it keeps
};

struct StopEngine {};

// From the thread that did it: what it came to, without the run that it is of.
struct FinishBackup {
  using Outcome = std::variant<SnapshotMade, SnapshotSkipped, SnapshotsPruned, DrillPassed, Error>;
  std::string job;
  Time due;
  Duration took{0};
  Outcome outcome;
};

// What a look at an implementation of a component has shown.
struct ReportDiagnosis {
  std::string component;
  std::string implementation;
  ComponentIssue issue = ComponentIssue::none;
  std::string evidence;
  std::string version;
  Duration took{0};  // by its probe
};

// From the program that uses it.
struct ReportComponentFailure {
  std::string component;
  std::string implementation;
  std::string reason;
};

// From the thread that did it.
struct FinishRepair {
  std::string component;
  std::string implementation;
  Position repair;
  RepairOutcome outcome = RepairOutcome::done;
  ComponentIssue left = ComponentIssue::none;  // as it was diagnosed afterwards
  Duration took{0};
  std::string message = {};
};

// By an operator: what was given up is tried again, or a strategy is asked for.
struct RequestRepair {
  std::string component;
  std::string implementation;
  std::optional<RepairStrategy> strategy = {};
};

// By an operator: used as long as it can be. Empty = by order of preference again.
struct SwitchComponent {
  std::string component;
  std::string implementation;
};

// Of what the program remembers. Answered with the numbers of what it stores.
struct ChangeMemories {
  MemoryTransaction transaction;
  UserKeyRing keys = {};  // of whose entries are in it
};

// What a program has learned of a user, sealed already (context_spec.h): all of it or nothing.
struct ChangeContext {
  struct Field {
    FieldMark mark{};
    std::string content;  // empty = the field goes
  };
  std::string user;
  UserKeyId key{};
  std::vector<Field> fields;
  std::vector<std::string> turns;
  std::optional<Position> expected = {};  // version; none = whatever it is
};

// These keys were destroyed, and no event may be sealed with them; none = that of his context.
struct ForgetUser {
  std::string user;
  std::vector<UserKeyId> keys = {};
};

// From now on there is this model, or the one of its name is this one; where it was already,
// nothing happens.
struct RegisterModel {
  ModelSpec model;
};

// By an operator.
struct ChangeModel {
  std::string model;
  std::optional<bool> is_pinned = {};
  std::optional<std::int32_t> priority = {};
};

struct RemoveModel {
  std::string model;
};

// From what loads and unloads models.
struct ReportModel {
  std::string model;
  ModelStep step;
};

using Command =
    std::variant<EnqueueTasks, CancelTask, ReviewTasks, ConfigureQueue, ConfigureLimit, TakeTokens,
                 FinishAttempt, HandBackAttempt, StartEngine, StopEngine, FinishBackup,
                 DefineSchedule, ChangeSchedule, ChangeTasks, PauseWork, ReportProgress,
                 SetImplementations, ReportProbe, CarryTasks, ConfigureCircuit, ForceCircuit,
                 ObserveCircuit, ProbeCircuit, ReportRateLimit, LeaseTasks, LapseLease, OpenGroup,
                 CloseGroup, ReportDiagnosis, ReportComponentFailure, FinishRepair, RequestRepair,
                 SwitchComponent, ReportPoolEvent, ReportGpu, ChangeMemories, ChangeContext,
                 ForgetUser, RegisterModel, ChangeModel, RemoveModel, ReportModel, RecordAudits,
                 AppendEvents, SetSchedules>;

enum class CancelOutcome : std::uint8_t {
  cancelled,  // it was not running and never will
  stopping,   // it was running and has been told to stop
};

// How many tasks a command has changed.
struct Changed {
  std::size_t tasks = 0;
};

// Of ProbeCircuit.
struct CircuitAdmission {
  bool is_admitted = false;
  CircuitState state = CircuitState::closed;
  Time until = {};      // as in Circuit
  Position probe = {};  // none: the circuit had closed meanwhile
};

// Of ChangeContext: the last event about the user.
struct ContextVersion {
  Position version;
};

// What an accepted command is answered, once its events are on disk.
using Answer = std::variant<std::monostate, std::vector<Submitted>, CancelOutcome, bool, Changed,
                            CircuitAdmission, std::vector<LeasedTask>, std::vector<MemoryId>,
                            ContextVersion, std::vector<AppendedEvent>>;

}  // namespace almanac
