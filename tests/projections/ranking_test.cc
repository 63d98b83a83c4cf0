// The order that the policies of queues make, against a sort by score at the same instant.
#include <almanac/projections/invariants.h>
#include <almanac/projections/tasks.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace almanac::test {
namespace {

using Ids = std::vector<std::uint64_t>;
using std::chrono::minutes;
using std::chrono::seconds;
__extension__ using Wide = __int128;

// The ready tasks of a queue in the order that the state holds.
Ids order_in(const State& state, std::string_view queue) {
  std::vector<LanePlace> places;
  const auto id = state.names.find(queue);
  for (const auto& [lane, of_lane] : state.tasks.ready.lanes()) {
    if (lane.queue == id) places.insert(places.end(), of_lane.begin(), of_lane.end());
  }
  std::ranges::sort(places);
  Ids ids;
  for (const LanePlace& place : places) ids.push_back(place.id.value);
  return ids;
}

// --- The same by brute force --------------------------------------------------------------------

// A queue's settings as the test draws them; owns what QueueConfigured borrows.
struct DrawnPolicy {
  std::string queue;
  QueuePolicy policy = QueuePolicy::priority;
  Duration ageing{0};
  Duration window{0};
  Duration short_work{0};
  std::map<std::string, std::int32_t> weights;
  std::vector<QueueWeight> list = {};

  QueueConfigured event() {
    list.clear();
    for (const auto& [name, weight] : weights) list.push_back({name, weight});
    return {queue, 0, policy, ageing, window, short_work, QueueWeightListView(list)};
  }
};

// Start tags worked out from the story alone: what entered, what was started, one list per owner.
struct FairModel {
  std::map<std::uint64_t, std::int64_t> tags;
  std::map<std::string, std::int64_t> finish;   // of each owner's last task
  std::map<std::string, std::int64_t> started;  // of those the last one started
  std::int64_t now = 0;

  static std::int64_t cost(const DrawnPolicy& drawn, const NewTask& task) {
    const auto found = drawn.weights.find(task.owner);
    const std::int64_t weight = found == drawn.weights.end() ? 100 : found->second;
    const Duration estimate = task.estimate > Duration(0) ? task.estimate : minutes(1);
    return estimate.count() * 100 / weight;
  }
  void enter(const DrawnPolicy& drawn, const NewTask& task, bool ran_before) {
    tags[task.id] = ran_before ? now : std::max(now, finish[task.owner]);
    if (!ran_before) finish[task.owner] = tags[task.id] + cost(drawn, task);
  }
  void leave(const DrawnPolicy& drawn, const NewTask& task, bool starts, bool ran_before,
             bool is_owners_last) {
    if (starts) now = std::max(now, tags[task.id]);
    if (starts && !ran_before) {
      auto& last = started[task.owner];
      last = std::max(last, tags[task.id] + cost(drawn, task));
    }
    tags.erase(task.id);
    if (is_owners_last) finish[task.owner] = started[task.owner];
  }
};

// The score of a task at an instant; the largest first. Written from the description of the
// policies.
Wide score(const DrawnPolicy& drawn, const NewTask& task, Time since, Time at,
           const FairModel& fair) {
  const auto weight = [&](const char* part) {
    const auto found = drawn.weights.find(part);
    return found == drawn.weights.end() ? 0 : found->second;
  };
  const auto aged = [&](Wide points) {
    if (drawn.ageing == Duration(0)) return points;
    return points * drawn.ageing.count() + (at - since).count();
  };
  switch (drawn.policy) {
    case QueuePolicy::priority: return aged(task.priority);
    case QueuePolicy::fifo: return 0;
    case QueuePolicy::deadline:
      return task.deadline == Time() ? -(Wide{1} << 100)
                                     : -Wide{task.deadline.time_since_epoch().count()};
    case QueuePolicy::fair: return -Wide{fair.tags.at(task.id)};
    case QueuePolicy::urgency: break;
  }
  Wide points = weight(task.priority < 0 ? "low" : task.priority == 0 ? "medium" : "high");
  points += Wide{weight("priority")} * task.priority;
  if (task.estimate > Duration(0) && task.estimate <= drawn.short_work) points += weight("short");
  if (task.deadline != Time()) {
    int quarters = 0;
    for (const int part : {1, 4, 16, 64}) {
      if (drawn.window > Duration(0) && at >= task.deadline - drawn.window / part) ++quarters;
    }
    points += std::int64_t{weight("deadline")} * quarters / 4;
    if (at >= task.deadline) points += weight("overdue");
  }
  return aged(points);
}

// A story of two queues whose policies change, and what is needed to sort their tasks by hand.
class Ranked {
 public:
  void step() {
    switch (*rc::gen::inRange(0, 10)) {
      case 0: return configure();
      case 1: return rerank();
      case 2:
      case 3: return start();
      case 4: return cancel();
      case 5: return hand_back();
      default: return enqueue();
    }
  }

