// The codecs of the domains, seen by codec.cc alone: each event between its view struct and the
// code Cap'n Proto generates for it.
#pragma once

#include <almanac/log/event.h>
#include <almanac/log/frame.capnp.h>

#include <capnp/any.h>
#include <kj/debug.h>

#include <cstring>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace almanac::codec {

// A value of a newer version is damage to this one.
template <class To, class From>
To known(From from, int count) {
  const auto number = static_cast<int>(from);
  KJ_REQUIRE(number < count, "a value this version does not know");
  return static_cast<To>(number);
}

// The names of the frame being written, each once, in order of first use. Index 0 is "".
class NameTable {
 public:
  NameTable() { (void)index(""); }
  [[nodiscard]] std::uint16_t index(std::string_view name) {
    if (!names_.empty() && names_[last_] == name) return last_;
    auto [entry, added] = indexes_.try_emplace(name, static_cast<std::uint16_t>(names_.size()));
    if (added) names_.push_back(name);
    return last_ = entry->second;
  }
  [[nodiscard]] std::span<const std::string_view> names() const { return names_; }

 private:
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, std::uint16_t> indexes_;
  std::uint16_t last_ = 0;  // runs of events mostly name the same thing
};

// A list of plain numbers, or of structs of them, as it lies in the message.
template <class Element, class List>
std::span<const Element> in_place(List list) {
  if (list.size() == 0) return {};
  auto raw = capnp::AnyList::Reader(list).getRawBytes();
  KJ_REQUIRE(raw.size() == list.size() * sizeof(Element), "a list of another element size");
  return {reinterpret_cast<const Element*>(raw.begin()), list.size()};
}

// The names of the frame being read. An index outside the table is damage.
class Names {
 public:
  explicit Names(std::span<const std::string_view> names) : names_(names) {}
  [[nodiscard]] std::string_view at(std::uint16_t index) const {
    KJ_REQUIRE(index < names_.size(), "a name outside the frame's table");
    return names_[index];
  }
  [[nodiscard]] NameListView list(std::span<const std::uint16_t> indexes) const;
  // A list of structs of a name and a number, as NumberedNamesView::Stored lies there.
  template <class ListView, class List>
  [[nodiscard]] ListView list(List from) const {
    using Stored = ListView::Stored;
    static_assert(sizeof(Stored) == sizeof(std::uint64_t), "one word of a message");
    const std::span<const Stored> stored = in_place<Stored>(from);
    for (const Stored& each : stored) (void)at(each.name);
    return {names_, stored};
  }

 private:
  std::span<const std::string_view> names_;
};

inline std::string_view view(capnp::Text::Reader text) { return {text.begin(), text.size()}; }
inline Bytes view(capnp::Data::Reader data) {
  return std::as_bytes(std::span(data.begin(), data.size()));
}
inline capnp::Data::Reader data(Bytes bytes) {
  return {reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()};
}
// Cap'n Proto's text is zero-terminated, ours is not: it is copied into place instead of passed.
template <class Init>
void set_text(std::string_view text, Init init) {
  if (text.empty()) return;
  auto place = init(static_cast<unsigned>(text.size()));
  std::memcpy(place.begin(), text.data(), text.size());
}
inline std::int64_t micros(Time time) { return time.time_since_epoch().count(); }
inline Time time(std::int64_t micros) { return Time(Duration(micros)); }

void write(const TaskEnqueued& from, schema::TaskEnqueued::Builder to, NameTable& names);
void write(const TaskReadied& from, schema::TaskReadied::Builder to, NameTable& names);
// One of two members: most attempts run in the engine itself, and take less so.
void write(const TaskStarted& from, schema::Event::Body::Builder to, NameTable& names);
void write(const TaskSucceeded& from, schema::TaskSucceeded::Builder to, NameTable& names);
void write(const TaskAttemptFailed& from, schema::TaskAttemptFailed::Builder to, NameTable& names);
void write(const TaskFailed& from, schema::TaskFailed::Builder to, NameTable& names);
void write(const TaskCancelRequested& from, schema::TaskCancelRequested::Builder to,
           NameTable& names);
