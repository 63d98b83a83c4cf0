// Does it see? The linker puts the functions below in front of those of the engine (--wrap), and
// each breaks one promise when it is told to. Every one of them must be caught.
#include <almanac/engine/backups.h>
#include <almanac/engine/circuits.h>
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/dispatch.h>
#include <almanac/engine/model_plan.h>
#include <almanac/engine/model_wants.h>
#include <almanac/engine/retention.h>
#include <almanac/engine/tasks.h>
#include <almanac/engine/uniqueness.h>
#include <almanac/projections/gpu_memory.h>
#include <almanac/projections/group_ends.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/tests/simulation/simulation.h>

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

// As the linker calls the function that is wrapped, and the one in front of it; CMakeLists.txt
// reads the names here.
#define ALMANAC_REAL(symbol) __asm__("__real_" symbol)
#define ALMANAC_WRAP(symbol) __asm__("__wrap_" symbol)

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

enum class Planted : std::uint8_t {
  none,
  late_result_accepted,
  foreign_result_accepted,
  cancel_forgotten,
  attempt_not_counted,
  backoff_ignored,
  lease_by_wall_clock,
  due_forgotten,
  slots_ignored,
  started_too_late,
  dependency_ignored,
  slot_not_freed,
  backup_begun_twice,
  pause_ignored,
  expiry_forgotten,
  forgotten_too_soon,
  queue_retention_ignored,
  group_over_too_soon,
  group_never_over,
  fallback_forgotten,
  left_and_used,
  limits_ignored,
  enqueued_twice,
  replaced_too_soon,
  retried_beside,
  versions_ignored,
  policy_ignored,
  weights_ignored,
  shares_ignored,
  turns_ignored,
  probe_too_many,
  move_recorded_twice,
  lapsed_too_soon,
  taken_back_from_workers,
  model_used_and_unloaded,
  model_not_loaded,
  gpu_lost_and_given,
  gpu_memory_promised_twice,
  gpu_memory_not_given_back,
  gpu_memory_given_too_late,
  gpu_memory_not_wanted,
  models_not_wanted,
  loads_at_once,
};
Planted planted = Planted::none;

}  // namespace

#define FINISH "_ZN7almanac10decide_oneERKNS_5StateERKNS_13FinishAttemptERKNS_13DecideContextE"
Result<Decision> real_finish(const State&, const FinishAttempt&, const DecideContext&)
    ALMANAC_REAL(FINISH);
Result<Decision> planted_finish(const State& state, const FinishAttempt& command,
                                const DecideContext& context) ALMANAC_WRAP(FINISH);
Result<Decision> planted_finish(const State& state, const FinishAttempt& command,
                                const DecideContext& context) {
  FencingToken token = command.token;
  const Task* task = state.tasks.all.find(command.id);
  if (planted == Planted::late_result_accepted && task != nullptr) token.lease = task->lease;
  if (planted == Planted::foreign_result_accepted) token.timeline = context.timeline;
  // Events point into the command they were decided from: a changed one has nothing to point at.
  const FinishAttempt changed{command.id, token, {.status = command.outcome.status}};
  auto decision = real_finish(state, token == command.token ? command : changed, context);
  if (!decision) return decision;
  EventBody& body = decision->events.front().body;
  auto* failed = std::get_if<TaskAttemptFailed>(&body);
  if (planted == Planted::backoff_ignored && failed != nullptr) failed->retry_at = context.now;
  if (planted == Planted::attempt_not_counted && std::holds_alternative<TaskFailed>(body)) {
    body = TaskAttemptFailed{command.id, token.lease, context.now, {}};
  }
  const auto* over = std::get_if<TaskFailedOver>(&body);
  if (planted == Planted::fallback_forgotten && over != nullptr) {
    body = TaskFailed{command.id, token.lease, AttemptEnd(over->end)};
  }
  if (planted == Planted::cancel_forgotten && std::holds_alternative<TaskCancelled>(body)) {
    body = TaskSucceeded{command.id, token.lease, {}};
  }
  return decision;
}