  void check() {
    RC_ASSERT(story_.state().ignored == 0U);
    const auto broken = broken_invariants(story_.state());
    RC_ASSERT(broken == std::vector<std::string>{});
    State now = story_.state();
    const RecordedEvent rerank{now.position.next(),
                               {.at = now.time, .body = TasksReranked{.through = now.time}}};
    fold_into(now, rerank);
    for (auto& [name, drawn] : queues_) RC_ASSERT(order_in(now, name) == sorted(drawn, now));
    RC_ASSERT(check_orders(now) == "");
  }

 private:
  Ids sorted(const DrawnPolicy& drawn, const State& state) {
    std::vector<std::tuple<Wide, std::uint64_t>> scored;
    for (const auto& [id, task] : state.tasks.all) {
      const NewTask& told = told_.at(id.value);
      if (task.state != TaskState::ready || told.queue != drawn.queue) continue;
      const Time since = std::max(task.enqueued_at, told.run_at);
      scored.emplace_back(-score(drawn, told, since, state.time, fair_[drawn.queue]), id.value);
    }
    std::ranges::sort(scored);
    Ids ids;
    for (const auto& [negative, id] : scored) ids.push_back(id);
    return ids;
  }

  DrawnPolicy& queue_of(std::uint64_t id) { return queues_.at(told_.at(id).queue); }

  void entered(std::uint64_t id, bool ran_before) {
    DrawnPolicy& drawn = queue_of(id);
    if (drawn.policy == QueuePolicy::fair) {
      fair_[drawn.queue].enter(drawn, told_.at(id), ran_before);
    }
  }
  void left(std::uint64_t id, bool starts, bool ran_before) {
    DrawnPolicy& drawn = queue_of(id);
    if (drawn.policy != QueuePolicy::fair) return;
    const auto is_others = [&](std::uint64_t other) {
      return story_.task(other).state == TaskState::ready && told_.at(other).queue == drawn.queue &&
             told_.at(other).owner == told_.at(id).owner;
    };
    bool last = true;
    for (const auto& [other, told] : told_) last = last && !is_others(other);
    fair_[drawn.queue].leave(drawn, told_.at(id), starts, ran_before, last);
  }

