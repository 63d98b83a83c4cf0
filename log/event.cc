#include <almanac/log/event.h>

#include <almanac/log/limits.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <unordered_set>
#include <utility>

namespace almanac {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<EventBody>> type_names = {
    "custom",
    "TaskEnqueued",
    "TaskReadied",
    "TaskStarted",
    "TaskSucceeded",
    "TaskAttemptFailed",
    "TaskFailed",
    "TaskCancelRequested",
    "TaskCancelled",
    "TaskHandedBack",
    "TaskHeld",
    "TaskReleased",
    "TaskAccepted",
    "QueueConfigured",
    "EngineStarted",
    "EngineStopped",
    "BackupScheduled",
    "BackupUnscheduled",
    "BackupStarted",
    "SnapshotMade",
    "SnapshotSkipped",
    "SnapshotsPruned",
    "DrillPassed",
    "BackupFailed",
    "ScheduleDefined",
    "SchedulePaused",
    "ScheduleResumed",
    "ScheduleRemoved",
    "ScheduleFired",
    "ScheduleQueued",
    "ScheduleSkipped",
    "TasksReranked",
    "LimitConfigured",
    "TokensTaken",
    "LaneBlocked",
    "TaskSnoozed",
    "TaskProgressed",
    "TaskRedriven",
    "TasksForgotten",
    "WorkPaused",
    "WorkResumed",
    "ImplementationsSet",
    "ImplementationLeft",
    "ImplementationReturned",
    "TaskFailedOver",
    "TaskRequestCarried",
    "TaskResultCarried",
    "CircuitConfigured",
    "CircuitObserved",
    "CircuitProbed",
    "CircuitOpened",
    "CircuitHalfOpened",
    "CircuitClosed",
    "GroupOpened",
    "GroupClosed",
    "ComponentDescribed",
    "ComponentDiagnosed",
    "ComponentFailed",
    "RepairRequested",
    "ComponentSwitched",
    "RepairStarted",
    "RepairEnded",
    "InstanceCreated",
    "InstanceRetired",
    "InstanceFailed",
    "PoolExhausted",
    "HealthChanged",
    "GpuDeviceAppeared",
    "GpuDeviceVanished",
    "GpuSampled",
    "GpuAlertRaised",
    "GpuAlertCleared",
    "AdvisorFellBack",
    "AdvisorReturned",
    "MemoryStored",
    "MemoryUpdated",
    "MemoryForgotten",
    "ContextChanged",
    "ConversationTurnAdded",
    "UserForgotten",
    "ModelRegistered",
    "ModelChanged",
    "ModelRemoved",
    "ModelLoadStarted",
    "ModelLoaded",
    "ModelLoadFailed",
    "ModelMeasured",
    "ModelUnloadStarted",
    "ModelUnloaded",
    "ModelUnloadFailed",
    "ModelReleased",
    "ModelLost",
    "ModelChecked",
    "ModelUsed",
    "ModelDegraded",
    "RequestAudited",
    "RequestRefused"};

// Everything of variable length in one event. Reused from event to event.
struct Carried {
  std::size_t bytes = 0;
  std::pmr::vector<std::string_view> names;

