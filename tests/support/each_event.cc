#include <almanac/tests/support/any_event.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace almanac::test {
namespace {

constexpr std::array<std::string_view, 3> tags = {"nightly", "gpu", "größer als"};
constexpr std::array<std::string_view, 2> changed = {"content", "tags"};
constexpr std::array conditions = {DependencyCondition::failure, DependencyCondition::end,
                                   DependencyCondition::success_in_the_end};
constexpr std::array<Demand, 2> demands = {Demand{"memory", 4'000'000'000}, Demand{"api", 1}};
constexpr std::array<QueueWeight, 2> weights = {QueueWeight{"high", 30}, QueueWeight{"late", -7}};
constexpr std::array<DescribedImplementation, 2> described = {
    DescribedImplementation{"native", ImplementationTraits(ComponentKind::plugin)
                                          .with(RepairStrategy::build)
                                          .with(RepairStrategy::restore)},
    DescribedImplementation{"plain", ImplementationTraits(ComponentKind::builtin)}};
constexpr std::array<RankedImplementation, 2> implementations = {RankedImplementation{"remote", 3},
                                                                 RankedImplementation{"local", 1}};
constexpr std::array forgotten = {TaskId(7), TaskId(1)};
constexpr std::array<TaskId, 3> dependencies = {TaskId(7), TaskId(1), TaskId(UINT64_MAX)};

AttemptEnd full_end() {
  return {.status = AttemptStatus::signaled,
          .code = -9,
          .output_dropped = 1'234'567'890'123,
          .message = "killed by the system",
          .result = as_bytes("{\"rows\":17}"),
          .output = as_bytes(std::string_view("line 1\nline 2\0\xff", 15)),
          .permanent = true};
}

TaskEnqueued full_enqueued(TaskId id) {
  return {.id = id,
          .kind = "render",
          .queue = "slow",
          .label = "a label",
          .priority = -5,
          .run_at = Time(Duration(1'700'000'000'000'001)),
          .timeout = std::chrono::seconds(90),
          .backoff = {.initial = std::chrono::milliseconds(5), .max = std::chrono::hours(1)},
          .attempts_max = 65'535,
          .content_hash = 0xfedcba9876543210,
          .tags = NameListView(tags),
          .dependencies = dependencies,
          .conditions = conditions,
          .owner = "ann",
          .deadline = Time(Duration(1'700'000'500'000'000)),
          .estimate = std::chrono::seconds(40),
          .expires_at = Time(Duration(1'700'000'900'000'000)),
          .demands = DemandListView(demands),
          .retry_policy = RetryPolicy::fixed,
          .crashes_max = 5,
          .keeps_dependencies = true,
          .unique = {.identity = {0x0123456789abcdef, 0xfedcba9876543210},
                     .until = UniqueUntil::succeeded,
                     .within = std::chrono::minutes(5)},
          .version = 3,
          .group = GroupId(3),
          .after_group = GroupId(2),
          .after_group_condition = DependencyCondition::end,
          .payload = as_bytes("{\"frame\":1}")};
}

LaneBlocked full_lane() {
  return {.queue = "slow",
          .kind = "render",
          .demands = DemandListView(demands),
          .reason = LaneBlock::tokens,
          .limit = "api",
          .next = Time(Duration(1'700'000'500'000'000)),
          .version = 3};
}

BackupRun full_run() {
  return {"nightly", Time(Duration(1'700'000'123'000'000)), std::chrono::milliseconds(4'321)};
}

constexpr std::string_view card = "6e76696c-6c61-2047-5055-000000000001";
constexpr std::array<std::uint64_t, 2> sizes = {8'589'934'592, 68'719'476'736};
constexpr std::array<std::uint64_t, 2> own_bytes = {1'073'741'824, 0};
constexpr std::array<std::uint64_t, 2> budget = {7'516'192'768, 64'424'509'440};

std::vector<EventBody> later_of_each() {
  return {
      ScheduleDefined{"hourly", "every hour", MissedPolicy::all, std::chrono::hours(6),
                      OverlapPolicy::queue, Time(Duration(1'700'000'400'000'000)),
                      full_enqueued(TaskId())},
      SchedulePaused{"hourly", "holidays"},
      ScheduleResumed{"hourly", Time(Duration(1'700'000'400'000'000))},
      ScheduleRemoved{"hourly"},
      ScheduleFired{"hourly", Time(Duration(1'700'000'400'000'000)), TaskId(43),
                    Time(Duration(1'700'004'000'000'000))},
      ScheduleQueued{"hourly", Time(Duration(1'700'000'400'000'000)),
                     Time(Duration(1'700'004'000'000'000))},
      ScheduleSkipped{"hourly", SkipReason::overlap, 3, Time(Duration(1'700'000'400'000'000)),
                      Time(Duration(1'700'007'600'000'000)), Time(Duration(1'700'011'200'000'000))},
      TasksReranked{Time(Duration(1'700'000'555'000'000)), TaskId(42)},
      LimitConfigured{"memory", 64'000, 600, 20},
      TokensTaken{"api", 3, Time(Duration(1'700'000'060'000'000))},
      full_lane(),
      TaskSnoozed{TaskId(42), Lease(4), Time(Duration(1'700'000'123'000'000))},
      TaskProgressed{TaskId(42), Lease(4), 375, "3 of 8 pages", as_bytes("{\"pages\":3}")},
      TaskRedriven{TaskId(42), "the disk has room again"},
      TasksForgotten{forgotten},
      WorkPaused{PauseScope::kind, "render"},
      WorkResumed{PauseScope::queue, "slow"},
      ImplementationsSet{"render", ImplementationListView(implementations), {2, 3}},
      ImplementationLeft{"render", "remote", "connection refused"},
      ImplementationReturned{"render", "remote"},
      TaskFailedOver{TaskId(42), Lease(4), Time(Duration(1'700'000'090'000'000)), "remote", "local",
                     full_end()},
      TaskRequestCarried{full_enqueued(TaskId(42))},
      TaskResultCarried{TaskId(42), full_end()},
      CircuitConfigured{"search", 20, 400, 6, Duration(30'000'000), Duration(5'000'000),
                        Duration(60'000'000), 3},
      CircuitObserved{"search", 90, 10, 2, Duration(1'234'567), Position(9)},
      CircuitProbed{"search"},
      CircuitOpened{"search", CircuitCause::forced, Time(Duration(1'700'000'060'000'000)), 100, 10,
                    2, "it is being moved"},
      CircuitHalfOpened{"search", 3},
      CircuitClosed{"search", CircuitCause::reset, 5'000, "it has been moved"},
      GroupOpened{GroupId(3), "import"},
      GroupClosed{GroupId(3)}};
}

// Of what programs have beside their tasks.
std::vector<EventBody> last_of_each() {
  return {ComponentDescribed{"parser", "/parts/größer", DescribedImplementationsView(described), 3,
                             Duration(10'000'000), Duration(300'000'000), Duration(600'000'000),
                             Duration(305'000'000)},
          ComponentDiagnosed{"parser", "native", ComponentIssue::missing_dependencies,
                             "libfoo.so: cannot open", "1.4.2", Duration(12'345),
                             HealthTrend::failing_more, Time(Duration(1'700'000'300'000'000))},
          ComponentFailed{"parser", "native", "it returned nonsense"},
          RepairRequested{"parser", "native", RepairStrategy::clean_build},
          ComponentSwitched{"parser", "native", "plain", SwitchCause::fallback},
          RepairStarted{"parser", "native", ComponentIssue::corrupt_binary, RepairStrategy::restore,
                        2, Time(Duration(1'700'000'600'000'000))},
          RepairEnded{"parser", "native", Position(51), RepairOutcome::timed_out,
                      ComponentIssue::build_failed, Duration(600'000'000), "it took too long",
                      Time(Duration(1'700'000'700'000'000))},
          InstanceCreated{"reasoners", 7, true},
          InstanceRetired{"reasoners", 7, PoolRetirement::error, "BorrowMutError"},
          InstanceFailed{"reasoners", "it does not start"},
          PoolExhausted{"reasoners"},
          HealthChanged{Health::healthy, Health::degraded, "the circuit of 'search' is half open"},
          ContextChanged{"ann", as_bytes("0123456789abcdef"), as_bytes("fedcba9876543210"),
                         as_bytes("what she likes")},
          ConversationTurnAdded{"ann", as_bytes("0123456789abcdef"), as_bytes("what she said")},
          UserForgotten{"ann", as_bytes("0123456789abcdef")}};
}

std::vector<EventBody> of_gpus() {
  return {GpuDeviceAppeared{card, "Radeon größer", GpuKind::discrete, sizes, 1, true},
          GpuDeviceVanished{card, GpuAbsence::lost, "the device is lost"},
          GpuSampled{card, own_bytes, budget},
          GpuAlertRaised{card, 1, GpuLevel::critical, GpuLevel::warning}, GpuAlertCleared{card, 1}};
}

std::vector<EventBody> of_advisors() {
  return {AdvisorFellBack{"ranker", AdvisorFault::duplicate_task, 3, "it names task 7 twice", true},
          AdvisorReturned{"ranker"}};
}

std::vector<EventBody> of_models() {
  const Time later = Time(Duration(1'700'000'990'000'000));
  return {ModelRegistered{"llama", 9'878'424'781, card, "llama-klein", -2, true,
                          Duration(30'000'000), Duration(120'000'000), "{\"load\":[\"größer\"]}"},
          ModelChanged{"llama", true, 5},
          ModelRemoved{"llama"},
          ModelLoadStarted{"llama", card, 9'878'424'781, later},
          ModelLoaded{"llama", Duration(4'500'000)},
          ModelLoadFailed{"llama", "exit code 3", later},
          ModelMeasured{"llama", 10'000'000'000},
          ModelUnloadStarted{"llama", ModelUnloadCause::room, "whisper"},
          ModelUnloaded{"llama", Duration(500'000)},
          ModelUnloadFailed{"llama", "ended by SIGSEGV", later},
          ModelReleased{"llama", 9'000'000'000, true},
          ModelLost{"llama", "its GPU is lost"},
          ModelChecked{"llama", true, "it answers"},
          ModelUsed{"llama", 71, later},
          ModelDegraded{"llama", "llama-klein", 3, "needs 9.2 GiB"}};
}

std::vector<EventBody> of_audits() {
  return {RequestAudited{17, AuditDoor::http, "größer", "POST /v1/tasks", "/v1/tasks",
                         "127.0.0.1:4711", 3},
          RequestRefused{18, AuditDoor::faktory, RefusalReason::token_in_url, "grafana",
                         "GET /v1/tasks", "[::1]:4711", 400, 5}};
}

std::vector<EventBody> memory_of_each() {
  const SealedMemory sealed{as_bytes("0123456789abcdef"), as_bytes("sealed \x01 bytes"), 384};
  return {
      MemoryStored{
          MemoryId(7), "dialogue", "ann",
          MemoryContent{"She likes größe", "likes", as_bytes("\x01\x02\x03\x04"), "{\"turn\":3}"},
          NameListView(tags), 850'000, Time(Duration(1'700'000'900'000'000)), TaskId(3), sealed},
      MemoryUpdated{
          MemoryId(7), NameListView(changed),
          MemoryContent{"She liked it", "liked", as_bytes("\x04\x03\x02\x01"), "{\"turn\":4}"},
          NameListView(tags), 5, Time(Duration(1'700'000'950'000'000)), sealed},
      MemoryForgotten{MemoryId(7), ForgetCause::expired, "it was long ago"}};
}

}  // namespace

std::vector<Event> one_of_each(Time at) {
  std::vector<EventBody> bodies = {
      CustomEvent{"invoice.paid", as_bytes(std::string_view("\0\1binary", 8))},
      full_enqueued(TaskId(42)),
      TaskReadied{TaskId(42)},
      TaskStarted{TaskId(42), 3, Time(Duration(1'700'000'090'000'000)), "remote"},
      TaskSucceeded{TaskId(42), Lease(4), full_end()},
      TaskAttemptFailed{TaskId(42), Lease(4), Time(Duration(1'700'000'123'000'000)), full_end()},
      TaskFailed{TaskId(42), Lease(4), full_end(), 3},
      TaskCancelRequested{TaskId(42), "no longer wanted"},
      TaskCancelled{TaskId(42), Lease(4), TaskId(41), "its input failed", full_end()},
      TaskHandedBack{TaskId(42), Lease(4), HandBackReason::crashed, true, 2, full_end()},
      TaskHeld{TaskId(42), Lease(4), HoldReason::restored, TaskOutcome::failed, Position(51),
               Position(53)},
      TaskReleased{TaskId(42)},
      TaskAccepted{TaskId(42)},
      QueueConfigured{"slow",
                      2,
                      QueuePolicy::urgency,
                      std::chrono::minutes(5),
                      std::chrono::hours(24),
                      std::chrono::seconds(90),
                      QueueWeightListView(weights),
                      {std::chrono::hours(1), retained_for_ever, std::chrono::days(30)}},
      EngineStarted{"0.1.0", 4711, 16, 0x0123456789abcdef},
      EngineStopped{},
      BackupScheduled{"nightly", BackupAction::drill, "daily at 02:30 Europe/Paris",
                      "/backup/größer", Time(Duration(1'700'000'123'000'000))},
      BackupUnscheduled{"nightly"},
      BackupStarted{"nightly", Time(Duration(1'700'000'123'000'000)),
                    Time(Duration(1'700'086'523'000'000)), 3,
                    Time(Duration(1'699'740'923'000'000))},
      SnapshotMade{full_run(), 17, Position(123'456), 1'000'000, 70'000},
      SnapshotSkipped{full_run(), 17},
      SnapshotsPruned{full_run(), 4, 9, 1'234'567},
      DrillPassed{full_run(), 17, Position(99'999), 1'000'000, 70'000, std::chrono::seconds(2)},
      BackupFailed{full_run(), "io", "cannot write the segment: Input/output error"}};
  std::ranges::copy(later_of_each(), std::back_inserter(bodies));
  std::ranges::copy(last_of_each(), std::back_inserter(bodies));
  std::ranges::copy(of_gpus(), std::back_inserter(bodies));
  std::ranges::copy(of_advisors(), std::back_inserter(bodies));
  std::ranges::copy(memory_of_each(), std::back_inserter(bodies));
  std::ranges::copy(of_models(), std::back_inserter(bodies));
  std::ranges::copy(of_audits(), std::back_inserter(bodies));
  std::vector<Event> events;
  for (const EventBody& body : bodies) {
    auto number = events.size() + 1;
    events.push_back({.at = at + Duration(number),
                      .idempotency_key = "key of its own",
                      .stream = "orders/17",
                      .correlation = Position(100 + number),
                      .causation = Position(200 + number),
                      .body = body});
  }
  return events;
}

}  // namespace almanac::test