void write(const TaskCancelled& from, schema::TaskCancelled::Builder to, NameTable& names);
void write(const TaskHandedBack& from, schema::TaskHandedBack::Builder to, NameTable& names);
void write(const TaskHeld& from, schema::TaskHeld::Builder to, NameTable& names);
void write(const TaskReleased& from, schema::TaskReleased::Builder to, NameTable& names);
void write(const TaskAccepted& from, schema::TaskAccepted::Builder to, NameTable& names);
void write(const TasksReranked& from, schema::TasksReranked::Builder to, NameTable& names);
void write(const QueueConfigured& from, schema::QueueConfigured::Builder to, NameTable& names);
void write(const EngineStarted& from, schema::EngineStarted::Builder to, NameTable& names);
void write(const EngineStopped& from, schema::EngineStopped::Builder to, NameTable& names);
void write(const BackupScheduled& from, schema::BackupScheduled::Builder to, NameTable& names);
void write(const BackupUnscheduled& from, schema::BackupUnscheduled::Builder to, NameTable& names);
void write(const BackupStarted& from, schema::BackupStarted::Builder to, NameTable& names);
void write(const SnapshotMade& from, schema::SnapshotMade::Builder to, NameTable& names);
void write(const SnapshotSkipped& from, schema::SnapshotSkipped::Builder to, NameTable& names);
void write(const SnapshotsPruned& from, schema::SnapshotsPruned::Builder to, NameTable& names);
void write(const DrillPassed& from, schema::DrillPassed::Builder to, NameTable& names);
void write(const BackupFailed& from, schema::BackupFailed::Builder to, NameTable& names);
void write(const ScheduleDefined& from, schema::ScheduleDefined::Builder to, NameTable& names);
void write(const SchedulePaused& from, schema::SchedulePaused::Builder to, NameTable& names);
void write(const ScheduleResumed& from, schema::ScheduleResumed::Builder to, NameTable& names);
void write(const ScheduleRemoved& from, schema::ScheduleRemoved::Builder to, NameTable& names);
void write(const ScheduleFired& from, schema::ScheduleFired::Builder to, NameTable& names);
void write(const ScheduleQueued& from, schema::ScheduleQueued::Builder to, NameTable& names);
void write(const ScheduleSkipped& from, schema::ScheduleSkipped::Builder to, NameTable& names);
void write(const DemandListView& from, capnp::List<schema::Demand>::Builder to, NameTable& names);
void write(const LimitConfigured& from, schema::LimitConfigured::Builder to, NameTable& names);
void write(const TokensTaken& from, schema::TokensTaken::Builder to, NameTable& names);
void write(const LaneBlocked& from, schema::LaneBlocked::Builder to, NameTable& names);
void write(const TaskSnoozed& from, schema::TaskSnoozed::Builder to, NameTable& names);
void write(const TaskProgressed& from, schema::TaskProgressed::Builder to, NameTable& names);
void write(const TaskRequestCarried& from, schema::TaskRequestCarried::Builder to,
           NameTable& names);
void write(const TaskResultCarried& from, schema::TaskResultCarried::Builder to, NameTable& names);
void write(const TaskRedriven& from, schema::TaskRedriven::Builder to, NameTable& names);
void write(const TasksForgotten& from, schema::TasksForgotten::Builder to, NameTable& names);
void write(const WorkPaused& from, schema::WorkPaused::Builder to, NameTable& names);
void write(const WorkResumed& from, schema::WorkResumed::Builder to, NameTable& names);
void write(const ImplementationsSet& from, schema::ImplementationsSet::Builder to,
           NameTable& names);
void write(const ImplementationLeft& from, schema::ImplementationLeft::Builder to,
           NameTable& names);
void write(const ImplementationReturned& from, schema::ImplementationReturned::Builder to,
           NameTable& names);
