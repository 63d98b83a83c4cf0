#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/any_value.h>

#include <rapidcheck.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace almanac::test {
namespace {

AttemptEnd any_end(EventArena& arena) {
  return {.status = any_of<AttemptStatus>(attempt_status_count),
          .code = any_number<std::int32_t>(),
          .output_dropped = any_number<std::uint64_t>(),
          .message = any_text(arena, 20),
          .result = as_bytes(any_text(arena, 20)),
          .output = as_bytes(any_text(arena, 100)),
          .permanent = *rc::gen::arbitrary<bool>()};
}

DemandListView any_demands(EventArena& arena) {
  auto& demands = arena.demands.emplace_back();
  for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
    demands.push_back({any_name(arena), any_number<std::uint32_t>()});
  }
  return DemandListView(demands);
}

// Some tasks are the same work.
Uniqueness any_unique() {
  const auto high = *rc::gen::inRange<std::uint64_t>(0, 4);
  if (high == 0) return {};
  return {.identity = {high == 3 ? any_number<std::uint64_t>() : high, 7},
          .until = any_of<UniqueUntil>(unique_until_count),
          .within = Duration(any_number<std::int64_t>())};
}

TaskEnqueued any_enqueued(EventArena& arena, TaskId id) {
  auto& names = arena.names.emplace_back();
  for (int left = *rc::gen::inRange(0, 4); left > 0; --left) names.push_back(any_name(arena));
  auto& ids = arena.ids.emplace_back();
  for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
    ids.emplace_back(any_number<std::uint64_t>());
  }
  auto& conditions = arena.conditions.emplace_back();
  if (*rc::gen::arbitrary<bool>()) {
    std::ranges::generate_n(std::back_inserter(conditions), std::ssize(ids),
                            [] { return any_of<DependencyCondition>(dependency_condition_count); });
  }
  return {.id = id,
          .kind = any_name(arena),
          .queue = any_name(arena),
          .label = any_text(arena, 20),
          .priority = any_number<std::int32_t>(),
          .run_at = any_time(),
          .timeout = Duration(any_number<std::int64_t>()),
          .backoff = {Duration(any_number<std::int64_t>()), Duration(any_number<std::int64_t>())},
          .attempts_max = any_number<std::uint16_t>(),
          .content_hash = any_number<std::uint64_t>(),
          .tags = NameListView(names),
          .dependencies = ids,
          .conditions = conditions,
          .owner = any_name(arena),
          .deadline = any_time(),
          .estimate = Duration(any_number<std::int64_t>()),
          .expires_at = any_time(),
          .demands = any_demands(arena),
          .retry_policy = any_of<RetryPolicy>(retry_policy_count),
          .crashes_max = any_number<std::uint16_t>(),
          .keeps_dependencies = *rc::gen::arbitrary<bool>(),
          .unique = any_unique(),
          .version = any_number<std::uint32_t>(),
          .group = GroupId(any_number<std::uint64_t>()),
          .after_group = GroupId(any_number<std::uint64_t>()),
          .after_group_condition = any_of<DependencyCondition>(dependency_condition_count),
          .payload = as_bytes(any_text(arena, 200))};
}

QueueConfigured any_configured(EventArena& arena) {
  auto& weights = arena.weights.emplace_back();
  for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
    weights.push_back({any_name(arena), any_number<std::int32_t>()});
  }
  return {.queue = any_name(arena),
          .slots = any_number<std::uint32_t>(),
          .policy = any_of<QueuePolicy>(queue_policy_count),
          .ageing = Duration(any_number<std::int64_t>()),
          .window = Duration(any_number<std::int64_t>()),
          .short_work = Duration(any_number<std::int64_t>()),
          .weights = QueueWeightListView(weights),
          .retention = {.succeeded = Duration(any_number<std::int64_t>()),
                        .failed = Duration(any_number<std::int64_t>()),
                        .cancelled = Duration(any_number<std::int64_t>())}};
}

LimitConfigured any_limit(EventArena& arena) {
  return {any_name(arena), any_number<std::uint64_t>(), any_number<std::uint32_t>(),
          any_number<std::uint32_t>()};
}

