#include <almanac/log/append.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <memory_resource>
#include <type_traits>

namespace almanac {
namespace {

// The events and all that they point at, which is little more often than not.
struct Owned {
  EventBatch batch;
  std::array<std::byte, 256> first_bytes;
  std::pmr::monotonic_buffer_resource bytes{first_bytes.data(), first_bytes.size()};

  template <class Each>
  std::span<Each> make(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<Each>);
    auto* first = static_cast<Each*>(bytes.allocate(count * sizeof(Each), alignof(Each)));
    std::uninitialized_value_construct_n(first, count);
    return {first, count};
  }
  template <class Each>
  std::span<const Each> copy(std::span<const Each> list) {
    if (list.empty()) return {};
    const auto own = make<Each>(list.size());
    std::ranges::copy(list, own.begin());
    return own;
  }
  // Of a view that gives its elements one by one.
  template <class Each>
  std::span<Each> copy_each(const auto& view) {
    const auto own = make<Each>(view.size());
    for (std::size_t i = 0; i < own.size(); ++i) own[i] = view[i];
    return own;
  }

  void own(std::string_view& text) { text = as_text(copy(as_bytes(text))); }
  void own(Bytes& data) { data = copy(data); }
  void own(std::span<const std::uint64_t>& list) { list = copy(list); }
  void own(AttemptEnd& end) {
    own(end.message);
    own(end.result);
    own(end.output);
  }
  void own(SealedMemory& sealed) {
    own(sealed.key);
    own(sealed.content);
  }
  void own(MemoryContent& said) {
    own(said.content);
    own(said.summary);
    own(said.embedding);
    own(said.metadata);
  }
  void own(NameListView& view) {
    const auto list = copy_each<std::string_view>(view);
    for (std::string_view& name : list) own(name);
    view = NameListView(list);
  }
  void own(DemandListView& view) {
    const auto list = copy_each<Demand>(view);
    for (Demand& demand : list) own(demand.limit);
    view = DemandListView(list);
  }