void write(const TaskFailedOver& from, schema::TaskFailedOver::Builder to, NameTable& names);
void write(const CircuitConfigured& from, schema::CircuitConfigured::Builder to, NameTable& names);
void write(const CircuitObserved& from, schema::CircuitObserved::Builder to, NameTable& names);
void write(const CircuitProbed& from, schema::CircuitProbed::Builder to, NameTable& names);
void write(const CircuitOpened& from, schema::CircuitOpened::Builder to, NameTable& names);
void write(const CircuitHalfOpened& from, schema::CircuitHalfOpened::Builder to, NameTable& names);
void write(const CircuitClosed& from, schema::CircuitClosed::Builder to, NameTable& names);
// Events of these domains go into the body and come out of it in their own codec.
using BodyBuilder = schema::Event::Body::Builder;
void write(const GroupOpened& from, BodyBuilder to, NameTable& names);
void write(const GroupClosed& from, BodyBuilder to, NameTable& names);
void write(const ComponentDescribed& from, BodyBuilder to, NameTable& names);
void write(const ComponentDiagnosed& from, BodyBuilder to, NameTable& names);
void write(const ComponentFailed& from, BodyBuilder to, NameTable& names);
void write(const ComponentSwitched& from, BodyBuilder to, NameTable& names);
void write(const RepairRequested& from, BodyBuilder to, NameTable& names);
void write(const RepairStarted& from, BodyBuilder to, NameTable& names);
void write(const RepairEnded& from, BodyBuilder to, NameTable& names);
void write(const InstanceCreated& from, BodyBuilder to, NameTable& names);
void write(const InstanceRetired& from, BodyBuilder to, NameTable& names);
void write(const InstanceFailed& from, BodyBuilder to, NameTable& names);
void write(const PoolExhausted& from, BodyBuilder to, NameTable& names);
void write(const HealthChanged& from, BodyBuilder to, NameTable& names);
void write(const GpuDeviceAppeared& from, BodyBuilder to, NameTable& names);
void write(const GpuDeviceVanished& from, BodyBuilder to, NameTable& names);
void write(const GpuSampled& from, BodyBuilder to, NameTable& names);
void write(const GpuAlertRaised& from, BodyBuilder to, NameTable& names);
void write(const GpuAlertCleared& from, BodyBuilder to, NameTable& names);
void write(const AdvisorFellBack& from, BodyBuilder to, NameTable& names);
void write(const AdvisorReturned& from, BodyBuilder to, NameTable& names);
void write(const MemoryStored& from, BodyBuilder to, NameTable& names);
void write(const MemoryUpdated& from, BodyBuilder to, NameTable& names);
void write(const MemoryForgotten& from, BodyBuilder to, NameTable& names);
void write(const ContextChanged& from, BodyBuilder to, NameTable& names);
void write(const ConversationTurnAdded& from, BodyBuilder to, NameTable& names);
void write(const UserForgotten& from, BodyBuilder to, NameTable& names);
void write(const ModelRegistered& from, BodyBuilder to, NameTable& names);
void write(const ModelChanged& from, BodyBuilder to, NameTable& names);
void write(const ModelRemoved& from, BodyBuilder to, NameTable& names);
void write(const ModelLoadStarted& from, BodyBuilder to, NameTable& names);
void write(const ModelLoaded& from, BodyBuilder to, NameTable& names);
void write(const ModelLoadFailed& from, BodyBuilder to, NameTable& names);
void write(const ModelMeasured& from, BodyBuilder to, NameTable& names);
void write(const ModelUnloadStarted& from, BodyBuilder to, NameTable& names);
void write(const ModelUnloaded& from, BodyBuilder to, NameTable& names);
void write(const ModelUnloadFailed& from, BodyBuilder to, NameTable& names);
void write(const ModelReleased& from, BodyBuilder to, NameTable& names);
void write(const ModelLost& from, BodyBuilder to, NameTable& names);
void write(const ModelChecked& from, BodyBuilder to, NameTable& names);
void write(const ModelUsed& from, BodyBuilder to, NameTable& names);
void write(const ModelDegraded& from, BodyBuilder to, NameTable& names);
void write(const RequestAudited& from, BodyBuilder to, NameTable& names);
void write(const RequestRefused& from, BodyBuilder to, NameTable& names);

