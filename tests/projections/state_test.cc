// The state as a value: one position after the other, copies that stay, and a digest that is the
// same on every build and differs when anything does.
#include <almanac/log/hash.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <set>
#include <string>

namespace almanac::test {
namespace {

const Time end_of_time{std::chrono::hours(1'000'000)};

// A story that leaves something in every part of the state.
Story full_story() {
  Story story;
  story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
  story.tell(QueueConfigured{"slow", 2});
  story.enqueue({.id = 1, .queue = "slow", .attempts_max = 3, .tags = {"red"}, .key = "one"});
  story.enqueue({.id = 2, .kind = "render", .priority = -7, .dependencies = {1}});
  story.enqueue({.id = 3, .run_at = end_of_time, .timeout = std::chrono::seconds(9)});
  story.enqueue({.id = 4, .key = "four", .content_hash = 0xfedcba9876543210});
  story.enqueue({.id = 5, .dependencies = {4}});
  story.enqueue({.id = 6, .tags = {"red", "big"}});
  story.start(1);
  story.fail_attempt(1, story.now() + std::chrono::seconds(1));
  story.make_ready(1);
  story.start(1);
  story.start(4);
  story.fail(4);
  story.start(6);
  story.request_cancel(6);
  story.tell(TaskReadied{TaskId(99)});
  story.tell(CustomEvent{"invoice.paid", {}});
  return story;
}

std::string hex(const State& state) { return to_hex(digest(state)); }

TEST(State, KnowsWhereAndWhenItIs) {
  Story story = full_story();
  EXPECT_EQ(story.state().position, Position(18));
  EXPECT_EQ(story.state().time, Time(std::chrono::seconds(1'000'017)));
  EXPECT_EQ(story.state().ignored, 1U);
}

TEST(State, RefusesToSkipAPosition) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)fold(State(), {Position(2), Event{}}), "position");
}

TEST(State, KeepsTheLastSettingsOfAQueue) {
  Story story;
  story.tell(QueueConfigured{"a", 2});
  story.tell(QueueConfigured{"b", 1});
  story.tell(QueueConfigured{"a", 5});
  const State& state = story.state();
  EXPECT_EQ(state.queues.slots.size(), 2U);
  EXPECT_EQ(*state.queues.slots.find(*state.names.find("a")), 5U);
}

TEST(State, KnowsTheEngineThatRanLast) {
  Story story;
  EXPECT_FALSE(story.state().engine.running);
  story.tell(EngineStarted{"0.1.0", 1, 4, 42});
  story.tell(EngineStopped{});
  EXPECT_FALSE(story.state().engine.running);
  auto time = story.now();
  story.tell(EngineStarted{"0.2.0", 2, 8, 43});
  const EngineInfo& engine = story.state().engine;
  EXPECT_TRUE(engine.running);
  EXPECT_EQ(engine.starts, 2U);
  EXPECT_EQ(engine.process_id, 2U);
  EXPECT_EQ(engine.slots, 8U);
  EXPECT_EQ(engine.seed, 43U);
  EXPECT_EQ(engine.started_at, time);
  EXPECT_EQ(engine.version, "0.2.0");
}

TEST(State, IsNotMovedByEventsOfTheProgramAround) {
  Story story = full_story();
  State before = story.state();
  EXPECT_TRUE(story.tell(CustomEvent{"anything", as_bytes("data")}));
  before.position = story.state().position;
  before.time = story.state().time;
  EXPECT_EQ(hex(story.state()), hex(before));
}

TEST(State, StaysAsItWasWhenACopyGoesOn) {
  Story story = full_story();
  State copy = story.state();
  auto before = hex(copy);
  for (std::uint64_t id = 10; id < 500; ++id) {
    story.enqueue({.id = id, .tags = {"red"}, .key = std::to_string(id)});
    if (id % 2 == 0) story.start(id);
  }
  EXPECT_EQ(hex(copy), before);
  EXPECT_NE(hex(story.state()), before);
  EXPECT_EQ(copy.tasks.all.size(), 6U);
  EXPECT_EQ(check_orders(copy), "");
}