#define DUE "_ZN7almanac10decide_dueERKNS_5StateERKNS_13DecideContextE"
std::vector<Event> real_due(const State&, const DecideContext&) ALMANAC_REAL(DUE);
std::vector<Event> planted_due(const State& state, const DecideContext& context) ALMANAC_WRAP(DUE);
std::vector<Event> planted_due(const State& state, const DecideContext& context) {
  auto events = real_due(state, context);
  if (planted == Planted::due_forgotten) events.clear();
  if (planted == Planted::expiry_forgotten) {
    std::erase_if(events, [](const Event& event) {
      const auto* cancelled = std::get_if<TaskCancelled>(&event.body);
      return cancelled != nullptr && !cancelled->dependency;
    });
  }
  if (planted == Planted::lapsed_too_soon) {
    for (const auto& [id, lease] : state.tasks.remote) {
      const Task& task = *state.tasks.all.find(id);
      if (task.state != TaskState::running || context.now < task.started_at + lease.time) continue;
      const AttemptEnd end{.status = AttemptStatus::crashed, .message = "long ago"};
      events.push_back({.at = context.now,
                        .body = crashed(state, id, HandBackReason::silent, end, context.memory)});
    }
  }
  if (planted != Planted::lease_by_wall_clock) return events;
  for (const RunningKey& key : state.tasks.running) {
    const Task& task = *state.tasks.all.find(key.id);
    if (task.state != TaskState::running || context.now < task.started_at + 5min) continue;
    events.push_back({.at = context.now,
                      .body = TaskHandedBack{key.id, task.lease, HandBackReason::engine_died}});
  }
  return events;
}

#define STARTS                                                       \
  "_ZN7almanac13decide_startsERKNS_5StateERKNS_13DecideContextERKSt" \
  "8functionIFbSt17basic_string_viewIcSt11char_traitsIcEEEERKNS_12StartOptionsE"
Starts real_starts(const State&, const DecideContext&, const CanRun&, const StartOptions&)
    ALMANAC_REAL(STARTS);
Starts planted_starts(const State& state, const DecideContext& context, const CanRun& can_run,
                      const StartOptions& options) ALMANAC_WRAP(STARTS);
Starts planted_starts(const State& state, const DecideContext& context, const CanRun& can_run,
                      const StartOptions& options) {
  State changed = state;
  if (planted == Planted::slots_ignored) changed.queues = {};
  if (planted == Planted::pause_ignored) changed.pauses = {};
  if (planted == Planted::limits_ignored) changed.limits = {};
  if (planted == Planted::probe_too_many) {
    for (const auto& [service, circuit] : state.circuits.all) {
      if (circuit.state != CircuitState::half_open) continue;
      ++changed.circuits.all.edit(service)->probes;
    }
  }
  if (planted == Planted::versions_ignored) changed.implementations.versions = {};
  if (planted == Planted::left_and_used) {
    for (const auto& [place, status] : state.implementations.all) {
      changed.implementations.all.edit(place)->left = Position();
    }
  }
  if (planted == Planted::started_too_late && changed.engine.slots > 1) --changed.engine.slots;
  return real_starts(changed, context, can_run, options);
}

#define START "_ZN7almanac10decide_oneERKNS_5StateERKNS_11StartEngineERKNS_13DecideContextE"
Result<Decision> real_start(const State&, const StartEngine&, const DecideContext&)
    ALMANAC_REAL(START);
Result<Decision> planted_start(const State& state, const StartEngine& command,
                               const DecideContext& context) ALMANAC_WRAP(START);
Result<Decision> planted_start(const State& state, const StartEngine& command,
                               const DecideContext& context) {
  State changed = state;
  if (planted == Planted::taken_back_from_workers) changed.tasks.remote = {};
  return real_start(changed, command, context);
}

#define CIRCUITS "_ZN7almanac15decide_circuitsERKNS_5StateERKNS_13DecideContextE"
std::vector<Event> real_circuits(const State&, const DecideContext&) ALMANAC_REAL(CIRCUITS);
std::vector<Event> planted_circuits(const State& state, const DecideContext& context)
    ALMANAC_WRAP(CIRCUITS);