LaneBlocked any_lane(EventArena& arena) {
  return {.queue = any_name(arena),
          .kind = any_name(arena),
          .demands = any_demands(arena),
          .reason = any_of<LaneBlock>(lane_block_count),
          .limit = any_name(arena),
          .next = any_time(),
          .version = any_number<std::uint32_t>()};
}

BackupRun any_run(EventArena& arena) {
  return {any_name(arena), any_time(), Duration(any_number<std::int64_t>())};
}

EventBody any_backup_body(EventArena& arena, std::size_t which) {
  const auto number = [] { return any_number<std::uint64_t>(); };
  switch (which) {
    case 0:
      return BackupScheduled{any_name(arena), any_of<BackupAction>(backup_action_count),
                             any_text(arena, 20), any_text(arena, 50), any_time()};
    case 1: return BackupUnscheduled{any_name(arena)};
    case 2: return BackupStarted{any_name(arena), any_time(), any_time(), number(), any_time()};
    case 3: return SnapshotMade{any_run(arena), number(), Position(number()), number(), number()};
    case 4: return SnapshotSkipped{any_run(arena), number()};
    case 5: return SnapshotsPruned{any_run(arena), number(), number(), number()};
    case 6:
      return DrillPassed{any_run(arena), number(), Position(number()),
                         number(),       number(), Duration(any_number<std::int64_t>())};
    default: return BackupFailed{any_run(arena), any_text(arena, 10), any_text(arena, 50)};
  }
}

EventBody any_schedule_body(EventArena& arena, std::size_t which) {
  const std::string_view schedule = any_name(arena);
  switch (which) {
    case 0:
      return ScheduleDefined{schedule,
                             any_text(arena, 30),
                             any_of<MissedPolicy>(missed_policy_count),
                             Duration(any_number<std::int64_t>()),
                             any_of<OverlapPolicy>(overlap_policy_count),
                             any_time(),
                             any_enqueued(arena, TaskId())};
    case 1: return SchedulePaused{schedule, any_text(arena, 20)};
    case 2: return ScheduleResumed{schedule, any_time()};
    case 3: return ScheduleRemoved{schedule};
    case 4:
      return ScheduleFired{schedule, any_time(), TaskId(any_number<std::uint64_t>()), any_time()};
    case 5: return ScheduleQueued{schedule, any_time(), any_time()};
    default:
      return ScheduleSkipped{schedule,
                             any_of<SkipReason>(skip_reason_count),
                             any_number<std::uint64_t>(),
                             any_time(),
                             any_time(),
                             any_time()};
  }
}

EventBody any_circuit_body(EventArena& arena, std::size_t which) {
  const auto number = [] { return any_number<std::uint64_t>(); };
  const auto duration = [] { return Duration(any_number<std::int64_t>()); };
  const auto cause = [] { return any_of<CircuitCause>(circuit_cause_count); };
  switch (which) {
    case 0:
      return CircuitConfigured{any_name(arena),
                               any_number<std::uint32_t>(),
                               any_number<std::uint16_t>(),
                               any_number<std::uint32_t>(),
                               duration(),
                               duration(),
                               duration(),
                               any_number<std::uint16_t>()};
    case 1:
      return CircuitObserved{any_name(arena), number(),   number(),
                             number(),        duration(), Position(number())};
    case 2: return CircuitProbed{any_name(arena)};
    case 3:
      return CircuitOpened{any_name(arena),    cause(),  any_time(),
                           number(),           number(), any_number<std::uint32_t>(),
                           any_text(arena, 30)};
    case 4: return CircuitHalfOpened{any_name(arena), any_number<std::uint16_t>()};
    default: return CircuitClosed{any_name(arena), cause(), number(), any_text(arena, 30)};
  }
}

EventBody any_pool_body(EventArena& arena, std::size_t which) {
  const std::string_view pool = any_name(arena);
  switch (which) {
    case 0: return InstanceCreated{pool, any_number<std::uint64_t>(), *rc::gen::arbitrary<bool>()};
    case 1:
      return InstanceRetired{pool, any_number<std::uint64_t>(),
                             any_of<PoolRetirement>(pool_retirement_count), any_text(arena, 30)};
    case 2: return InstanceFailed{pool, any_text(arena, 30)};
    default: return PoolExhausted{pool};
  }
}

