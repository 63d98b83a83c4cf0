// Each thing that must hold between the parts of a state, broken once by hand: it is found, it is
// the only finding where nothing else hangs on it, and a sound state has none.
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

namespace almanac::test {
namespace {

// One task of each kind: 1 failed, 2 doomed by it, 3 delayed, 4 running, 5 waits for 4, 6 ready,
// 7 cancelling, 8 held.
Story sound_story() {
  Story story;
  story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
  story.tell(QueueConfigured{"slow", 2});
  story.enqueue({.id = 1, .queue = "slow"});
  story.enqueue({.id = 2, .dependencies = {1}});
  story.start(1);
  story.fail(1);
  story.enqueue({.id = 3, .run_at = Time(std::chrono::hours(1'000'000))});
  story.enqueue({.id = 4});
  story.start(4);
  story.enqueue({.id = 5, .dependencies = {4}});
  story.enqueue({.id = 6, .tags = {"red"}, .key = "six"});
  story.enqueue({.id = 7});
  story.start(7);
  story.request_cancel(7);
  story.enqueue({.id = 8, .dependencies = {4}});
  story.hold(8);
  return story;
}

struct Fault {
  std::string sentence;
  std::function<void(State&)> plant;
};

std::function<void(State&)> change(std::uint64_t id, std::function<void(Task&)> change) {
  return [=](State& state) { change(*state.tasks.all.edit(TaskId(id))); };
}

std::vector<Fault> faults_of_tasks() {
  return {
      {"task 6 is of a kind without a name", change(6, [](Task& task) { task.kind.value = 99; })},
      {"task 6 is in a queue without a name", change(6, [](Task& task) { task.queue.value = 99; })},
      {"task 6 holds a lease and does not run",
       change(6, [](Task& task) { task.lease = Lease(1); })},
      {"task 4 runs without a lease", change(4, [](Task& task) { task.lease = Lease(); })},
      {"task 4 holds a lease that is yet to be given",
       change(4, [](Task& task) { task.lease = Lease(1'000); })},
      {"task 5 waits for nothing", change(5, [](Task& task) { task.waiting_for = 0; })},
      {"task 5 waits for 2 tasks, and is a dependent of 1",
       change(5, [](Task& task) { task.waiting_for = 2; })},
      {"task 6 has an end and goes on",
       change(6, [](Task& task) { task.ended_at = Time(Duration(1)); })},
      {"task 6 is yet to be changed",
       change(6, [](Task& task) { task.changed = Position(1'000); })},
      {"task 6 was changed before it was enqueued",
       change(6, [](Task& task) { task.changed = Position(1); })},
      {"task 8 has a number that was never given",
       [](State& state) { state.tasks.last = TaskId(7); }},
      {"task 8 waits for 0 tasks, and is a dependent of 1",
       change(8, [](Task& task) { task.waiting_for = 0; })},
      {"ready tasks are counted wrong: 2, and there are 1",
       [](State& state) { ++state.tasks.counts[static_cast<std::size_t>(TaskState::ready)]; }},
  };
}

std::vector<Fault> faults_of_orders() {
  const auto ready = [](const State& state) { return *state.tasks.ready.begin(); };
  const auto queue = [](const State& state) { return state.tasks.all.find(TaskId(6))->queue; };
  return {
      {"task 6 is ready and not in the ready order",
       [=](State& state) { state.tasks.ready.erase(ready(state)); }},
      {"task 6 is in the ready order where it does not belong",
       [=](State& state) {
         ReadyKey key = ready(state);
         ++key.place.rank;
         state.tasks.ready.insert(key);
       }},
      {"task 3 is in the ready order where it does not belong",
       [=](State& state) {
         ReadyKey key = ready(state);
         key.place.id = TaskId(3);
         state.tasks.ready.insert(key);
       }},
      {"task 3 is delayed and not in the due order", [](State& state) { state.tasks.due.clear(); }},
      {"task 3 is in the due order where it does not belong",
       [](State& state) { state.tasks.due.insert({Time(Duration(1)), TaskId(3)}); }},
      {"task 4 runs and is not in the running order",
       [=](State& state) { state.tasks.running.erase(RunningKey{queue(state), TaskId(4)}); }},
      {"task 6 is in the running order where it does not belong",
       [=](State& state) { state.tasks.running.insert({queue(state), TaskId(6)}); }},
      {"task 7 runs and is not in the running order",
       [=](State& state) { state.tasks.running.erase(RunningKey{queue(state), TaskId(7)}); }},
  };
}

std::vector<Fault> faults_of_relations() {
  return {
      {"task 6 depends on task 1, which is not to come",
       [](State& state) { state.tasks.dependents.insert({TaskId(1), TaskId(6)}); }},
      {"task 99 is a dependent and does not exist",
       [](State& state) { state.tasks.dependents.insert({TaskId(4), TaskId(99)}); }},
      {"task 5 waits for 1 tasks, and is a dependent of 0",
       [](State& state) { state.tasks.dependents.clear(); }},
      {"task 6 is doomed and not waiting",
       [](State& state) { state.tasks.doomed.set(TaskId(6), TaskId(1)); }},
      {"task 2 is doomed by task 4, which has not ended",
       [](State& state) { state.tasks.doomed.set(TaskId(2), TaskId(4)); }},
      {"task 6 is under review or paused and not held",
       [](State& state) { state.tasks.held.set(TaskId(6), {}); }},
      {"task 8 is held and nothing is known of why",
       [](State& state) { state.tasks.held.clear(); }},
      {"task 6 has a condition for task 4 and does not depend on it",
       [](State& state) {
         state.tasks.conditions.set({TaskId(4), TaskId(6)}, DependencyCondition::end);
       }},
      {"task 4 is kept for task 99, and one is gone",
       [](State& state) { state.tasks.needed_by.insert({TaskId(4), TaskId(99)}); }},
      {"task 99 has crashed and does not exist",
       [](State& state) { state.tasks.crashes.set(TaskId(99), 1); }},
      {"task 1 has told of its progress and is not live",
       [](State& state) { state.tasks.progress.set(TaskId(1), {}); }},
      {"task 6 is in the order of what expires where it does not belong",
       [](State& state) { state.tasks.expiring.insert({Time(Duration(7)), TaskId(6)}); }},
      {"task 1 is run by an implementation and does not run",
       [](State& state) { state.tasks.run_by.set(TaskId(1), NameId{0}); }},
      {"task 1 is a worker's and does not run",
       [](State& state) {
         state.tasks.remote.set(TaskId(1), {SharedText("w"), std::chrono::seconds(1)});
       }},
      {"name 0 has implementations without a name, or out of order",
       [](State& state) { state.implementations.all.set({NameId{0}, 1}, {}); }},
      {"name 0 has an implementation that was left at no time",
       [](State& state) { state.implementations.all.set({NameId{0}, 0}, {.left = Position(1)}); }},
      {"name 99 is paused and has no text",
       [](State& state) { state.pauses.all.insert({PauseScope::kind, NameId{99}}); }},
      {"task 6 has a tag without a name",
       [](State& state) { state.tasks.tagged.insert({NameId{99}, TaskId(6)}); }},
      {"task 99 has a tag and does not exist",
       [](State& state) { state.tasks.tagged.insert({NameId{0}, TaskId(99)}); }},
      {"task 6 has an idempotency key without text",
       [](State& state) { state.tasks.keys.set("", {TaskId(6), 0}); }},
      {"task 99 has an idempotency key and does not exist",
       [](State& state) { state.tasks.keys.set("key", {TaskId(99), 0}); }},
      {"name 99 has settings as a queue and no text",
       [](State& state) { state.queues.slots.set(NameId{99}, 1); }},
      {"the state has ignored more events than there were",
       [](State& state) { state.ignored = 1'000; }},
      {"the engine was started more often than there were events",
       [](State& state) { state.engine.starts = 1'000; }},
      {"the engine runs and was never started", [](State& state) { state.engine.starts = 0; }},
  };
}

std::vector<Fault> faults_of_unique() {
  return {
      {"task 6 is unique and not known by its identity",
       [](State& state) { state.tasks.unique.all.set(TaskId(6), {.identity = {1, 1}}); }},
      {"task 99 is unique and does not exist, or by nothing",
       [](State& state) { state.tasks.unique.all.set(TaskId(99), {.identity = {1, 1}}); }},
      {"task 6 is known by an identity that it has not",
       [](State& state) { state.tasks.unique.known.insert({{1, 1}, TaskId(6)}); }},
      {"task 1 is known by its identity, has ended and is not the last",
       [](State& state) {
         for (const TaskId id : {TaskId(1), TaskId(6)}) {
           state.tasks.unique.all.set(id, {.identity = {1, 1}});
           state.tasks.unique.known.insert({{1, 1}, id});
         }
       }},
  };
}

// Each on a group 1 that is open and has no task.
Fault fault_of_group(const char* sentence, const std::function<void(Groups&)>& plant) {
  return {sentence, [=](State& state) {
            Groups& groups = state.tasks.groups;
            groups.enter(GroupId(1), {.name = SharedText("import"), .opened_at = state.time});
            plant(groups);
          }};
}

std::vector<Fault> faults_of_groups() {
  const GroupId one(1);
  return {
      fault_of_group("group 1 has a number that was never given, or is not found by its name",
                     [](Groups& groups) { groups.by_name.erase(std::string_view("import")); }),
      fault_of_group("group 1 is over and has no outcome, or is not",
                     [=](Groups& groups) { groups.all.edit(one)->outcome = TaskState::failed; }),
      fault_of_group("group 1 is closed, and nothing is left of it",
                     [=](Groups& groups) { groups.all.edit(one)->closed_at = Time(Duration(1)); }),
      fault_of_group("task 99 is of a group, and one of the two is gone",
                     [=](Groups& groups) { groups.join(TaskId(99), one); }),
      fault_of_group("task 6 goes on, and its group does not know",
                     [=](Groups& groups) {
                       groups.join(TaskId(6), one);
                       groups.live.erase(GroupTask{one, TaskId(6)});
                     }),
      fault_of_group("task 4 waits for a group that is gone, or does not wait",
                     [=](Groups& groups) { groups.await(TaskId(4), {one}); }),
      fault_of_group("the groups are known by more names or tasks than there are",
                     [=](Groups& groups) { groups.by_name.set(SharedText("export"), one); }),
  };
}

// What can be wrong with a job, by what is said of it behind its name.
std::vector<std::pair<std::string, BackupJob>> faults_of_backups() {
  const BackupJob sound{.schedule = "every hour", .next = Time(Duration(7)), .runs = 3};
  std::vector<std::pair<std::string, BackupJob>> faults;
  auto add = [&](const char* sentence) -> BackupJob& {
    return faults.emplace_back(sentence, sound).second;
  };
  add(" is a job due without a schedule, or not").schedule.clear();
  add(" is a job that is due a second time").due = Time(Duration(7));
  BackupJob& runs = add(" is a job that runs unasked");
  runs.running = true;
  runs.runs = 0;
  add(" is a job with more failures than runs").failures = 4;
  add(" is a job with more failures than runs").failures_in_row = 1;
  add(" is a job whose end is yet to be").ended = Position(1'000);
  add(" is a job whose end is yet to be").succeeded = Position(1);
  return faults;
}

TEST(Invariants, OfBackupsAreFoundBrokenOneByOne) {
  State sound = sound_story().state();
  const BackupJob running{
      .schedule = "every hour", .next = Time(Duration(7)), .running = true, .runs = 1};
  sound.backups.jobs.set(NameId{0}, running);
  EXPECT_EQ(broken_invariants(sound), std::vector<std::string>());
  for (const auto& [sentence, job] : faults_of_backups()) {
    State broken = sound;
    broken.backups.jobs.set(NameId{0}, job);
    EXPECT_EQ(broken_invariants(broken), std::vector{"name 0" + sentence});
  }
  State two = sound;
  two.backups.jobs.set(NameId{1}, running);
  EXPECT_EQ(broken_invariants(two),
            std::vector<std::string>{"the engine runs more than one backup at once"});
  State nameless = sound;
  nameless.backups.jobs.set(NameId{99}, {.schedule = "every hour", .next = Time(Duration(7))});
  EXPECT_EQ(broken_invariants(nameless),
            std::vector<std::string>{"name 99 is a backup's job and has no text"});
}

// Task 1 is of ann in a fair queue, task 2 in a queue by urgency and in sight of its deadline.
State ranked_state() {
  static const std::array weights = {QueueWeight{"overdue", 50}};
  Story story;
  story.tell(QueueConfigured{.queue = "shared", .policy = QueuePolicy::fair});
  story.tell(QueueConfigured{
      .queue = "urgent", .policy = QueuePolicy::urgency, .weights = QueueWeightListView(weights)});
  story.enqueue({.id = 1, .queue = "shared", .owner = "ann"});
  story.enqueue({.id = 2, .queue = "urgent", .deadline = story.now() + std::chrono::hours(1)});
  return story.state();
}

std::vector<Fault> faults_of_ranking() {
  const auto flow = [](const State& state) { return (*state.tasks.ranking.flows.begin()).key; };
  const RankChange other{Time(std::chrono::hours(1'000'000)), TaskId(1)};
  return {
      {"task 1 is ready in a fair queue without a tag",
       [](State& state) { state.tasks.ranking.tags.clear(); }},
      {"the tags are of more than the ready tasks",
       [](State& state) { state.tasks.ranking.tags.set(TaskId(2), 0); }},
      {"task 1 is ready and not in the ready order",
       [](State& state) { state.tasks.ranking.tags.set(TaskId(1), 1); }},
      {"name 0 does not know an owner", [](State& state) { state.tasks.ranking.flows.clear(); }},
      {"name 0 counts the ready tasks of an owner wrong",
       [=](State& state) { ++state.tasks.ranking.flows.edit(flow(state))->ready; }},
      {"name 0 has started more than it has tagged",
       [=](State& state) {
         Flow& broken = *state.tasks.ranking.flows.edit(flow(state));
         broken.started = broken.finish + 1;
       }},
      {"task 2 has a rank that changes, and nothing knows when",
       [](State& state) { state.tasks.ranking.changes.clear(); }},
      {"the ranks are to change more often than they will",
       [=](State& state) { state.tasks.ranking.changes.insert(other); }},
      {"the ranks were to change before",
       [](State& state) {
         const Task& task = *state.tasks.all.find(TaskId(2));
         state.tasks.ranking.done = {task.enqueued_at + std::chrono::hours(2), TaskId()};
       }},
      {"name 99 has a policy as a queue and no text",
       [](State& state) {
         state.tasks.ranking.policies.set(NameId{99}, {.kind = QueuePolicy::fifo});
       }},
      {"name 1 has the default for a policy of its own",
       [](State& state) { state.tasks.ranking.policies.set(NameId{1}, {}); }},
  };
}

TEST(Invariants, OfRanksAreFoundBrokenOneByOne) {
  const State sound = ranked_state();
  EXPECT_EQ(broken_invariants(sound), std::vector<std::string>());
  for (const Fault& fault : faults_of_ranking()) {
    State broken = sound;
    fault.plant(broken);
    const auto found = broken_invariants(broken);
    EXPECT_NE(std::ranges::find(found, fault.sentence), found.end())
        << fault.sentence << "; found: " << (found.empty() ? "nothing" : found.front());
  }
}

TEST(Invariants, HoldInASoundState) {
  EXPECT_EQ(broken_invariants(sound_story().state()), std::vector<std::string>());
  EXPECT_EQ(broken_invariants(State()), std::vector<std::string>());
}

TEST(Invariants, AreFoundBrokenOneByOne) {
  const State sound = sound_story().state();
  for (const auto& group : {faults_of_tasks(), faults_of_orders(), faults_of_relations(),
                            faults_of_unique(), faults_of_groups()}) {
    for (const Fault& fault : group) {
      State broken = sound;
      fault.plant(broken);
      const auto found = broken_invariants(broken);
      EXPECT_NE(std::ranges::find(found, fault.sentence), found.end())
          << fault.sentence << "; found: " << (found.empty() ? "nothing" : found.front());
    }
  }
}

TEST(Invariants, AreListedUpToACeiling) {
  State state = sound_story().state();
  for (std::uint64_t id = 100; id < 200; ++id) {
    state.tasks.due.insert({Time(Duration(1)), TaskId(id)});
  }
  EXPECT_EQ(broken_invariants(state).size(), 100U);
  EXPECT_EQ(broken_invariants(state, 7).size(), 7U);
}

}  // namespace
}  // namespace almanac::test