std::vector<Event> planted_circuits(const State& state, const DecideContext& context) {
  auto events = real_circuits(state, context);
  if (planted == Planted::move_recorded_twice && !events.empty()) events.push_back(events.back());
  return events;
}

#define POLICY "_ZN7almanac10set_policyERNS_5TasksERNS_5NamesERKNS_15QueueConfiguredE"
void real_policy(Tasks&, Names&, const QueueConfigured&) ALMANAC_REAL(POLICY);
void planted_policy(Tasks& tasks, Names& names, const QueueConfigured& event) ALMANAC_WRAP(POLICY);
void planted_policy(Tasks& tasks, Names& names, const QueueConfigured& event) {
  QueueConfigured changed = event;
  const bool is_fair = event.policy == QueuePolicy::fair;
  if (planted == Planted::weights_ignored && !is_fair) changed.weights = {};
  if (planted == Planted::shares_ignored && is_fair) changed.weights = {};
  if (planted == Planted::turns_ignored && is_fair) changed.policy = QueuePolicy::fifo;
  if (planted != Planted::policy_ignored) real_policy(tasks, names, changed);
}

#define ENQUEUED "_ZN7almanac4foldERNS_5TasksERNS_5NamesERKNS_10EventPlaceERKNS_12TaskEnqueuedE"
bool real_enqueued(Tasks&, Names&, const EventPlace&, const TaskEnqueued&) ALMANAC_REAL(ENQUEUED);
bool planted_enqueued(Tasks& tasks, Names& names, const EventPlace& place,
                      const TaskEnqueued& event) ALMANAC_WRAP(ENQUEUED);
bool planted_enqueued(Tasks& tasks, Names& names, const EventPlace& place,
                      const TaskEnqueued& event) {
  TaskEnqueued changed = event;
  if (planted == Planted::dependency_ignored) changed.dependencies = {};
  return real_enqueued(tasks, names, place, changed);
}

#define SUCCEEDED "_ZN7almanac4foldERNS_5TasksERNS_5NamesERKNS_10EventPlaceERKNS_13TaskSucceededE"
bool real_succeeded(Tasks&, Names&, const EventPlace&, const TaskSucceeded&)
    ALMANAC_REAL(SUCCEEDED);
bool planted_succeeded(Tasks& tasks, Names& names, const EventPlace& place,
                       const TaskSucceeded& event) ALMANAC_WRAP(SUCCEEDED);
bool planted_succeeded(Tasks& tasks, Names& names, const EventPlace& place,
                       const TaskSucceeded& event) {
  const GpuPlace* given = tasks.on_gpu.find(event.id);
  const auto place_of_gpu = given == nullptr ? std::nullopt : std::optional(*given);
  const bool moved = real_succeeded(tasks, names, place, event);
  if (planted == Planted::gpu_memory_not_given_back && moved && place_of_gpu) {
    tasks.on_gpu.set(event.id, *place_of_gpu);
  }
  if (planted == Planted::slot_not_freed && moved) {
    tasks.running.insert({tasks.all.find(event.id)->queue, event.id});
  }
  return moved;
}

#define FORGETTING                                                        \
  "_ZN7almanac17decide_forgettingERKNS_5StateERKNS_13DecideContextERKNS_" \
  "13TaskRetentionENS_6NumberINS_9TaskIdTagEEE"
Forgetting real_forgetting(const State&, const DecideContext&, const TaskRetention&, TaskId)
    ALMANAC_REAL(FORGETTING);
Forgetting planted_forgetting(const State& state, const DecideContext& context,
                              const TaskRetention& retention, TaskId before)
    ALMANAC_WRAP(FORGETTING);
Forgetting planted_forgetting(const State& state, const DecideContext& context,
                              const TaskRetention& retention, TaskId before) {
  State changed = state;
  if (planted == Planted::forgotten_too_soon) changed.tasks.needed_by = {};
  if (planted == Planted::queue_retention_ignored) changed.queues.retention = {};
  return real_forgetting(changed, context, retention, before);
}