std::span<const std::uint64_t> any_numbers(EventArena& arena, std::size_t count) {
  auto& numbers = arena.numbers.emplace_back();
  while (numbers.size() < count) numbers.push_back(any_number<std::uint64_t>());
  return numbers;
}

EventBody any_gpu_body(EventArena& arena, std::size_t which) {
  const std::string_view device = any_name(arena);
  const auto heaps = *rc::gen::inRange<std::size_t>(0, 4);
  const auto level = [] { return any_of<GpuLevel>(gpu_level_count); };
  switch (which) {
    case 0:
      return GpuDeviceAppeared{device,
                               any_name(arena),
                               any_of<GpuKind>(gpu_kind_count),
                               any_numbers(arena, heaps),
                               any_number<std::uint32_t>(),
                               *rc::gen::arbitrary<bool>()};
    case 1:
      return GpuDeviceVanished{device, any_of<GpuAbsence>(gpu_absence_count), any_text(arena, 30)};
    case 2: return GpuSampled{device, any_numbers(arena, heaps), any_numbers(arena, heaps)};
    case 3: return GpuAlertRaised{device, any_number<std::uint32_t>(), level(), level()};
    default: return GpuAlertCleared{device, any_number<std::uint32_t>()};
  }
}

EventBody any_advisor_body(EventArena& arena, std::size_t which) {
  const std::string_view advisor = any_name(arena);
  if (which == 0) {
    return AdvisorFellBack{advisor, any_of<AdvisorFault>(advisor_fault_count),
                           any_number<std::uint32_t>(), any_text(arena, 30),
                           *rc::gen::arbitrary<bool>()};
  }
  return AdvisorReturned{advisor};
}

NameListView any_names(EventArena& arena) {
  auto& names = arena.names.emplace_back();
  for (int left = *rc::gen::inRange(0, 4); left > 0; --left) names.push_back(any_name(arena));
  return NameListView(names);
}

EventBody any_memory_body(EventArena& arena, std::size_t which) {
  const MemoryId id(any_number<std::uint64_t>());
  const MemoryContent said{any_text(arena, 60), any_text(arena, 20), as_bytes(any_text(arena, 20)),
                           any_text(arena, 20)};
  const SealedMemory sealed{as_bytes(any_text(arena, 16)), as_bytes(any_text(arena, 60)),
                            any_number<std::uint32_t>()};
  const auto significance = any_number<std::uint32_t>();
  switch (which) {
    case 0:
      return MemoryStored{id,
                          any_name(arena),
                          any_name(arena),
                          said,
                          any_names(arena),
                          significance,
                          any_time(),
                          TaskId(any_number<std::uint64_t>()),
                          sealed};
    case 1:
      return MemoryUpdated{id,           any_names(arena), said,  any_names(arena),
                           significance, any_time(),       sealed};
    default:
      return MemoryForgotten{id, any_of<ForgetCause>(forget_cause_count), any_text(arena, 20)};
  }
}

EventBody any_context_body(EventArena& arena, std::size_t which) {
  const std::string_view user = any_text(arena, 20);
  const Bytes key = as_bytes(any_text(arena, 16));
  const Bytes content = as_bytes(any_text(arena, 100));
  switch (which) {
    case 0: return ContextChanged{user, key, as_bytes(any_text(arena, 16)), content};
    case 1: return ConversationTurnAdded{user, key, content};
    default: return UserForgotten{user, key};
  }
}