  void enqueue() {
    NewTask task{.id = told_.size() + 1,
                 .kind = *rc::gen::element<std::string>("build", "mail"),
                 .queue = *rc::gen::element<std::string>("one", "two"),
                 .priority = *rc::gen::inRange(-2, 3)};
    task.owner = *rc::gen::element<std::string>("", "ann", "bob", "eve");
    if (*rc::gen::inRange(0, 3) > 0) {
      task.deadline = story_.now() + seconds(*rc::gen::inRange(-20, 60));
    }
    if (*rc::gen::arbitrary<bool>()) task.estimate = seconds(*rc::gen::inRange(1, 9));
    if (*rc::gen::inRange(0, 4) == 0)
      task.run_at = story_.now() - seconds(*rc::gen::inRange(0, 50));
    told_[task.id] = task;
    story_.enqueue(task);
    entered(task.id, false);
  }
  std::optional<std::uint64_t> any_in(TaskState state) {
    Ids ids;
    for (const auto& [id, task] : story_.tasks().all) {
      if (task.state == state) ids.push_back(id.value);
    }
    if (ids.empty()) return std::nullopt;
    return *rc::gen::elementOf(ids);
  }
  void start() {
    const auto id = any_in(TaskState::ready);
    if (!id) return;
    const bool ran_before = story_.task(*id).attempts > 0;
    RC_ASSERT(story_.start(*id));
    left(*id, true, ran_before);
  }
  void cancel() {
    const auto id = any_in(TaskState::ready);
    if (!id) return;
    const bool ran_before = story_.task(*id).attempts > 0;
    RC_ASSERT(story_.cancel(*id));
    left(*id, false, ran_before);
  }
  void hand_back() {
    const auto id = any_in(TaskState::running);
    if (!id) return;
    RC_ASSERT(story_.hand_back(*id));
    entered(*id, true);
  }
  // Some of what is due, or all of it.
  void rerank() {
    const auto& ranking = story_.tasks().ranking;
    if (ranking.changes.empty() || ranking.changes.first()->at > story_.now()) return;
    TasksReranked event{.through = story_.now()};
    if (*rc::gen::arbitrary<bool>()) {
      event = {ranking.changes.first()->at, ranking.changes.first()->id};
    }
    RC_ASSERT(story_.tell(event));
  }
  void configure() {
    DrawnPolicy& drawn = queues_.at(*rc::gen::element<std::string>("one", "two"));
    const QueuePolicy before = drawn.policy;
    const auto some = [](std::initializer_list<int> list) {
      return Duration(seconds(*rc::gen::elementOf(std::vector<int>(list))));
    };
    drawn.policy = static_cast<QueuePolicy>(*rc::gen::inRange(0, queue_policy_count));
    const bool scores =
        drawn.policy == QueuePolicy::urgency || drawn.policy == QueuePolicy::priority;
    drawn.ageing = scores ? some({0, 0, 1, 10, 1'000}) : Duration(0);
    drawn.weights.clear();
    if (drawn.policy == QueuePolicy::urgency) {
      drawn.window = some({0, 8, 64, 256});
      drawn.short_work = some({0, 4});
      for (const char* part :
           {"low", "medium", "high", "priority", "deadline", "overdue", "short"}) {
        drawn.weights[part] = *rc::gen::inRange(-10, 40);
      }
    } else {
      drawn.window = drawn.short_work = Duration(0);
    }
    if (drawn.policy == QueuePolicy::fair) drawn.weights = {{"ann", 300}, {"eve", 10}};
    RC_ASSERT(story_.tell(events_of_.emplace_back(drawn).event()));
    const bool shares = drawn.policy == QueuePolicy::fair;
    if (shares && before == QueuePolicy::fair) return;  // the same weights
    fair_[drawn.queue] = {};
    for (const auto& [id, told] : told_) {
      const Task& task = story_.task(id);
      if (told.queue != drawn.queue || task.state != TaskState::ready) continue;
      entered(id, task.attempts > 0);
    }
  }

  Story story_;
  std::map<std::uint64_t, NewTask> told_;
  std::map<std::string, DrawnPolicy> queues_{{"one", {.queue = "one"}}, {"two", {.queue = "two"}}};
  std::map<std::string, FairModel> fair_;
  std::deque<DrawnPolicy> events_of_;  // what the events point at
};

RC_GTEST_PROP(Ranking, IsTheSortByScoreAtTheSameInstant, ()) {
  Ranked ranked;
  for (int left = *rc::gen::resize(100, rc::gen::inRange(0, 60)); left > 0; --left) {
    ranked.step();
    ranked.check();
  }
}

// --- By example ---------------------------------------------------------------------------------

void configure(Story& story, QueueConfigured event) {
  event.queue = "default";
  ASSERT_TRUE(story.tell(event));
}

TEST(Ranking, OfFifoIsTheOrderOfSubmission) {
  Story story;
  configure(story, {.policy = QueuePolicy::fifo});
  for (std::uint64_t id : {1, 2, 3}) {
    story.enqueue({.id = id, .priority = static_cast<std::int32_t>(id)});
  }
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{1, 2, 3}));
}

TEST(Ranking, WithAgeingLetsAWaitMakeUpForPriority) {
  Story story;
  configure(story, {.ageing = seconds(2)});
  story.enqueue({.id = 1});  // 4 seconds, which are 2 points, before the last
  story.enqueue({.id = 2});
  story.enqueue({.id = 3});
  story.enqueue({.id = 4});
  story.enqueue({.id = 5, .priority = 1});  // beats those it waits less than 2 seconds behind
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{1, 2, 3, 5, 4}));
}

TEST(Ranking, OfATaskSetForLaterCountsItsWaitFromThen) {
  Story story;
  configure(story, {.ageing = seconds(10)});
  story.enqueue({.id = 1, .run_at = story.now() + seconds(100)});
  story.enqueue({.id = 2});
  story.make_ready(1);
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{2, 1}));
}

TEST(Ranking, ByDeadlineIsTheEarliestFirstAndThoseWithoutOneLast) {
  Story story;
  configure(story, {.policy = QueuePolicy::deadline});
  story.enqueue({.id = 1, .priority = 9});
  story.enqueue({.id = 2, .deadline = story.now() + seconds(50)});
  story.enqueue({.id = 3, .deadline = story.now() + seconds(5)});
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{3, 2, 1}));
}