#define END_IN_GROUP "_ZN7almanac12end_in_groupERNS_5TasksENS_6NumberINS_9TaskIdTagEEE"
std::vector<TaskId> real_end_in_group(Tasks&, TaskId) ALMANAC_REAL(END_IN_GROUP);
std::vector<TaskId> planted_end_in_group(Tasks& tasks, TaskId id) ALMANAC_WRAP(END_IN_GROUP);
std::vector<TaskId> planted_end_in_group(Tasks& tasks, TaskId id) {
  const GroupId* found = tasks.groups.group_of.find(id);
  const GroupId group = found == nullptr ? GroupId() : *found;
  auto unblocked = real_end_in_group(tasks, id);
  if (planted == Planted::group_never_over) return {};
  if (planted != Planted::group_over_too_soon || !group) return unblocked;
  // Those that wait for it alone begin with the first end.
  for (TaskId waiting : tasks.groups.waiting_for(group)) {
    const Task& task = *tasks.all.find(waiting);
    if (task.state != TaskState::waiting || task.waiting_for > 1) continue;
    tasks.groups.stop_waiting(waiting);
    unblocked.push_back(waiting);
  }
  return unblocked;
}

#define IN_THE_WAY                                                                \
  "_ZN7almanac10in_the_wayERKNS_5StateERKNS_10UniquenessENSt6chrono8durationIlSt" \
  "5ratioILl1ELl1000000EEEENS6_10time_pointINS6_3_V212system_clockESA_EE"
std::vector<TaskId> real_in_the_way(const State&, const Uniqueness&, Duration, Time)
    ALMANAC_REAL(IN_THE_WAY);
std::vector<TaskId> planted_in_the_way(const State& state, const Uniqueness& unique, Duration lasts,
                                       Time now) ALMANAC_WRAP(IN_THE_WAY);
std::vector<TaskId> planted_in_the_way(const State& state, const Uniqueness& unique, Duration lasts,
                                       Time now) {
  if (planted == Planted::enqueued_twice) return {};
  return real_in_the_way(state, unique, lasts, now);
}

#define STOPPING "_ZN7almanac11stopping_ofERKNS_5StateERKNS_12TaskIdentityE"
std::vector<TaskId> real_stopping(const State&, const TaskIdentity&) ALMANAC_REAL(STOPPING);
std::vector<TaskId> planted_stopping(const State& state, const TaskIdentity& identity)
    ALMANAC_WRAP(STOPPING);
std::vector<TaskId> planted_stopping(const State& state, const TaskIdentity& identity) {
  if (planted == Planted::replaced_too_soon) return {};
  return real_stopping(state, identity);
}

#define LIVE_OTHER "_ZN7almanac10live_otherERKNS_5StateENS_6NumberINS_9TaskIdTagEEE"
std::optional<TaskId> real_live_other(const State&, TaskId) ALMANAC_REAL(LIVE_OTHER);
std::optional<TaskId> planted_live_other(const State& state, TaskId id) ALMANAC_WRAP(LIVE_OTHER);
std::optional<TaskId> planted_live_other(const State& state, TaskId id) {
  if (planted == Planted::retried_beside) return std::nullopt;
  return real_live_other(state, id);
}

#define BACKUPS "_ZN7almanac14decide_backupsERKNS_5StateERKNS_13DecideContextE"
std::vector<Event> real_backups(const State&, const DecideContext&) ALMANAC_REAL(BACKUPS);
std::vector<Event> planted_backups(const State& state, const DecideContext& context)
    ALMANAC_WRAP(BACKUPS);
std::vector<Event> planted_backups(const State& state, const DecideContext& context) {
  auto events = real_backups(state, context);
  if (planted != Planted::backup_begun_twice || events.empty()) return events;
  auto& started = std::get<BackupStarted>(events.front().body);
  started.next = started.due;  // as where an hour comes twice
  return events;
}

#define TASKS_WITH "_ZN7almanac10tasks_withERKNS_5StateENS_6NameIdE"
std::uint64_t real_tasks_with(const State&, NameId) ALMANAC_REAL(TASKS_WITH);
std::uint64_t planted_tasks_with(const State& state, NameId model) ALMANAC_WRAP(TASKS_WITH);
std::uint64_t planted_tasks_with(const State& state, NameId model) {
  return planted == Planted::model_used_and_unloaded ? 0 : real_tasks_with(state, model);
}