TaskEnqueued read(schema::TaskEnqueued::Reader from, const Names& names);
TaskReadied read(schema::TaskReadied::Reader from, const Names& names);
TaskStarted read(schema::TaskStarted::Reader from, const Names& names);
TaskStarted read(schema::TaskLeased::Reader from, const Names& names);
TaskStarted read(schema::TaskStartedOnGpu::Reader from, const Names& names);
TaskSucceeded read(schema::TaskSucceeded::Reader from, const Names& names);
TaskAttemptFailed read(schema::TaskAttemptFailed::Reader from, const Names& names);
TaskFailed read(schema::TaskFailed::Reader from, const Names& names);
TaskCancelRequested read(schema::TaskCancelRequested::Reader from, const Names& names);
TaskCancelled read(schema::TaskCancelled::Reader from, const Names& names);
TaskHandedBack read(schema::TaskHandedBack::Reader from, const Names& names);
TaskHeld read(schema::TaskHeld::Reader from, const Names& names);
TaskReleased read(schema::TaskReleased::Reader from, const Names& names);
TaskAccepted read(schema::TaskAccepted::Reader from, const Names& names);
TasksReranked read(schema::TasksReranked::Reader from, const Names& names);
QueueConfigured read(schema::QueueConfigured::Reader from, const Names& names);
EngineStarted read(schema::EngineStarted::Reader from, const Names& names);
EngineStopped read(schema::EngineStopped::Reader from, const Names& names);
BackupScheduled read(schema::BackupScheduled::Reader from, const Names& names);
BackupUnscheduled read(schema::BackupUnscheduled::Reader from, const Names& names);
BackupStarted read(schema::BackupStarted::Reader from, const Names& names);
SnapshotMade read(schema::SnapshotMade::Reader from, const Names& names);
SnapshotSkipped read(schema::SnapshotSkipped::Reader from, const Names& names);
SnapshotsPruned read(schema::SnapshotsPruned::Reader from, const Names& names);
DrillPassed read(schema::DrillPassed::Reader from, const Names& names);
BackupFailed read(schema::BackupFailed::Reader from, const Names& names);
ScheduleDefined read(schema::ScheduleDefined::Reader from, const Names& names);
SchedulePaused read(schema::SchedulePaused::Reader from, const Names& names);
ScheduleResumed read(schema::ScheduleResumed::Reader from, const Names& names);
ScheduleRemoved read(schema::ScheduleRemoved::Reader from, const Names& names);
ScheduleFired read(schema::ScheduleFired::Reader from, const Names& names);
ScheduleQueued read(schema::ScheduleQueued::Reader from, const Names& names);
ScheduleSkipped read(schema::ScheduleSkipped::Reader from, const Names& names);
DemandListView read(capnp::List<schema::Demand>::Reader from, const Names& names);
LimitConfigured read(schema::LimitConfigured::Reader from, const Names& names);
TokensTaken read(schema::TokensTaken::Reader from, const Names& names);
LaneBlocked read(schema::LaneBlocked::Reader from, const Names& names);
TaskSnoozed read(schema::TaskSnoozed::Reader from, const Names& names);
TaskProgressed read(schema::TaskProgressed::Reader from, const Names& names);
TaskRequestCarried read(schema::TaskRequestCarried::Reader from, const Names& names);
TaskResultCarried read(schema::TaskResultCarried::Reader from, const Names& names);
TaskRedriven read(schema::TaskRedriven::Reader from, const Names& names);
TasksForgotten read(schema::TasksForgotten::Reader from, const Names& names);
WorkPaused read(schema::WorkPaused::Reader from, const Names& names);
WorkResumed read(schema::WorkResumed::Reader from, const Names& names);
ImplementationsSet read(schema::ImplementationsSet::Reader from, const Names& names);
ImplementationLeft read(schema::ImplementationLeft::Reader from, const Names& names);
ImplementationReturned read(schema::ImplementationReturned::Reader from, const Names& names);
TaskFailedOver read(schema::TaskFailedOver::Reader from, const Names& names);
CircuitConfigured read(schema::CircuitConfigured::Reader from, const Names& names);
CircuitObserved read(schema::CircuitObserved::Reader from, const Names& names);
CircuitProbed read(schema::CircuitProbed::Reader from, const Names& names);
CircuitOpened read(schema::CircuitOpened::Reader from, const Names& names);
CircuitHalfOpened read(schema::CircuitHalfOpened::Reader from, const Names& names);
CircuitClosed read(schema::CircuitClosed::Reader from, const Names& names);
GroupOpened read(schema::GroupOpened::Reader from, const Names& names);
GroupClosed read(schema::GroupClosed::Reader from, const Names& names);

// Of a domain; false for an event of any other.
bool read_circuit_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_group_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_component_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_pool_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_health_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_gpu_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_advisor_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_memory_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_context_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_model_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);
bool read_audit_body(schema::Event::Body::Reader body, const Names& names, EventBody& to);

}  // namespace almanac::codec