TEST(Ranking, ByUrgencyChangesWhenADeadlineComesIntoSight) {
  Story story;
  const std::vector<QueueWeight> weights = {{"high", 30}, {"deadline", 40}, {"overdue", 50}};
  configure(story, {.policy = QueuePolicy::urgency,
                    .window = seconds(64),
                    .weights = QueueWeightListView(weights)});
  const Time deadline = story.now() + seconds(70);
  story.enqueue({.id = 1, .priority = 1});
  story.enqueue({.id = 2, .deadline = deadline});
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{1, 2}));
  // 10, 20, 30 and 40 points as it comes closer, and 90 behind it.
  for (const auto& [before, is_first] : {std::pair(seconds(65), false),
                                         {seconds(16), false},
                                         {seconds(5), false},
                                         {seconds(1), true},
                                         {seconds(0), true}}) {
    story.tell(TasksReranked{.through = deadline - before});
    EXPECT_EQ(order_in(story.state(), "default"), is_first ? (Ids{2, 1}) : (Ids{1, 2}))
        << before.count();
  }
  EXPECT_EQ(story.tasks().ranking.next_change(), std::nullopt);
}

TEST(Ranking, IsMovedByOneEventUpToATaskThatItNames) {
  Story story;
  const std::vector<QueueWeight> weights = {{"overdue", 50}};
  configure(story, {.policy = QueuePolicy::urgency, .weights = QueueWeightListView(weights)});
  const Time deadline = story.now() + seconds(100);
  story.enqueue({.id = 1});
  for (std::uint64_t id : {2, 3, 4}) story.enqueue({.id = id, .deadline = deadline});
  ASSERT_TRUE(story.tell(TasksReranked{deadline, TaskId(3)}));
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{2, 3, 1, 4}));
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>{});
  EXPECT_FALSE(story.tell(TasksReranked{deadline, TaskId(3)})) << "it has been made";
  ASSERT_TRUE(story.tell(TasksReranked{deadline, TaskId()}));
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{2, 3, 4, 1}));
}

TEST(Ranking, OfAFairQueueSharesByWeightHoweverMuchOneOwnerSubmits) {
  Story story;
  const std::vector<QueueWeight> weights = {{"ann", 200}};
  configure(story, {.policy = QueuePolicy::fair, .weights = QueueWeightListView(weights)});
  std::uint64_t id = 0;
  for (int i = 0; i < 100; ++i) story.enqueue({.id = ++id, .owner = "bob"});
  for (int i = 0; i < 100; ++i) story.enqueue({.id = ++id, .owner = "ann"});
  int of_ann = 0;
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t first = order_in(story.state(), "default").front();
    of_ann += first > 100 ? 1 : 0;
    ASSERT_TRUE(story.start(first));
  }
  EXPECT_EQ(of_ann, 40) << "twice as many as bob";
}

TEST(Ranking, OfAFairQueueForgetsWhatWasCancelled) {
  Story story;
  configure(story, {.policy = QueuePolicy::fair});
  for (std::uint64_t id = 1; id <= 50; ++id) story.enqueue({.id = id, .owner = "ann"});
  for (std::uint64_t id = 1; id <= 50; ++id) story.cancel(id);
  story.enqueue({.id = 51, .owner = "bob"});
  story.enqueue({.id = 52, .owner = "ann"});
  story.enqueue({.id = 53, .owner = "bob"});
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{51, 52, 53}));
}

TEST(Ranking, OfAFairQueueGivesNoCreditForHavingBeenIdle) {
  Story story;
  configure(story, {.policy = QueuePolicy::fair});
  for (std::uint64_t id = 1; id <= 10; ++id) story.enqueue({.id = id, .owner = "ann"});
  for (std::uint64_t id = 1; id <= 8; ++id) story.start(id);
  for (std::uint64_t id = 11; id <= 14; ++id) story.enqueue({.id = id, .owner = "bob"});
  EXPECT_EQ(order_in(story.state(), "default"), (Ids{11, 9, 12, 10, 13, 14}));
}

TEST(Ranking, OfTheDefaultNeedsNothingBesideTheOrder) {
  Story story;
  configure(story, {.policy = QueuePolicy::fair});
  story.enqueue({.id = 1, .owner = "ann"});
  configure(story, {.policy = QueuePolicy::priority});
  const Ranking& ranking = story.tasks().ranking;
  EXPECT_TRUE(ranking.empty() && ranking.tags.empty() && ranking.flows.empty());
}

}  // namespace
}  // namespace almanac::test