#define ROOM_FOR                                                                   \
  "_ZN7almanac8room_forERKNS_5StateERKNS_9LaneClaimENSt6chrono10time_pointINS6_3_" \
  "V212system_clockENS6_8durationIlSt5ratioILl1ELl1000000EEEEEE"
ClaimRoom real_room_for(const State&, const LaneClaim&, Time) ALMANAC_REAL(ROOM_FOR);
ClaimRoom planted_room_for(const State& state, const LaneClaim& claim, Time now)
    ALMANAC_WRAP(ROOM_FOR);
ClaimRoom planted_room_for(const State& state, const LaneClaim& claim, Time now) {
  ClaimRoom room = real_room_for(state, claim, now);
  const bool is_planted = planted == Planted::model_not_loaded && claim.on == ClaimOn::model;
  if (is_planted && state.models.all.find(claim.limit)->gpu) room.free = room.most;
  return room;
}

#define TO_GIVE                                                                      \
  "_ZN7almanac14memory_to_giveERKNS_5StateENS_6NameIdENSt6chrono10time_pointINS4_3_" \
  "V212system_clockENS4_8durationIlSt5ratioILl1ELl1000000EEEEEE"
std::uint64_t real_to_give(const State&, NameId, Time) ALMANAC_REAL(TO_GIVE);
std::uint64_t planted_to_give(const State& state, NameId gpu, Time now) ALMANAC_WRAP(TO_GIVE);
std::uint64_t planted_to_give(const State& state, NameId gpu, Time now) {
  State changed = state;
  if (planted == Planted::gpu_lost_and_given) {
    changed.gpu.devices.edit(gpu)->presence = GpuPresence::present;
  }
  if (planted == Planted::gpu_memory_promised_twice) changed.tasks.on_gpu = {};
  const bool is_late = planted == Planted::gpu_memory_given_too_late && !state.tasks.on_gpu.empty();
  return is_late ? 0 : real_to_give(changed, gpu, now);
}

#define WANTED_MEMORY "_ZN7almanac13wanted_memoryERKNS_5StateE"
std::map<MemoryWish, Time> real_wanted_memory(const State&) ALMANAC_REAL(WANTED_MEMORY);
std::map<MemoryWish, Time> planted_wanted_memory(const State& state) ALMANAC_WRAP(WANTED_MEMORY);
std::map<MemoryWish, Time> planted_wanted_memory(const State& state) {
  if (planted == Planted::gpu_memory_not_wanted) return {};
  return real_wanted_memory(state);
}

#define WANTED_MODELS "_ZN7almanac13wanted_modelsERKNS_5StateE"
std::map<NameId, Time> real_wanted_models(const State&) ALMANAC_REAL(WANTED_MODELS);
std::map<NameId, Time> planted_wanted_models(const State& state) ALMANAC_WRAP(WANTED_MODELS);
std::map<NameId, Time> planted_wanted_models(const State& state) {
  if (planted == Planted::models_not_wanted) return {};
  return real_wanted_models(state);
}

#define PLAN_LOAD "_ZN7almanac9plan_loadERKNS_9ModelRoomERKNS_5NamesENS_6NameIdE"
LoadPlan real_plan_load(const ModelRoom&, const Names&, NameId) ALMANAC_REAL(PLAN_LOAD);
LoadPlan planted_plan_load(const ModelRoom& room, const Names& names, NameId model)
    ALMANAC_WRAP(PLAN_LOAD);
LoadPlan planted_plan_load(const ModelRoom& room, const Names& names, NameId model) {
  if (planted != Planted::loads_at_once) return real_plan_load(room, names, model);
  // As if no other was on its way.
  Models models = room.models;
  for (const auto& [id, other] : room.models.all) {
    if (other.state == ModelState::loading) models.all.edit(id)->state = ModelState::resident;
  }
  ModelRoom changed{.models = models,
                    .gpus = room.gpus,
                    .uses = {},
                    .moving = {},
                    .now = room.now,
                    .held = room.held};
  return real_plan_load(changed, names, model);
}

