@0xe7a5d3180b92c64f;
# A frame: the events of one commit, in one single-segment message. The bytes around it (length,
# checksum, digest) are described in log/README.md.

using Cxx = import "/capnp/c++.capnp";
using Task = import "events/task.capnp";
using Queue = import "events/queue.capnp";
using Engine = import "events/engine.capnp";
using Backup = import "events/backup.capnp";
using Schedule = import "events/schedule.capnp";
using Limit = import "events/limit.capnp";
using Pause = import "events/pause.capnp";
using Implementation = import "events/implementation.capnp";
using Circuit = import "events/circuit.capnp";
using Group = import "events/group.capnp";
using Component = import "events/component.capnp";
using Pool = import "events/pool.capnp";
using Health = import "events/health.capnp";
using Gpu = import "events/gpu.capnp";
using Advisor = import "events/advisor.capnp";
using Memory = import "events/memory.capnp";
using Context = import "events/context.capnp";
using Model = import "events/model.capnp";
using Audit = import "events/audit.capnp";
$Cxx.namespace("almanac::schema");

struct Frame {
  format @0 :UInt16;           # 1
  count @1 :UInt32;            # length of `events`
  first @2 :UInt64;            # position of the first event
  time @3 :Int64;              # microseconds since 1970 in UTC
  timeline @4 :Data;           # 16 bytes: the log this frame belongs to
  previous @5 :Data;           # 32 bytes: digest of the frame before; zeros for the first
  names @6 :List(Text);        # every kind, queue, tag and custom type in the frame, once
  events @7 :List(Event);
}