// --- Digest -------------------------------------------------------------------------------------

// These digests are part of what the project promises: a change here makes every state that was
// ever recorded look like a different one.
TEST(Digest, OfAnEmptyStateIsTheSameOnEveryBuild) {
  EXPECT_EQ(hex(State()), "f6e229535353a6f2f7402c8269b7c75cc18cde83ce2e6f4867b22275af22e010");
}

TEST(Digest, OfAFixedStoryIsTheSameOnEveryBuild) {
  EXPECT_EQ(hex(full_story().state()),
            "c567d52cca69867cfbcdce0fd394be2e011088b04d7dbbd268be15da9059397f");
}

// What was drawn is drawn again everywhere: the generator's numbers are the standard's, and nothing
// is made of them but remainders.
TEST(Digest, AtEveryPositionOfADrawnStoryIsTheSameOnEveryBuild) {
  std::mt19937_64 random(20'261'121);
  Story story;
  std::uint64_t last = 0;
  while (story.state().position < Position(3'000)) {
    const std::uint64_t id = last == 0 ? 0 : 1 + random() % last;
    switch (last == 0 ? 0 : random() % 8) {
      case 0: {
        NewTask task{.id = ++last, .queue = "q" + std::to_string(random() % 5)};
        task.priority = static_cast<std::int32_t>(random() % 7) - 3;
        task.attempts_max = static_cast<std::uint16_t>(1 + random() % 3);
        if (random() % 4 == 0) task.run_at = story.now() + Duration(random() % 10'000'000);
        if (id != 0 && random() % 3 == 0) task.dependencies = {id};
        if (random() % 3 == 0) task.tags = {"t" + std::to_string(random() % 9)};
        if (random() % 5 == 0) task.key = "key " + std::to_string(last);
        story.enqueue(task);
        break;
      }
      case 1: story.make_ready(id); break;
      case 2: story.start(id); break;
      case 3: story.succeed(id); break;
      case 4: story.fail_attempt(id, story.now() + Duration(random() % 10'000'000)); break;
      case 5: story.fail(id); break;
      case 6: story.request_cancel(id); break;
      default: story.hand_back(id); break;
    }
  }
  Hasher all;
  State state;
  for (const RecordedEvent& event : story.events()) {
    fold_into(state, event);
    all.bytes(digest(state));
  }
  EXPECT_EQ(to_hex(all.finish()),
            "8ae7129d4c2e4b066fcbcf2d1e6e4d83f02d89147be52a7fc830d108055e466a");
  EXPECT_EQ(check_orders(state), "");
}

// A state with one thing changed by hand.
using StateChange = std::function<void(State&)>;

StateChange change_task(const std::function<void(Task&)>& change) {
  return [change](State& state) { change(*state.tasks.all.edit(TaskId(1))); };
}

std::vector<StateChange> changes_of_tasks() {
  return {
      change_task([](Task& task) { task.state = TaskState::ready; }),
      change_task([](Task& task) { task.last_status = AttemptStatus::error; }),
      change_task([](Task& task) { ++task.attempts_max; }),
      change_task([](Task& task) { ++task.kind.value; }),
      change_task([](Task& task) { ++task.queue.value; }),
      change_task([](Task& task) { --task.priority; }),
      change_task([](Task& task) { --task.last_code; }),
      change_task([](Task& task) { ++task.attempts; }),
      change_task([](Task& task) { ++task.failures; }),
      change_task([](Task& task) { ++task.waiting_for; }),
      change_task([](Task& task) { task.enqueued_at += Duration(1); }),
      change_task([](Task& task) { task.run_at += Duration(1); }),
      change_task([](Task& task) { task.started_at += Duration(1); }),
      change_task([](Task& task) { task.ended_at += Duration(1); }),
      change_task([](Task& task) { task.timeout += Duration(1); }),
      change_task([](Task& task) { task.backoff.initial += Duration(1); }),
      change_task([](Task& task) { task.backoff.max += Duration(1); }),
      change_task([](Task& task) { ++task.lease.value; }),
      change_task([](Task& task) { ++task.enqueued.value; }),
      change_task([](Task& task) { ++task.changed.value; }),
  };
}

std::vector<StateChange> changes_of_indexes() {
  return {
      [](State& state) { ++state.tasks.last.value; },
      [](State& state) { state.tasks.all.erase(TaskId(3)); },
      [](State& state) { state.tasks.tagged.insert({NameId{0}, TaskId(3)}); },
      [](State& state) { state.tasks.dependents.insert({TaskId(1), TaskId(3)}); },
      [](State& state) { state.tasks.doomed.set(TaskId(2), TaskId(1)); },
      [](State& state) { state.tasks.doomed.set(TaskId(5), TaskId(1)); },
      [](State& state) { state.tasks.held.set(TaskId(2), {}); },
      [](State& state) { state.tasks.held.set(TaskId(3), {}); },
      [](State& state) { state.tasks.held.set(TaskId(2), {.outcome = TaskOutcome::failed}); },
      [](State& state) { state.tasks.held.set(TaskId(2), {.started = Position(1)}); },
      [](State& state) { state.tasks.held.set(TaskId(2), {.ended = Position(1)}); },
      [](State& state) { state.tasks.keys.set("two", {TaskId(2), 0}); },
      [](State& state) { state.tasks.keys.set("one", {TaskId(2), 0}); },
      [](State& state) { state.tasks.keys.set("one", {TaskId(1), 1}); },
  };
}

BackupJob one_job() { return {.schedule = "every hour", .next = Time(Duration(7))}; }

// Each of a job that is the same else.
std::vector<StateChange> changes_of_backups() {
  using Edit = std::function<void(BackupJob&)>;
  std::vector<StateChange> changes{
      [](State& state) { state.backups.jobs.set(NameId{0}, one_job()); },
      [](State& state) { state.backups.jobs.set(NameId{1}, one_job()); }};
  for (const Edit& edit : std::vector<Edit>{
           [](BackupJob& job) { job.action = BackupAction::drill; },
           [](BackupJob& job) { job.schedule += "1"; },
           [](BackupJob& job) { job.repository += "1"; },
           [](BackupJob& job) { job.next += Duration(1); },
           [](BackupJob& job) { job.running = true; },
           [](BackupJob& job) { job.due += Duration(1); },
           [](BackupJob& job) { job.started_at += Duration(1); },
           [](BackupJob& job) { job.ended_at += Duration(1); },
           [](BackupJob& job) { ++job.ended.value; }, [](BackupJob& job) { ++job.succeeded.value; },
           [](BackupJob& job) { job.succeeded_at += Duration(1); },
           [](BackupJob& job) { ++job.runs; }, [](BackupJob& job) { ++job.failures; },
           [](BackupJob& job) { ++job.failures_in_row; }, [](BackupJob& job) { ++job.missed; }}) {
    changes.push_back([edit](State& state) {
      BackupJob job = one_job();
      edit(job);
      state.backups.jobs.set(NameId{0}, job);
    });
  }
  return changes;
}

std::vector<StateChange> changes_beside_tasks() {
  return {
      [](State& state) { ++state.position.value; },
      [](State& state) { state.time += Duration(1); },
      [](State& state) { ++state.ignored; },
      [](State& state) { state.names.intern("one more"); },
      [](State& state) { state.queues.slots.set(NameId{0}, 3); },
      [](State& state) { state.queues.slots.set(NameId{1}, 2); },
      [](State& state) { state.engine.running = false; },
      [](State& state) { ++state.engine.starts; },
      [](State& state) { ++state.engine.process_id; },
      [](State& state) { ++state.engine.slots; },
      [](State& state) { ++state.engine.seed; },
      [](State& state) { state.engine.started_at += Duration(1); },
      [](State& state) { state.engine.version += "1"; },
  };
}

std::vector<StateChange> changes_of_ranking() {
  using Edit = std::function<void(Policy&)>;
  std::vector<StateChange> changes{
      [](State& state) { state.tasks.ranking.done.at += Duration(1); },
      [](State& state) { state.tasks.ranking.done.id = TaskId(1); },
  };
  // What stands beside a policy.
  for (const auto& change : std::vector<std::function<void(Ranking&)>>{
           [](Ranking&) {}, [](Ranking& ranking) { ranking.tags.set(TaskId(1), 0); },
           [](Ranking& ranking) { ranking.tags.set(TaskId(1), 1); },
           [](Ranking& ranking) { ranking.flows.set({NameId{0}, {}}, {}); },
           [](Ranking& ranking) { ranking.flows.set({NameId{0}, NameId{0}}, {}); },
           [](Ranking& ranking) { ranking.flows.set({NameId{1}, {}}, {}); },
           [](Ranking& ranking) { ranking.flows.set({NameId{0}, {}}, {.finish = 1}); },
           [](Ranking& ranking) { ranking.flows.set({NameId{0}, {}}, {.started = 1}); },
           [](Ranking& ranking) { ranking.flows.set({NameId{0}, {}}, {.ready = 1}); },
           [](Ranking& ranking) { ranking.virtual_times.set(NameId{0}, 0); },
           [](Ranking& ranking) { ranking.virtual_times.set(NameId{0}, 1); }}) {
    changes.push_back([change](State& state) {
      state.tasks.ranking.policies.set(NameId{0}, {.kind = QueuePolicy::fair});
      change(state.tasks.ranking);
    });
  }
  for (const Edit& edit :
       std::vector<Edit>{[](Policy& policy) { policy.kind = QueuePolicy::deadline; },
                         [](Policy& policy) { policy.ageing += Duration(1); },
                         [](Policy& policy) { policy.window += Duration(1); },
                         [](Policy& policy) { policy.short_work += Duration(1); },
                         [](Policy& policy) { ++policy.weights.front(); },
                         [](Policy& policy) { ++policy.weights.back(); },
                         [](Policy& policy) { policy.owners.push_back({NameId{1}, 7}); },
                         [](Policy& policy) { policy.owners.push_back({NameId{1}, 8}); }}) {
    changes.push_back([edit](State& state) {
      Policy policy{.kind = QueuePolicy::urgency};
      edit(policy);
      state.tasks.ranking.policies.set(NameId{0}, policy);
    });
  }
  return changes;
}

TEST(Digest, DiffersWhenAnythingDiffers) {
  State original = full_story().state();
  std::set<std::string> digests{hex(original)};
  std::size_t changes = 0;
  for (const auto& group : {changes_of_tasks(), changes_of_indexes(), changes_beside_tasks(),
                            changes_of_backups(), changes_of_ranking()}) {
    for (const StateChange& change : group) {
      State changed = original;
      change(changed);
      ++changes;
      EXPECT_TRUE(digests.insert(hex(changed)).second) << "change " << changes;
    }
  }
  EXPECT_EQ(hex(original), hex(full_story().state()));
}

// Orders and counts follow from the tasks, so that the digest need not cover them; whether they
// do follow is what check_orders() and the model tests look at.
TEST(Digest, OfEqualTasksIsEqualHoweverTheyCameAbout) {
  Story one;
  Story other;
  one.enqueue({.id = 1});
  one.enqueue({.id = 2});
  other.enqueue({.id = 2});
  other.enqueue({.id = 1});
  State moved = other.state();
  for (std::uint64_t id : {1, 2}) {
    Task& task = *moved.tasks.all.edit(TaskId(id));
    task.enqueued_at = one.task(id).enqueued_at;
    task.enqueued = task.changed = one.task(id).enqueued;
  }
  EXPECT_EQ(hex(moved), hex(one.state()));
}

}  // namespace
}  // namespace almanac::test