namespace {

// What the first run said that caught it.
std::string caught(Planted fault) {
  constexpr std::uint64_t runs = 2'000;
  set_verbosity(Verbosity::quiet);
  std::string violation;
  planted = fault;
  for (std::uint64_t seed = 1; seed <= runs && violation.empty(); ++seed) {
    violation = simulate(seed).violation;
  }
  planted = Planted::none;
  return violation;
}

struct Case {
  const char* name;
  Planted fault;
};
void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }

class PlantedInTheEngine : public ::testing::TestWithParam<Case> {};

TEST_P(PlantedInTheEngine, IsCaught) {
  const std::string violation = caught(GetParam().fault);
  EXPECT_FALSE(violation.empty());
  RecordProperty("violation", violation);
  std::printf("%s: %s\n", GetParam().name, violation.c_str());
}

INSTANTIATE_TEST_SUITE_P(
    Faults, PlantedInTheEngine,
    ::testing::Values(
        Case{"LateResultAccepted", Planted::late_result_accepted},
        Case{"ForeignResultAccepted", Planted::foreign_result_accepted},
        Case{"CancelForgotten", Planted::cancel_forgotten},
        Case{"AttemptNotCounted", Planted::attempt_not_counted},
        Case{"BackoffIgnored", Planted::backoff_ignored},
        Case{"LeaseByWallClock", Planted::lease_by_wall_clock},
        Case{"DueForgotten", Planted::due_forgotten}, Case{"SlotsIgnored", Planted::slots_ignored},
        Case{"StartedTooLate", Planted::started_too_late},
        Case{"DependencyIgnored", Planted::dependency_ignored},
        Case{"SlotNotFreed", Planted::slot_not_freed},
        Case{"BackupBegunTwice", Planted::backup_begun_twice},
        Case{"PauseIgnored", Planted::pause_ignored},
        Case{"ExpiryForgotten", Planted::expiry_forgotten},
        Case{"ForgottenTooSoon", Planted::forgotten_too_soon},
        Case{"QueueRetentionIgnored", Planted::queue_retention_ignored},
        Case{"GroupOverTooSoon", Planted::group_over_too_soon},
        Case{"GroupNeverOver", Planted::group_never_over},
        Case{"FallbackForgotten", Planted::fallback_forgotten},
        Case{"LeftAndUsed", Planted::left_and_used}, Case{"LimitsIgnored", Planted::limits_ignored},
        Case{"EnqueuedTwice", Planted::enqueued_twice},
        Case{"ReplacedTooSoon", Planted::replaced_too_soon},
        Case{"RetriedBeside", Planted::retried_beside},
        Case{"VersionsIgnored", Planted::versions_ignored},
        Case{"PolicyIgnored", Planted::policy_ignored},
        Case{"WeightsIgnored", Planted::weights_ignored},
        Case{"SharesIgnored", Planted::shares_ignored},
        Case{"TurnsIgnored", Planted::turns_ignored}, Case{"ProbeTooMany", Planted::probe_too_many},
        Case{"MoveRecordedTwice", Planted::move_recorded_twice},
        Case{"LapsedTooSoon", Planted::lapsed_too_soon},
        Case{"TakenBackFromWorkers", Planted::taken_back_from_workers},
        Case{"ModelUsedAndUnloaded", Planted::model_used_and_unloaded},
        Case{"ModelNotLoaded", Planted::model_not_loaded},
        Case{"GpuLostAndGiven", Planted::gpu_lost_and_given},
        Case{"GpuMemoryPromisedTwice", Planted::gpu_memory_promised_twice},
        Case{"GpuMemoryNotGivenBack", Planted::gpu_memory_not_given_back},
        Case{"GpuMemoryGivenTooLate", Planted::gpu_memory_given_too_late},
        Case{"GpuMemoryNotWanted", Planted::gpu_memory_not_wanted},
        Case{"ModelsNotWanted", Planted::models_not_wanted},
        Case{"LoadsAtOnce", Planted::loads_at_once}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace almanac::test