EventBody any_model_body(EventArena& arena, std::size_t which) {
  const std::string_view model = any_name(arena);
  const auto number = [] { return any_number<std::uint64_t>(); };
  const auto duration = [] { return Duration(any_number<std::int64_t>()); };
  switch (which) {
    case 0:
      return ModelRegistered{model,
                             number(),
                             any_name(arena),
                             any_name(arena),
                             any_number<std::int32_t>(),
                             *rc::gen::arbitrary<bool>(),
                             duration(),
                             duration(),
                             any_text(arena, 30)};
    case 1: return ModelChanged{model, *rc::gen::arbitrary<bool>(), any_number<std::int32_t>()};
    case 2: return ModelRemoved{model};
    case 3: return ModelLoadStarted{model, any_name(arena), number(), any_time()};
    case 4: return ModelLoaded{model, duration()};
    case 5: return ModelLoadFailed{model, any_text(arena, 30), any_time()};
    case 6: return ModelMeasured{model, number()};
    case 7:
      return ModelUnloadStarted{model, any_of<ModelUnloadCause>(model_unload_cause_count),
                                any_name(arena)};
    case 8: return ModelUnloaded{model, duration()};
    case 9: return ModelUnloadFailed{model, any_text(arena, 30), any_time()};
    case 10: return ModelReleased{model, number(), *rc::gen::arbitrary<bool>()};
    case 11: return ModelLost{model, any_text(arena, 30)};
    case 12: return ModelChecked{model, *rc::gen::arbitrary<bool>(), any_text(arena, 30)};
    case 13: return ModelUsed{model, number(), any_time()};
    default: return ModelDegraded{model, any_name(arena), number(), any_text(arena, 30)};
  }
}

EventBody any_audit_body(EventArena& arena, bool is_refused) {
  const auto number = [] { return any_number<std::uint64_t>(); };
  const auto door = any_of<AuditDoor>(audit_door_count);
  if (!is_refused) {
    return RequestAudited{number(),
                          door,
                          any_name(arena),
                          any_text(arena, 30),
                          any_text(arena, 30),
                          any_text(arena, 30),
                          number()};
  }
  return RequestRefused{number(),
                        door,
                        any_of<RefusalReason>(refusal_reason_count),
                        any_name(arena),
                        any_text(arena, 30),
                        any_text(arena, 30),
                        any_number<std::uint16_t>(),
                        number()};
}

EventBody any_later_body(EventArena& arena, std::size_t which) {
  TaskId id(any_number<std::uint64_t>());
  Lease lease(any_number<std::uint64_t>());
  switch (which) {
    case 0: return TaskSnoozed{id, lease, any_time()};
    case 1:
      return TaskProgressed{id, lease, any_number<std::uint16_t>(), any_text(arena, 30),
                            as_bytes(any_text(arena, 100))};
    case 2: return TaskRedriven{id, any_text(arena, 30)};
    case 3: {
      auto& ids = arena.ids.emplace_back();
      for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
        ids.emplace_back(any_number<std::uint64_t>());
      }
      return TasksForgotten{ids};
    }
    case 4: return WorkPaused{any_of<PauseScope>(pause_scope_count), any_name(arena)};
    case 5: return WorkResumed{any_of<PauseScope>(pause_scope_count), any_name(arena)};
    case 6: {
      auto& list = arena.implementations.emplace_back();
      for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
        list.push_back({any_name(arena), any_number<std::uint32_t>()});
      }
      return ImplementationsSet{any_name(arena),
                                ImplementationListView(list),
                                {any_number<std::uint32_t>(), any_number<std::uint32_t>()}};
    }
    case 7: return ImplementationLeft{any_name(arena), any_name(arena), any_text(arena, 30)};
    case 8: return ImplementationReturned{any_name(arena), any_name(arena)};
    case 9:
      return TaskFailedOver{
          id, lease, any_time(), any_name(arena), any_name(arena), any_end(arena)};
    case 10: return TaskRequestCarried{any_enqueued(arena, id)};
    case 11: return TaskResultCarried{id, any_end(arena)};
    case 18: return GroupOpened{GroupId(any_number<std::uint64_t>()), any_text(arena, 20)};
    case 19: return GroupClosed{GroupId(any_number<std::uint64_t>())};
    case 31:
      return HealthChanged{any_of<Health>(health_count), any_of<Health>(health_count),
                           any_text(arena, 30)};
    default:
      if (which < 18) return any_circuit_body(arena, which - 12);
      if (which < 27) return any_component_body(arena, which - 20);
      if (which < 31) return any_pool_body(arena, which - 27);
      if (which < 37) return any_gpu_body(arena, which - 32);
      if (which < 39) return any_advisor_body(arena, which - 37);
      if (which < 42) return any_memory_body(arena, which - 39);
      if (which >= 60) return any_audit_body(arena, which == 61);
      return which < 45 ? any_context_body(arena, which - 42) : any_model_body(arena, which - 45);
  }
}

