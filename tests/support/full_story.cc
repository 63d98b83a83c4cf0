#include <almanac/tests/support/full_story.h>

#include <array>

namespace almanac::test {

Story full_story(std::uint64_t tasks) {
  Story story;
  story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
  story.tell(QueueConfigured{"even", 3});
  for (std::uint64_t id = 1; id <= tasks; ++id) {
    NewTask task{.id = id, .queue = id % 2 == 0 ? "even" : "odd", .attempts_max = 2};
    task.priority = static_cast<std::int32_t>(id % 5) - 2;
    if (id % 3 == 0) task.dependencies = {id - 1};
    if (id % 4 == 0) task.tags = {"red", "nightly"};
    if (id % 5 == 0) task.key = "key " + std::to_string(id);
    task.content_hash = id * 7;
    if (id % 7 == 0) task.run_at = story.now() + std::chrono::hours(1);
    story.enqueue(task);
    if (id % 6 == 1) story.start(id);
    if (id % 12 == 1) story.fail(id);
    if (id % 12 == 8 && story.start(id)) story.fail(id);
    if (id % 11 == 10) story.hold(id, id % 2 == 0 ? TaskOutcome::succeeded : TaskOutcome::unknown);
  }
  return story;
}

void tell_attempts(Story& story) {
  const std::uint64_t first = story.tasks().last.value + 1;
  story.enqueue(
      {.id = first, .attempts_max = 2, .expires_at = story.now() + std::chrono::hours(9)});
  story.enqueue({.id = first + 1});
  story.enqueue({.id = first + 2,
                 .dependencies = {first, first + 1},
                 .conditions = {DependencyCondition::success_in_the_end, DependencyCondition::end},
                 .keeps_dependencies = true,
                 .expires_at = story.now() + std::chrono::hours(8)});
  story.start(first);
  story.crash(first, 2);
  story.start(first);
  story.tell(TaskProgressed{TaskId(first), story.lease(first), 375, "3 of 8", {}});
  story.start(first + 1);
  story.succeed(first + 1);
  story.enqueue({.id = first + 3});
  story.tell(TaskHeld{.id = TaskId(first + 3), .reason = HoldReason::paused});
  story.enqueue({.id = first + 4, .tags = {"red"}, .key = "gone"});
  story.start(first + 4);
  story.succeed(first + 4);
  story.forget({first + 4});
  const Uniqueness unique{{7, 8}, UniqueUntil::succeeded, std::chrono::hours(1)};
  for (std::uint64_t id = first + 5; id < first + 8; ++id) {
    story.enqueue({.id = id, .unique = unique});
    story.start(id);
    if (id != first + 6) story.fail(id);
  }
  story.tell(WorkPaused{PauseScope::queue, "odd"});
  story.tell(WorkPaused{PauseScope::kind, "work"});
}

void tell_backups(Story& story) {
  const Time due = story.now();
  const Time next = due + std::chrono::hours(1);
  story.tell(BackupScheduled{"often", BackupAction::snapshot, "every hour", "/backup", due});
  story.tell(BackupScheduled{"trial", BackupAction::drill, "every 2 hours", "/backup", due});
  story.tell(BackupScheduled{"tidy", BackupAction::prune, "daily at 02:30", "/backup", due});
  story.tell(BackupStarted{"often", due + Duration(2), next, 2, due});
  story.tell(SnapshotMade{{"often", due + Duration(2), Duration(5)}, 1, Position(4), 700, 300});
  story.tell(BackupStarted{"trial", due, next});
  story.tell(BackupFailed{{"trial", due, Duration(7)}, "io", "cannot read"});
  story.tell(BackupUnscheduled{"trial"});
  story.tell(BackupStarted{"tidy", due, next});
}

void tell_implementations(Story& story) {
  static constexpr std::array implementations = {RankedImplementation{"remote", 3},
                                                 RankedImplementation{"local", 1}};
  const std::uint64_t id = story.tasks().last.value + 1;
  story.tell(ImplementationsSet{"render", ImplementationListView(implementations)});
  story.enqueue({.id = id, .kind = "render"});
  story.tell(TaskStarted{TaskId(id), 1, Time(), "remote"});
  story.fail_over(id, "local");
  story.tell(ImplementationLeft{"render", "remote", "connection refused"});
}

void tell_remote(Story& story) {
  for (const char* worker : {"render-1", "render-22"}) {
    const std::uint64_t id = story.tasks().last.value + 1;
    story.enqueue({.id = id, .kind = "render"});
    story.tell(TaskStarted{.id = TaskId(id),
                           .attempt = 1,
                           .worker = worker,
                           .lease_time = std::chrono::milliseconds(id * 100)});
  }
}

void tell_versions(Story& story) {
  story.tell(ImplementationsSet{"ask", {}, {2, 3}});
  std::uint64_t id = story.tasks().last.value;
  for (const std::uint32_t version : {0, 1, 2, 4, 4}) {
    story.enqueue({.id = ++id, .kind = "ask", .version = version});
  }
  for (const std::uint32_t version : {1, 4}) {
    story.tell(LaneBlocked{
        .queue = "default", .kind = "ask", .reason = LaneBlock::version, .version = version});
  }
}

void tell_circuits(Story& story) {
  story.tell(CircuitConfigured{.service = "search",
                               .requests_min = 10,
                               .failure_permille = 500,
                               .window = std::chrono::minutes(1),
                               .cooldown = std::chrono::seconds(5),
                               .cooldown_max = std::chrono::minutes(1),
                               .probes = 3});
  for (const char* service : {"search", "mail"}) {
    story.tell(CircuitObserved{.service = service,
                               .successes = 6,
                               .failures = 9,
                               .trailing_failures = 2,
                               .took = std::chrono::seconds(2)});
    story.tell(CircuitOpened{.service = service,
                             .until = story.now() + std::chrono::seconds(5),
                             .requests = 15,
                             .failures = 9});
  }
  story.tell(CircuitHalfOpened{"search", 3});
  story.tell(CircuitProbed{"search"});
}

void tell_groups(Story& story) {
  std::uint64_t id = story.tasks().last.value;
  std::uint64_t group = story.tasks().groups.last.value;
  for (const char* name : {"import", "export", "report"}) {
    story.tell(GroupOpened{GroupId(++group), name});
    for (int i = 0; i < 2; ++i) story.enqueue({.id = ++id, .group = group});
    story.enqueue({.id = ++id,
                   .after_group = group,
                   .after_group_condition = DependencyCondition::success_in_the_end});
    story.start(id - 2);
    story.fail(id - 2);
  }
  story.start(id - 1);
  story.succeed(id - 1);
  story.tell(GroupClosed{GroupId(group)});
  story.tell(GroupClosed{GroupId(group - 1)});
}

void tell_components(Story& story) {
  constexpr auto traits = ImplementationTraits(ComponentKind::plugin)
                              .with(RepairStrategy::build)
                              .with(RepairStrategy::clean_build);
  static constexpr std::array<DescribedImplementation, 3> implementations = {
      DescribedImplementation{"native", traits}, DescribedImplementation{"script", traits},
      DescribedImplementation{"plain", ImplementationTraits(ComponentKind::builtin)}};
  story.tell(ComponentDescribed{.component = "parser",
                                .folder = "/parts/parser",
                                .implementations = DescribedImplementationsView(implementations),
                                .attempts_max = 1,
                                .backoff = std::chrono::seconds(10),
                                .backoff_max = std::chrono::minutes(5),
                                .build_timeout = std::chrono::minutes(10),
                                .check_interval = std::chrono::minutes(5)});
  story.tell(ComponentDiagnosed{
      .component = "parser", .implementation = "plain", .took = std::chrono::milliseconds(3)});
  story.tell(ComponentSwitched{.component = "parser", .to = "plain"});
  for (const char* broken : {"script", "native"}) {
    story.tell(ComponentDiagnosed{
        .component = "parser", .implementation = broken, .issue = ComponentIssue::not_built});
    story.tell(RepairStarted{.component = "parser",
                             .implementation = broken,
                             .issue = ComponentIssue::not_built,
                             .attempt = 1,
                             .deadline = story.now() + std::chrono::minutes(10)});
    if (broken == std::string_view("native")) break;
    story.tell(RepairEnded{.component = "parser",
                           .implementation = broken,
                           .repair = story.state().position,
                           .outcome = RepairOutcome::failed,
                           .left = ComponentIssue::build_failed,
                           .took = std::chrono::seconds(4)});
  }
}

void tell_pools(Story& story) {
  for (std::uint64_t instance = 1; instance <= 2; ++instance) {
    story.tell(InstanceCreated{"reasoners", instance, instance == 2});
  }
  story.tell(PoolExhausted{"reasoners"});
  story.tell(InstanceRetired{"reasoners", 1, PoolRetirement::error, "BorrowMutError"});
  story.tell(InstanceFailed{"browsers", "it does not start"});
}

void tell_gpus(Story& story) {
  constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
  static constexpr std::array sizes{8 * gib, 64 * gib};
  static constexpr std::array budget{7 * gib, 60 * gib};
  for (const std::string_view device : {"6e76696c-0001", "6e76696c-0002"}) {
    story.tell(GpuDeviceAppeared{device, "Card", GpuKind::discrete, sizes, 1});
    for (std::uint64_t i = 1; i <= 6; ++i) {
      const std::array own{i * gib, i};
      story.tell(GpuSampled{device, own, budget});
    }
  }
  story.tell(GpuAlertRaised{"6e76696c-0001", 0, GpuLevel::warning, GpuLevel::normal});
  story.tell(GpuDeviceVanished{"6e76696c-0002", GpuAbsence::lost, "the device is lost"});
}

void tell_models(Story& story) {
  constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
  constexpr std::string_view card = "6e76696c-0001";
  const Time later = story.now() + std::chrono::minutes(2);
  for (const char* model :
       {"absent", "loading", "settling", "resident", "unloading", "releasing", "unknown"}) {
    story.tell(ModelRegistered{.model = model,
                               .bytes = 2 * gib,
                               .gpu = card,
                               .alternative = "absent",
                               .priority = -3,
                               .pinned = true,
                               .residency = std::chrono::seconds(30),
                               .timeout = std::chrono::minutes(2),
                               .commands = "{\"load\":[\"true\"]}"});
    story.tell(ModelUsed{model, 7, story.now()});
    story.tell(ModelDegraded{model, "absent", 2, "needs 2.0 GiB"});
    story.tell(ModelLoadStarted{model, card, 2 * gib, later});
    if (model == std::string_view("absent"))
      story.tell(ModelLoadFailed{model, "exit code 3", later});
    if (model == std::string_view("absent") || model == std::string_view("loading")) continue;
    story.tell(ModelLoaded{model, std::chrono::seconds(4)});
    if (model == std::string_view("settling")) continue;
    story.tell(ModelMeasured{model, 3 * gib});
    if (model == std::string_view("resident")) continue;
    story.tell(ModelUnloadStarted{model, ModelUnloadCause::room, "loading"});
    if (model == std::string_view("releasing")) {
      story.tell(ModelUnloaded{model, std::chrono::seconds(1)});
    } else if (model == std::string_view("unknown")) {
      story.tell(ModelUnloadFailed{model, "exit code 4", later});
    }
  }
  story.tell(ModelChanged{"resident", false, 9});
}

void tell_audits(Story& story) {
  story.tell(RequestAudited{1, AuditDoor::socket, "uid 1000", "POST /v1/tasks", "/v1/tasks",
                            "uid 1000", 1});
  story.tell(RequestAudited{2, AuditDoor::http, "ci", "DELETE /v1/tasks/{id}", "/v1/tasks/17",
                            "127.0.0.1:4711", 2});
  story.tell(RequestRefused{2, AuditDoor::http, RefusalReason::failed, "ci",
                            "DELETE /v1/tasks/{id}", "127.0.0.1:4711", 404, 0});
  story.tell(RequestRefused{0, AuditDoor::faktory, RefusalReason::password, "", "HELLO",
                            "127.0.0.1:4712", 0, 7});
}

void tell_advisors(Story& story) {
  story.tell(AdvisorReturned{"ranker"});
  story.tell(AdvisorFellBack{"ranker", AdvisorFault::timed_out, 3, "it has not answered in time"});
  story.tell(AdvisorFellBack{"oracle", AdvisorFault::unavailable, 3, "it does not start", true});
  story.tell(AdvisorReturned{"ranker"});
}

void tell_memories(Story& story) {
  static constexpr std::array<float, 2> north = {0, 1};
  static constexpr std::array<float, 2> east = {1, 0};
  static constexpr std::array<std::string_view, 2> tags = {"weather", "outside"};
  static constexpr std::array<std::string_view, 3> changed = {"content", "embedding", "tags"};
  const auto bytes = [](const std::array<float, 2>& of) { return std::as_bytes(std::span(of)); };
  story.tell(MemoryStored{.id = MemoryId(1),
                          .kind = "dialogue",
                          .user = "ann",
                          .said = {"It rains", "rain", bytes(north), "{\"turn\":3}"},
                          .tags = NameListView(tags),
                          .significance = 850'000,
                          .expires_at = {},
                          .task = TaskId(3)});
  story.tell(MemoryStored{.id = MemoryId(2),
                          .kind = "dialogue",
                          .user = "bob",
                          .said = {"It snows", {}, bytes(east), {}},
                          .tags = {},
                          .significance = 10,
                          .expires_at = story.now() + std::chrono::hours(1),
                          .task = {}});
  for (std::uint64_t id = 3; id <= 4; ++id) {
    story.tell(MemoryStored{
        .id = MemoryId(id), .kind = "note", .user = {}, .said = {"x", {}, {}, {}}, .tags = {}});
  }
  story.tell(MemoryUpdated{.id = MemoryId(1),
                           .changed = NameListView(changed),
                           .said = {"It rained", {}, bytes(east), {}},
                           .tags = NameListView(std::span(tags).first(1)),
                           .expires_at = {}});
  story.tell(MemoryForgotten{MemoryId(3), ForgetCause::asked, "no longer true"});
}

void tell_sealed_memories(Story& story) {
  constexpr std::string_view key = "key of user ann.";
  constexpr std::string_view lost_key = "key of user eve.";
  static constexpr std::array<std::string_view, 1> changed = {"sealed"};
  const auto store = [&](std::string_view user, std::string_view of, std::uint32_t dimension) {
    story.tell(MemoryStored{.id = story.state().memories.last.next(),
                            .kind = "fact",
                            .user = user,
                            .said = {},
                            .tags = {},
                            .expires_at = {},
                            .task = {},
                            .sealed = {as_bytes(of), as_bytes("what is sealed"), dimension}});
  };
  store("ann", key, 0);
  const MemoryId first = story.state().memories.last;
  store("ann", key, 2);
  store("eve", lost_key, 2);
  story.tell(MemoryUpdated{.id = first,
                           .changed = NameListView(changed),
                           .said = {},
                           .tags = {},
                           .expires_at = {},
                           .sealed = {as_bytes(key), as_bytes("sealed anew"), 2}});
  story.tell(UserForgotten{"eve", as_bytes(lost_key)});
}

void tell_contexts(Story& story) {
  constexpr std::string_view key = "key of user ann.";
  constexpr std::string_view other_key = "key of user bob.";
  constexpr std::string_view lost_key = "key of user eve.";
  constexpr std::string_view field = "mark of language";
  constexpr std::string_view other_field = "mark of her town";
  const auto set = [&](std::string_view user, std::string_view of, std::string_view mark,
                       std::string_view content) {
    story.tell(ContextChanged{user, as_bytes(of), as_bytes(mark), as_bytes(content)});
  };
  set("ann", key, field, "en");
  set("eve", lost_key, field, "de");
  set("ann", key, other_field, "Paris");
  story.tell(ConversationTurnAdded{"ann", as_bytes(key), as_bytes("Hello")});
  story.tell(ConversationTurnAdded{"bob", as_bytes(other_key), as_bytes("Good morning")});
  story.tell(ConversationTurnAdded{"ann", as_bytes(key), as_bytes("How are you?")});
  set("ann", key, field, "fr");
  set("ann", key, other_field, {});
  story.tell(UserForgotten{"eve", as_bytes(lost_key)});
}

void tell_schedules(Story& story) {
  const Time instant = story.now();
  const auto later = [&](int hours) { return instant + std::chrono::hours(hours); };
  const TaskEnqueued work{
      .kind = "work", .queue = "even", .label = "work", .payload = as_bytes("x")};
  for (const char* name : {"tidy", "rest"}) {
    story.tell(ScheduleDefined{.schedule = name,
                               .recurrence = "every hour",
                               .missed = MissedPolicy::all,
                               .window = std::chrono::hours(2),
                               .overlap = OverlapPolicy::queue,
                               .next = instant,
                               .task = work});
  }
  const TaskId task = story.tasks().last.next();
  story.tell(ScheduleFired{"tidy", instant, task, later(1)});
  story.enqueue({.id = task.value, .queue = "even"});
  story.tell(ScheduleQueued{"tidy", later(1), later(2)});
  story.tell(ScheduleSkipped{"tidy", SkipReason::missed, 2, later(2), later(3), later(4)});
  story.tell(SchedulePaused{"rest", "holidays"});
}

void tell_health(Story& story) {
  story.tell(
      HealthChanged{Health::healthy, Health::unhealthy, "the backup job 'nightly' has failed"});
  story.tell(HealthChanged{Health::unhealthy, Health::degraded, "the circuit of 'x' is half open"});
}

}  // namespace almanac::test