  void operator()(CustomEvent& event) {
    own(event.type);
    own(event.data);
  }
  void operator()(TaskEnqueued& event) {
    own(event.kind);
    own(event.queue);
    own(event.label);
    own(event.payload);
    own(event.tags);
    event.dependencies = copy_each<TaskId>(event.dependencies);
    event.conditions = copy_each<DependencyCondition>(event.conditions);
    own(event.owner);
    own(event.demands);
  }
  void operator()(TaskReadied&) {}
  void operator()(TaskStarted& event) {
    own(event.implementation);
    own(event.worker);
    own(event.advisor);
    own(event.gpu);
  }
  void operator()(TaskSucceeded& event) { own(event.end); }
  void operator()(TaskAttemptFailed& event) { own(event.end); }
  void operator()(TaskFailed& event) { own(event.end); }
  void operator()(TaskCancelRequested& event) { own(event.reason); }
  void operator()(TaskCancelled& event) {
    own(event.reason);
    own(event.end);
  }
  void operator()(TaskHandedBack& event) { own(event.end); }
  void operator()(TaskHeld&) {}
  void operator()(TaskReleased&) {}
  void operator()(TaskAccepted&) {}
  void operator()(TasksReranked&) {}
  void operator()(QueueConfigured& event) {
    own(event.queue);
    const auto list = copy_each<QueueWeight>(event.weights);
    for (QueueWeight& weight : list) own(weight.name);
    event.weights = QueueWeightListView(list);
  }
  void operator()(TaskSnoozed&) {}
  void operator()(TaskFailedOver& event) {
    own(event.from);
    own(event.to);
    own(event.end);
  }
  void operator()(TaskRequestCarried& event) { (*this)(event.request); }
  void operator()(TaskResultCarried& event) { own(event.end); }
  void operator()(TaskProgressed& event) {
    own(event.message);
    own(event.partial);
  }
  void operator()(TaskRedriven& event) { own(event.reason); }
  void operator()(TasksForgotten& event) { event.ids = copy_each<TaskId>(event.ids); }
  void operator()(WorkPaused& event) { own(event.name); }
  void operator()(WorkResumed& event) { own(event.name); }
  void operator()(ImplementationsSet& event) {
    own(event.kind);
    const auto list = copy_each<RankedImplementation>(event.implementations);
    for (RankedImplementation& each : list) own(each.name);
    event.implementations = ImplementationListView(list);
  }
  void operator()(ImplementationLeft& event) {
    own(event.kind);
    own(event.implementation);
    own(event.reason);
  }
  void operator()(ImplementationReturned& event) {
    own(event.kind);
    own(event.implementation);
  }
  template <class OfService>
    requires requires(OfService& event) { event.service; }
  void operator()(OfService& event) {
    own(event.service);
    if constexpr (requires { event.reason; }) own(event.reason);
  }
  template <class OfComponent>
    requires requires(OfComponent& event) { event.component; }
  void operator()(OfComponent& event) {
    own(event.component);
    if constexpr (requires { event.implementation; }) own(event.implementation);
    if constexpr (requires { event.reason; }) own(event.reason);
    if constexpr (requires { event.message; }) own(event.message);
  }
  void operator()(ComponentDescribed& event) {
    own(event.component);
    own(event.folder);
    const auto list = copy_each<DescribedImplementation>(event.implementations);
    for (DescribedImplementation& each : list) own(each.name);
    event.implementations = DescribedImplementationsView(list);
  }
  void operator()(ComponentDiagnosed& event) {
    own(event.component);
    own(event.implementation);
    own(event.evidence);
    own(event.version);
  }
  void operator()(ComponentSwitched& event) {
    own(event.component);
    own(event.from);
    own(event.to);
  }
  void operator()(EngineStarted& event) { own(event.version); }
  void operator()(EngineStopped&) {}
  void operator()(BackupScheduled& event) {
    own(event.job);
    own(event.schedule);
    own(event.repository);
  }
  void operator()(BackupUnscheduled& event) { own(event.job); }
  void operator()(BackupStarted& event) { own(event.job); }
  void operator()(BackupFailed& event) {
    own(event.run.job);
    own(event.code);
    own(event.message);
  }
  void operator()(ScheduleDefined& event) {
    own(event.schedule);
    own(event.recurrence);
    (*this)(event.task);
  }
  void operator()(SchedulePaused& event) {
    own(event.schedule);
    own(event.reason);
  }
  template <class OfSchedule>
    requires requires(OfSchedule& event) { event.schedule; }
  void operator()(OfSchedule& event) {
    own(event.schedule);
  }
  void operator()(GroupOpened& event) { own(event.name); }
  void operator()(GroupClosed&) {}
  template <class OfPool>
    requires requires(OfPool& event) { event.pool; }
  void operator()(OfPool& event) {
    own(event.pool);
    if constexpr (requires { event.message; }) own(event.message);
  }
  void operator()(HealthChanged& event) { own(event.reasons); }
  template <class OfDevice>
    requires requires(OfDevice& event) { event.device; }
  void operator()(OfDevice& event) {
    own(event.device);
    if constexpr (requires { event.message; }) own(event.message);
  }
  void operator()(GpuDeviceAppeared& event) {
    own(event.device);
    own(event.name);
    own(event.sizes);
  }
  void operator()(GpuSampled& event) {
    own(event.device);
    own(event.own);
    own(event.budget);
  }
  void operator()(AdvisorFellBack& event) {
    own(event.advisor);
    own(event.evidence);
  }
  void operator()(AdvisorReturned& event) { own(event.advisor); }
  void operator()(MemoryStored& event) {
    own(event.kind);
    own(event.user);
    own(event.said);
    own(event.tags);
    own(event.sealed);
  }
  void operator()(MemoryUpdated& event) {
    own(event.changed);
    own(event.said);
    own(event.tags);
    own(event.sealed);
  }
  void operator()(MemoryForgotten& event) { own(event.reason); }
  template <class OfUser>
    requires requires(OfUser& event) { event.user; }
  void operator()(OfUser& event) {
    own(event.user);
    own(event.key);
    if constexpr (requires { event.field; }) own(event.field);
    if constexpr (requires { event.content; }) own(event.content);
  }
  template <class OfModel>
    requires requires(OfModel& event) { event.model; }
  void operator()(OfModel& event) {
    own(event.model);
    if constexpr (requires { event.gpu; }) own(event.gpu);
    if constexpr (requires { event.alternative; }) own(event.alternative);
    if constexpr (requires { event.beneficiary; }) own(event.beneficiary);
    if constexpr (requires { event.commands; }) own(event.commands);
    if constexpr (requires { event.message; }) own(event.message);
    if constexpr (requires { event.reason; }) own(event.reason);
  }
  template <class OfPrincipal>
    requires requires(OfPrincipal& event) { event.principal; }
  void operator()(OfPrincipal& event) {
    own(event.principal);
    own(event.action);
    own(event.remote);
    if constexpr (requires { event.subject; }) own(event.subject);
  }
  void operator()(LimitConfigured& event) { own(event.name); }
  void operator()(TokensTaken& event) { own(event.limit); }
  void operator()(LaneBlocked& event) {
    own(event.queue);
    own(event.kind);
    own(event.limit);
    own(event.demands);
  }
  template <class BackupEnd>
    requires requires(BackupEnd& event) { event.run; }
  void operator()(BackupEnd& event) {
    own(event.run.job);
  }
};

}  // namespace

std::shared_ptr<EventBatch> own_events(std::span<const Event> events) {
  auto owned = std::make_shared<Owned>();
  owned->batch.events.assign(events.begin(), events.end());
  for (Event& event : owned->batch.events) {
    owned->own(event.idempotency_key);
    owned->own(event.stream);
    std::visit(*owned, event.body);
  }
  return {owned, &owned->batch};
}

std::shared_ptr<EventBatch> borrow_events(std::span<const Event> events) {
  auto borrowed = std::make_shared<EventBatch>();
  borrowed->events.assign(events.begin(), events.end());
  return borrowed;
}

}  // namespace almanac