struct Event {
  after @0 :UInt32;            # microseconds after the frame's time
  name @1 :UInt16;             # the type of a custom event, else 0
  body :union {
    custom @2 :Data;           # opaque to Almanac
    taskEnqueued @3 :Task.TaskEnqueued;
    taskReadied @4 :Task.TaskReadied;
    taskStarted @5 :Task.TaskStarted;
    taskSucceeded @6 :Task.TaskSucceeded;
    taskAttemptFailed @7 :Task.TaskAttemptFailed;
    taskFailed @8 :Task.TaskFailed;
    taskCancelRequested @9 :Task.TaskCancelRequested;
    taskCancelled @10 :Task.TaskCancelled;
    taskHandedBack @11 :Task.TaskHandedBack;
    queueConfigured @12 :Queue.QueueConfigured;
    engineStarted @13 :Engine.EngineStarted;
    engineStopped @14 :Engine.EngineStopped;
    taskHeld @16 :Task.TaskHeld;
    taskReleased @17 :Task.TaskReleased;
    taskAccepted @18 :Task.TaskAccepted;
    backupScheduled @19 :Backup.BackupScheduled;
    backupUnscheduled @20 :Backup.BackupUnscheduled;
    backupStarted @21 :Backup.BackupStarted;
    snapshotMade @22 :Backup.SnapshotMade;
    snapshotSkipped @23 :Backup.SnapshotSkipped;
    snapshotsPruned @24 :Backup.SnapshotsPruned;
    drillPassed @25 :Backup.DrillPassed;
    backupFailed @26 :Backup.BackupFailed;
    scheduleDefined @27 :Schedule.ScheduleDefined;
    schedulePaused @28 :Schedule.SchedulePaused;
    scheduleResumed @29 :Schedule.ScheduleResumed;
    scheduleRemoved @30 :Schedule.ScheduleRemoved;
    scheduleFired @31 :Schedule.ScheduleFired;
    scheduleQueued @32 :Schedule.ScheduleQueued;
    scheduleSkipped @33 :Schedule.ScheduleSkipped;
    tasksReranked @34 :Task.TasksReranked;
    limitConfigured @35 :Limit.LimitConfigured;
    tokensTaken @36 :Limit.TokensTaken;
    laneBlocked @37 :Limit.LaneBlocked;
    taskSnoozed @38 :Task.TaskSnoozed;
    taskProgressed @39 :Task.TaskProgressed;
    taskRedriven @40 :Task.TaskRedriven;
    tasksForgotten @41 :Task.TasksForgotten;
    workPaused @42 :Pause.WorkPaused;
    workResumed @43 :Pause.WorkResumed;
    implementationsSet @44 :Implementation.ImplementationsSet;
    implementationLeft @45 :Implementation.ImplementationLeft;
    implementationReturned @46 :Implementation.ImplementationReturned;
    taskFailedOver @47 :Task.TaskFailedOver;
    taskRequestCarried @48 :Task.TaskRequestCarried;
    taskResultCarried @49 :Task.TaskResultCarried;
    circuitConfigured @50 :Circuit.CircuitConfigured;
    circuitObserved @51 :Circuit.CircuitObserved;
    circuitProbed @52 :Circuit.CircuitProbed;
    circuitOpened @53 :Circuit.CircuitOpened;
    circuitHalfOpened @54 :Circuit.CircuitHalfOpened;
    circuitClosed @55 :Circuit.CircuitClosed;
    taskLeased @56 :Task.TaskLeased;  # read as TaskStarted
    groupOpened @57 :Group.GroupOpened;
    groupClosed @58 :Group.GroupClosed;
    componentDescribed @59 :Component.ComponentDescribed;
    componentDiagnosed @60 :Component.ComponentDiagnosed;
    componentFailed @61 :Component.ComponentFailed;
    repairRequested @62 :Component.RepairRequested;
    componentSwitched @63 :Component.ComponentSwitched;
    repairStarted @64 :Component.RepairStarted;
    repairEnded @65 :Component.RepairEnded;
    instanceCreated @66 :Pool.InstanceCreated;
    instanceRetired @67 :Pool.InstanceRetired;
    instanceFailed @68 :Pool.InstanceFailed;
    poolExhausted @69 :Pool.PoolExhausted;
    healthChanged @70 :Health.HealthChanged;
    gpuDeviceAppeared @71 :Gpu.GpuDeviceAppeared;
    gpuDeviceVanished @72 :Gpu.GpuDeviceVanished;
    gpuSampled @73 :Gpu.GpuSampled;
    gpuAlertRaised @74 :Gpu.GpuAlertRaised;
    gpuAlertCleared @75 :Gpu.GpuAlertCleared;
    advisorFellBack @76 :Advisor.AdvisorFellBack;
    advisorReturned @77 :Advisor.AdvisorReturned;
    memoryStored @78 :Memory.MemoryStored;
    memoryUpdated @79 :Memory.MemoryUpdated;
    memoryForgotten @80 :Memory.MemoryForgotten;
    contextChanged @81 :Context.ContextChanged;
    conversationTurnAdded @82 :Context.ConversationTurnAdded;
    userForgotten @83 :Context.UserForgotten;
    modelRegistered @84 :Model.ModelRegistered;
    modelChanged @85 :Model.ModelChanged;
    modelRemoved @86 :Model.ModelRemoved;
    modelLoadStarted @87 :Model.ModelLoadStarted;
    modelLoaded @88 :Model.ModelLoaded;
    modelLoadFailed @89 :Model.ModelLoadFailed;
    modelMeasured @90 :Model.ModelMeasured;
    modelUnloadStarted @91 :Model.ModelUnloadStarted;
    modelUnloaded @92 :Model.ModelUnloaded;
    modelUnloadFailed @93 :Model.ModelUnloadFailed;
    modelReleased @94 :Model.ModelReleased;
    modelLost @95 :Model.ModelLost;
    modelChecked @96 :Model.ModelChecked;
    modelUsed @97 :Model.ModelUsed;
    modelDegraded @98 :Model.ModelDegraded;
    requestAudited @99 :Audit.RequestAudited;
    requestRefused @100 :Audit.RequestRefused;
    taskStartedOnGpu @101 :Task.TaskStartedOnGpu;  # read as TaskStarted
  }
  meta @15 :Meta;              # null for most events
}

struct Meta {
  idempotencyKey @0 :Text;
  stream @1 :Text;
  correlation @2 :UInt64;      # position of the event that began the story; 0 = none
  causation @3 :UInt64;        # position of the event that caused this one; 0 = none
}