  void clear() {
    bytes = 0;
    names.clear();
  }
  void add(const AttemptEnd& end) {
    bytes += end.message.size() + end.result.size() + end.output.size();
  }
  void add(const SealedMemory& sealed) { bytes += sealed.key.size() + sealed.content.size(); }
  void add(const MemoryContent& said) {
    bytes +=
        said.content.size() + said.summary.size() + said.embedding.size() + said.metadata.size();
  }
  void add(const NameListView& list) {
    for (std::size_t i = 0; i < list.size(); ++i) names.push_back(list[i]);
    bytes += list.size() * sizeof(std::uint16_t);
  }
  void add(const DemandListView& demands) {
    for (std::size_t i = 0; i < demands.size(); ++i) names.push_back(demands[i].limit);
    bytes += demands.size() * sizeof(DemandListView::Stored);
  }
  void operator()(const CustomEvent& event) {
    names.push_back(event.type);
    bytes += event.data.size();
  }
  void operator()(const TaskEnqueued& event) {
    names.push_back(event.kind);
    names.push_back(event.queue);
    add(event.tags);
    if (!event.owner.empty()) names.push_back(event.owner);
    add(event.demands);
    bytes += event.label.size() + event.payload.size() + event.dependencies.size_bytes() +
             event.conditions.size_bytes();
  }
  void operator()(const TaskReadied&) {}
  void operator()(const TaskStarted& event) {
    if (!event.implementation.empty()) names.push_back(event.implementation);
    if (!event.worker.empty()) names.push_back(event.worker);
    if (!event.advisor.empty()) names.push_back(event.advisor);
    if (!event.gpu.empty()) names.push_back(event.gpu);
  }
  void operator()(const TaskSucceeded& event) { add(event.end); }
  void operator()(const TaskAttemptFailed& event) { add(event.end); }
  void operator()(const TaskFailed& event) { add(event.end); }
  void operator()(const TaskCancelRequested& event) { bytes += event.reason.size(); }
  void operator()(const TaskCancelled& event) {
    bytes += event.reason.size();
    add(event.end);
  }
  void operator()(const TaskHandedBack& event) { add(event.end); }
  void operator()(const TaskHeld&) {}
  void operator()(const TaskReleased&) {}
  void operator()(const TaskAccepted&) {}
  void operator()(const TasksReranked&) {}
  void operator()(const QueueConfigured& event) {
    names.push_back(event.queue);
    for (std::size_t i = 0; i < event.weights.size(); ++i) names.push_back(event.weights[i].name);
    bytes += event.weights.size() * sizeof(QueueWeightListView::Stored);
  }
  void operator()(const TaskSnoozed&) {}
  void operator()(const TaskFailedOver& event) {
    names.push_back(event.from);
    names.push_back(event.to);
    add(event.end);
  }
  void operator()(const TaskRequestCarried& event) { (*this)(event.request); }
  void operator()(const TaskResultCarried& event) { add(event.end); }
  void operator()(const TaskProgressed& event) {
    bytes += event.message.size() + event.partial.size();
  }
  void operator()(const TaskRedriven& event) { bytes += event.reason.size(); }
  void operator()(const TasksForgotten& event) { bytes += event.ids.size_bytes(); }
  void operator()(const WorkPaused& event) { names.push_back(event.name); }
  void operator()(const WorkResumed& event) { names.push_back(event.name); }
  void operator()(const ImplementationsSet& event) {
    names.push_back(event.kind);
    const auto& list = event.implementations;
    for (std::size_t i = 0; i < list.size(); ++i) names.push_back(list[i].name);
    bytes += list.size() * sizeof(ImplementationListView::Stored);
  }
  void operator()(const ImplementationLeft& event) {
    names.push_back(event.kind);
    names.push_back(event.implementation);
    bytes += event.reason.size();
  }
  void operator()(const ImplementationReturned& event) {
    names.push_back(event.kind);
    names.push_back(event.implementation);
  }
  template <class OfService>
    requires requires(const OfService& event) { event.service; }
  void operator()(const OfService& event) {
    names.push_back(event.service);
    if constexpr (requires { event.reason; }) bytes += event.reason.size();
  }
  void operator()(const GroupOpened& event) { bytes += event.name.size(); }
  void operator()(const GroupClosed&) {}
  template <class OfComponent>
    requires requires(const OfComponent& event) { event.component; }
  void operator()(const OfComponent& event) {
    names.push_back(event.component);
    if constexpr (requires { event.implementation; }) names.push_back(event.implementation);
    if constexpr (requires { event.reason; }) bytes += event.reason.size();
    if constexpr (requires { event.message; }) bytes += event.message.size();
  }
  void operator()(const ComponentDescribed& event) {
    names.push_back(event.component);
    const auto& list = event.implementations;
    for (std::size_t i = 0; i < list.size(); ++i) names.push_back(list[i].name);
    bytes += event.folder.size() + list.size() * sizeof(DescribedImplementationsView::Stored);
  }
  void operator()(const ComponentDiagnosed& event) {
    names.push_back(event.component);
    names.push_back(event.implementation);
    bytes += event.evidence.size() + event.version.size();
  }
  void operator()(const ComponentSwitched& event) {
    names.push_back(event.component);
    names.push_back(event.from);
    names.push_back(event.to);
  }
  template <class OfPool>
    requires requires(const OfPool& event) { event.pool; }
  void operator()(const OfPool& event) {
    names.push_back(event.pool);
    if constexpr (requires { event.message; }) bytes += event.message.size();
  }
  void operator()(const HealthChanged& event) { bytes += event.reasons.size(); }
  template <class OfDevice>
    requires requires(const OfDevice& event) { event.device; }
  void operator()(const OfDevice& event) {
    names.push_back(event.device);
    if constexpr (requires { event.message; }) bytes += event.message.size();
  }
  void operator()(const GpuDeviceAppeared& event) {
    names.push_back(event.device);
    names.push_back(event.name);
    bytes += event.sizes.size_bytes();
  }
  void operator()(const GpuSampled& event) {
    names.push_back(event.device);
    bytes += event.own.size_bytes() + event.budget.size_bytes();
  }
  void operator()(const AdvisorFellBack& event) {
    names.push_back(event.advisor);
    bytes += event.evidence.size();
  }
  void operator()(const AdvisorReturned& event) { names.push_back(event.advisor); }
  void operator()(const MemoryStored& event) {
    names.push_back(event.kind);
    names.push_back(event.user);
    add(event.said);
    add(event.tags);
    add(event.sealed);
  }
  void operator()(const MemoryUpdated& event) {
    add(event.changed);
    add(event.said);
    add(event.tags);
    add(event.sealed);
  }
  void operator()(const MemoryForgotten& event) { bytes += event.reason.size(); }
  template <class OfUser>
    requires requires(const OfUser& event) { event.user; }
  void operator()(const OfUser& event) {
    bytes += event.user.size() + event.key.size();
    if constexpr (requires { event.field; }) bytes += event.field.size();
    if constexpr (requires { event.content; }) bytes += event.content.size();
  }
  template <class OfModel>
    requires requires(const OfModel& event) { event.model; }
  void operator()(const OfModel& event) {
    names.push_back(event.model);
    if constexpr (requires { event.gpu; }) names.push_back(event.gpu);
    if constexpr (requires { event.alternative; }) names.push_back(event.alternative);
    if constexpr (requires { event.beneficiary; }) names.push_back(event.beneficiary);
    if constexpr (requires { event.commands; }) bytes += event.commands.size();
    if constexpr (requires { event.message; }) bytes += event.message.size();
    if constexpr (requires { event.reason; }) bytes += event.reason.size();
  }
  template <class OfPrincipal>
    requires requires(const OfPrincipal& event) { event.principal; }
  void operator()(const OfPrincipal& event) {
    names.push_back(event.principal);
    bytes += event.action.size() + event.remote.size();
    if constexpr (requires { event.subject; }) bytes += event.subject.size();
  }
  void operator()(const EngineStarted& event) { bytes += event.version.size(); }
  void operator()(const EngineStopped&) {}
  void operator()(const BackupScheduled& event) {
    names.push_back(event.job);
    bytes += event.schedule.size() + event.repository.size();
  }
  void operator()(const BackupUnscheduled& event) { names.push_back(event.job); }
  void operator()(const BackupStarted& event) { names.push_back(event.job); }
  void operator()(const BackupFailed& event) {
    names.push_back(event.run.job);
    bytes += event.code.size() + event.message.size();
  }
  void operator()(const ScheduleDefined& event) {
    names.push_back(event.schedule);
    bytes += event.recurrence.size();
    (*this)(event.task);
  }
  void operator()(const SchedulePaused& event) {
    names.push_back(event.schedule);
    bytes += event.reason.size();
  }
  template <class OfSchedule>
    requires requires(const OfSchedule& event) { event.schedule; }
  void operator()(const OfSchedule& event) {
    names.push_back(event.schedule);
  }
  void operator()(const LimitConfigured& event) { names.push_back(event.name); }
  void operator()(const TokensTaken& event) { names.push_back(event.limit); }
  void operator()(const LaneBlocked& event) {
    names.push_back(event.queue);
    names.push_back(event.kind);
    if (!event.limit.empty()) names.push_back(event.limit);
    add(event.demands);
  }
  template <class BackupEnd>
    requires requires(const BackupEnd& event) { event.run; }
  void operator()(const BackupEnd& event) {
    names.push_back(event.run.job);
  }
};

// Different names. Most batches have a few, which are found faster in a row than in a table.
class DistinctNames {
 public:
  void add(std::string_view name) {
    const auto end = few_.begin() + count_;
    if (std::find(few_.begin(), end, name) != end) return;
    if (count_ < few_.size()) {
      few_[count_++] = name;
    } else if (!many_.insert(name).second) {
      return;
    }
    bytes_ += name.size();
  }
  [[nodiscard]] std::size_t count() const { return std::size_t(count_) + many_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::array<std::string_view, 8> few_;
  std::uint8_t count_ = 0;  // of the few
  std::unordered_set<std::string_view> many_;
  std::size_t bytes_ = 0;
};

std::unexpected<Error> too_large(const std::string& what, std::size_t size, std::size_t size_max) {
  return fail(ErrorCode::invalid, what + " of " + std::to_string(size) + " is over the limit of " +
                                      std::to_string(size_max));
}

Result<void> check_event(const Event& event, const Carried& carried) {
  for (auto name : carried.names) {
    if (name.size() > limits::name_bytes_max) {
      return too_large("a name with a length", name.size(), limits::name_bytes_max);
    }
  }
  auto key_bytes = std::max(event.idempotency_key.size(), event.stream.size());
  if (key_bytes > limits::key_bytes_max) {
    return too_large("a key with a length", key_bytes, limits::key_bytes_max);
  }
  if (carried.bytes > limits::event_bytes_max) {
    return too_large("an event with a size", carried.bytes, limits::event_bytes_max);
  }
  return {};
}

Result<void> check_times(const EventBatch& batch) {
  Time first = batch.events.front().at;
  if (first < Time()) return fail(ErrorCode::invalid, "an event is older than the year 1970");
  Time before = first;
  for (const Event& event : batch.events) {
    if (event.at < before) {
      return fail(ErrorCode::invalid, "an event is older than the one before it");
    }
    before = event.at;
  }
  if (before - first > limits::frame_span_max) {
    return fail(ErrorCode::invalid, "the events of a batch lie over " +
                                        std::to_string(limits::frame_span_max.count()) +
                                        " minutes apart");
  }
  return {};
}

}  // namespace

std::string_view type_name(const EventBody& body) { return type_names[body.index()]; }

const TaskEnqueued& request_in(const EventBody& body) {
  const auto* carried = std::get_if<TaskRequestCarried>(&body);
  return carried != nullptr ? carried->request : std::get<TaskEnqueued>(body);
}

const AttemptEnd* attempt_end_in(const EventBody& body) {
  return std::visit(
      [](const auto& event) -> const AttemptEnd* {
        if constexpr (requires { event.end; }) {
          return &event.end;
        } else {
          return nullptr;
        }
      },
      body);
}

Result<BatchCost> check_batch(const EventBatch& batch) {
  if (batch.events.empty() || batch.events.size() > limits::batch_events_max) {
    return fail(ErrorCode::invalid,
                "a batch takes 1 to " + std::to_string(limits::batch_events_max) + " events");
  }
  if (auto checked = check_times(batch); !checked) return std::unexpected(checked.error());
  BatchCost cost;
  DistinctNames distinct;
  // Room for the names of most events; one that has more takes memory.
  std::array<std::byte, 512> room;
  std::pmr::monotonic_buffer_resource memory(room.data(), room.size());
  Carried carried{.names = std::pmr::vector<std::string_view>(&memory)};
  std::size_t carried_bytes = 0;
  for (const Event& event : batch.events) {
    carried.clear();
    std::visit(carried, event.body);
    if (auto checked = check_event(event, carried); !checked) {
      return std::unexpected(checked.error());
    }
    carried_bytes += carried.bytes + event.idempotency_key.size() + event.stream.size();
    for (auto name : carried.names) distinct.add(name);
  }
  if (carried_bytes > limits::batch_bytes_max) {
    return too_large("a batch with a size", carried_bytes, limits::batch_bytes_max);
  }
  if (distinct.count() >= limits::frame_names_max) {
    return too_large("a batch with a number of names", distinct.count(), limits::frame_names_max);
  }
  cost.names = distinct.count();
  cost.bytes = carried_bytes + distinct.bytes() +
               distinct.count() * limits::name_overhead_bytes_max +
               batch.events.size() * limits::event_overhead_bytes_max;
  return cost;
}

}  // namespace almanac
