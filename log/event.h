// An event: an immutable fact in the past tense. A small struct of numbers and borrowed views; who
// hands one out says how long the views live.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/events/advisor.h>
#include <almanac/log/events/audit.h>
#include <almanac/log/events/backup.h>
#include <almanac/log/events/circuit.h>
#include <almanac/log/events/component.h>
#include <almanac/log/events/context.h>
#include <almanac/log/events/engine.h>
#include <almanac/log/events/gpu.h>
#include <almanac/log/events/group.h>
#include <almanac/log/events/health.h>
#include <almanac/log/events/implementation.h>
#include <almanac/log/events/limit.h>
#include <almanac/log/events/memory.h>
#include <almanac/log/events/model.h>
#include <almanac/log/events/pause.h>
#include <almanac/log/events/pool.h>
#include <almanac/log/events/queue.h>
#include <almanac/log/events/schedule.h>
#include <almanac/log/events/task.h>
#include <almanac/log/types.h>

#include <memory>
#include <string_view>
#include <variant>
#include <vector>

namespace almanac {

// A fact of the program that embeds the library. Almanac keeps it and does not look inside.
struct CustomEvent {
  std::string_view type;
  Bytes data;
};

using EventBody = std::variant<
    CustomEvent, TaskEnqueued, TaskReadied, TaskStarted, TaskSucceeded, TaskAttemptFailed,
    TaskFailed, TaskCancelRequested, TaskCancelled, TaskHandedBack, TaskHeld, TaskReleased,
    TaskAccepted, QueueConfigured, EngineStarted, EngineStopped, BackupScheduled, BackupUnscheduled,
    BackupStarted, SnapshotMade, SnapshotSkipped, SnapshotsPruned, DrillPassed, BackupFailed,
    ScheduleDefined, SchedulePaused, ScheduleResumed, ScheduleRemoved, ScheduleFired,
    ScheduleQueued, ScheduleSkipped, TasksReranked, LimitConfigured, TokensTaken, LaneBlocked,
    TaskSnoozed, TaskProgressed, TaskRedriven, TasksForgotten, WorkPaused, WorkResumed,
    ImplementationsSet, ImplementationLeft, ImplementationReturned, TaskFailedOver,
    TaskRequestCarried, TaskResultCarried, CircuitConfigured, CircuitObserved, CircuitProbed,
    CircuitOpened, CircuitHalfOpened, CircuitClosed, GroupOpened, GroupClosed, ComponentDescribed,
    ComponentDiagnosed, ComponentFailed, RepairRequested, ComponentSwitched, RepairStarted,
    RepairEnded, InstanceCreated, InstanceRetired, InstanceFailed, PoolExhausted, HealthChanged,
    GpuDeviceAppeared, GpuDeviceVanished, GpuSampled, GpuAlertRaised, GpuAlertCleared,
    AdvisorFellBack, AdvisorReturned, MemoryStored, MemoryUpdated, MemoryForgotten, ContextChanged,
    ConversationTurnAdded, UserForgotten, ModelRegistered, ModelChanged, ModelRemoved,
    ModelLoadStarted, ModelLoaded, ModelLoadFailed, ModelMeasured, ModelUnloadStarted,
    ModelUnloaded, ModelUnloadFailed, ModelReleased, ModelLost, ModelChecked, ModelUsed,
    ModelDegraded, RequestAudited, RequestRefused>;

struct Event {
  Time at;                                // never before the event in front of it
  std::string_view idempotency_key = {};  // appended again with the same, it is stored once
  std::string_view stream = {};
  Position correlation = {};  // the event that began the story
  Position causation = {};    // the event that caused this one
  EventBody body = {};
};

// "TaskEnqueued", "custom" …: the name used in every output and filter.
[[nodiscard]] std::string_view type_name(const EventBody& body);

// What the task is asked to be of which this event tells that; no other event may be asked.
[[nodiscard]] const TaskEnqueued& request_in(const EventBody& body);
// How the attempt ended of which this event tells that; none for any other.
[[nodiscard]] const AttemptEnd* attempt_end_in(const EventBody& body);

// An event with its place in the log.
struct RecordedEvent {
  Position position;
  Event event;
};

// Events that are committed together or not at all. `memory` keeps alive what their views point
// at until they are on disk.
struct EventBatch {
  std::vector<Event> events;
  std::shared_ptr<const void> memory;
};

// What a batch takes of a frame's ceilings (limits.h).
struct BatchCost {
  std::size_t bytes = 0;  // an upper bound of what it adds to a frame
  std::size_t names = 0;  // an upper bound of the names it adds to the frame's table
};

// Whether a batch can be stored: not empty, its size, the lengths of its names and keys, its times
// in order and close enough for one frame. O(events). Errors: invalid.
[[nodiscard]] Result<BatchCost> check_batch(const EventBatch& batch);

}  // namespace almanac