TaskStarted any_started(EventArena& arena, TaskId id) {
  TaskStarted start{.id = id, .attempt = any_number<std::uint32_t>(), .deadline = any_time()};
  if (*rc::gen::arbitrary<bool>()) {
    start.implementation = any_name(arena);
  } else {
    start.worker = any_name(arena);
    if (!start.worker.empty()) start.lease_time = Duration(any_number<std::int64_t>());
  }
  start.advisor = any_name(arena);
  start.gpu = any_name(arena);
  return start;
}

EventBody any_body(EventArena& arena) {
  TaskId id(any_number<std::uint64_t>());
  Lease lease(any_number<std::uint64_t>());
  const auto which = *rc::gen::inRange<std::size_t>(0, std::variant_size_v<EventBody>);
  switch (which) {
    case 0: return CustomEvent{any_name(arena), as_bytes(any_text(arena, 100))};
    case 1: return any_enqueued(arena, id);
    case 2: return TaskReadied{id};
    case 3: return any_started(arena, id);
    case 4: return TaskSucceeded{id, lease, any_end(arena)};
    case 5: return TaskAttemptFailed{id, lease, any_time(), any_end(arena)};
    case 6: return TaskFailed{id, lease, any_end(arena), any_number<std::uint32_t>()};
    case 7: return TaskCancelRequested{id, any_text(arena, 30)};
    case 8: return TaskCancelled{id, lease, id.next(), any_text(arena, 30), any_end(arena)};
    case 9:
      return TaskHandedBack{id,
                            lease,
                            any_of<HandBackReason>(hand_back_reason_count),
                            *rc::gen::arbitrary<bool>(),
                            any_number<std::uint32_t>(),
                            any_end(arena)};
    case 10:
      return TaskHeld{id,
                      lease,
                      any_of<HoldReason>(hold_reason_count),
                      any_of<TaskOutcome>(task_outcome_count),
                      Position(any_number<std::uint64_t>()),
                      Position(any_number<std::uint64_t>())};
    case 11: return TaskReleased{id};
    case 12: return TaskAccepted{id};
    case 13: return any_configured(arena);
    case 14:
      return EngineStarted{any_text(arena, 20), any_number<std::uint64_t>(),
                           any_number<std::uint32_t>(), any_number<std::uint64_t>()};
    case 15: return EngineStopped{};
    case 31: return TasksReranked{any_time(), id};
    case 32: return any_limit(arena);
    case 33: return TokensTaken{any_name(arena), any_number<std::uint32_t>(), any_time()};
    case 34: return any_lane(arena);
    default:
      if (which >= 35) return any_later_body(arena, which - 35);
      return which < 24 ? any_backup_body(arena, which - 16) : any_schedule_body(arena, which - 24);
  }
}

}  // namespace

std::shared_ptr<const EventBatch> any_batch(std::size_t events_max, Time not_before) {
  auto arena = std::make_shared<EventArena>();
  auto count = *rc::gen::inRange<std::size_t>(1, events_max + 1);
  Time at = not_before;
  for (std::size_t i = 0; i < count; ++i) {
    at += Duration(*rc::gen::inRange(0, 1000));
    Event event{.at = at, .body = any_body(*arena)};
    if (*rc::gen::arbitrary<bool>()) {
      event.idempotency_key = any_text(*arena, 20);
      event.stream = any_text(*arena, 20);
      event.correlation = Position(any_number<std::uint64_t>());
      event.causation = Position(any_number<std::uint64_t>());
    }
    arena->batch.events.push_back(event);
  }
  const EventBatch* batch = &arena->batch;
  return {std::move(arena), batch};
}

}  // namespace almanac::test
