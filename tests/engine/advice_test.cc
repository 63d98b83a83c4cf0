// What an advisor is asked and answers, and how it enters the order in which tasks begin.
#include <almanac/engine/advice.h>
#include <almanac/engine/advised_order.h>
#include <almanac/engine/advisors.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Ids = std::vector<std::uint64_t>;

std::vector<TaskId> tasks(const Ids& ids) { return {ids.begin(), ids.end()}; }

bool has(const Ids& ids, std::uint64_t id) { return std::ranges::find(ids, id) != ids.end(); }

// Begins by `order` and says with whom; what began on advice is negative.
std::vector<int> begun(Desk& desk, const Advice& advice) {
  desk.advice = &advice;
  (void)desk.start();
  desk.advice = nullptr;
  std::vector<int> ids;
  for (const Event& event : desk.last()) {
    const auto& start = std::get<TaskStarted>(event.body);
    const int id = static_cast<int>(start.id.value);
    ids.push_back(start.advisor.empty() ? id : -id);
  }
  return ids;
}

AdviceQuestion about(const Ids& ids) { return {.number = 7, .tasks = tasks(ids), .json = {}}; }

TEST(Advice, AsksAboutTheFirstInTheBuiltInOrderWithAllThatIsKnown) {
  Desk desk;
  desk.submit({.kind = "low", .priority = 1});
  desk.submit({.kind = "high",
               .queue = "web",
               .priority = 5,
               .owner = "ada",
               .deadline = desk.now + 60s,
               .estimate = 2s});
  desk.submit({.kind = "none"});
  desk.now += 1500ms;
  const auto read = [](const Task&, const std::function<void(const TaskEnqueued&)>& visit) {
    const std::vector<std::string_view> tags = {"a", "b"};
    visit({.label = "called \xff", .tags = NameListView(tags)});
  };
  const auto asked =
      question_about(desk.state(), {.number = 7, .now = desk.now, .tasks_max = 2, .read = read});
  EXPECT_EQ(asked.tasks, tasks({2, 1}));
  EXPECT_EQ(json::parse(asked.json), json::parse(R"({"rank": 7, "tasks": [
      {"id": 2, "kind": "high", "queue": "web", "priority": 5, "urgency": 5, "age_ms": 1500,
       "deadline_ms": 58500, "estimate_ms": 2000, "owner": "ada", "label": "called �",
       "tags": ["a", "b"]},
      {"id": 1, "kind": "low", "queue": "default", "priority": 1, "urgency": 1, "age_ms": 1500,
       "label": "called �", "tags": ["a", "b"]}]})"));
}

TEST(Advice, AnAnswerNamesTasksInOrderAndTheirScores) {
  const auto answer =
      read_answer(R"({"rank":7,"order":[3,1],"scores":[0.5,-2],"why":"so"})", about({1, 2, 3}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->order, tasks({3, 1}));
  EXPECT_EQ(answer->scores, (std::vector<double>{0.5, -2}));
  EXPECT_TRUE(read_answer(R"({"rank":7,"order":[]})", about({1})));
}

TEST(Advice, WhatIsOfNoUseHasItsOwnReason) {
  const std::map<std::string, AdvisorFault> cases = {
      {"nonsense", AdvisorFault::malformed},
      {"[1,2]", AdvisorFault::malformed},
      {R"({"order":[1]})", AdvisorFault::malformed},
      {R"({"rank":7})", AdvisorFault::malformed},
      {R"({"rank":7,"order":{"1":2}})", AdvisorFault::malformed},
      {R"({"rank":"7","order":[1]})", AdvisorFault::malformed},
      {R"({"rank":7,"order":["1"]})", AdvisorFault::malformed},
      {R"({"rank":7,"order":[1.5]})", AdvisorFault::malformed},
      {R"({"rank":7,"order":[-1]})", AdvisorFault::malformed},
      {R"({"rank":6,"order":[1]})", AdvisorFault::late},
      {R"({"rank":8,"order":[1]})", AdvisorFault::wrong_request},
      {R"({"rank":7,"order":[1,2,3,1]})", AdvisorFault::too_many},
      {R"({"rank":7,"order":[1,4]})", AdvisorFault::unknown_task},
      {R"({"rank":7,"order":[2,2]})", AdvisorFault::duplicate_task},
      {R"({"rank":7,"order":[1,2],"scores":[1]})", AdvisorFault::wrong_scores},
      {R"({"rank":7,"order":[1],"scores":["1"]})", AdvisorFault::wrong_scores},
      {R"({"rank":7,"order":[1],"scores":[null]})", AdvisorFault::wrong_scores},
      {R"({"rank":7,"order":[1,2],"scores":[1,2]})", AdvisorFault::wrong_scores},
      {R"({"rank":7,"order":[1],"scores":1})", AdvisorFault::wrong_scores}};
  for (const auto& [text, fault] : cases) {
    const auto answer = read_answer(text, about({1, 2, 3}));
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(name(answer.error().fault), name(fault)) << text;
    EXPECT_FALSE(answer.error().evidence.empty());
  }
}

TEST(Advice, TheSampleCanBeAnswered) {
  const auto asked = sample_question(7);
  EXPECT_EQ(json::parse(asked.json)["tasks"].size(), asked.tasks.size());
  EXPECT_TRUE(read_answer(R"({"rank":7,"order":[3,2,1]})", asked));
}

TEST(AdvisedOrder, BeginsWithThoseThatWereNamedAndGoesOnInTheBuiltInOrder) {
  Desk desk({.slots = 10});
  for (std::int32_t priority : {1, 2, 3, 4}) desk.submit({.kind = "work", .priority = priority});
  const auto order = tasks({1, 99, 3});
  EXPECT_EQ(begun(desk, {.advisor = "ranker", .order = order, .overtaking_max = 1h}),
            (std::vector<int>{-1, -3, 4, 2}));
  const auto id = desk.state().names.find("ranker");
  EXPECT_EQ(desk.state().advisors.all.find(*id)->begun, 2U);
}

TEST(AdvisedOrder, NobodyBeginsWhoMayNot) {
  Desk desk({.slots = 10});
  desk.submit({.kind = "work", .queue = "paused"});
  desk.submit({.kind = "work", .queue = "one"});
  desk.submit({.kind = "work", .queue = "one"});
  desk.submit({.kind = "work"});
  desk.submit({.kind = "work", .dependencies = {{TaskId(4)}}});
  ASSERT_TRUE(desk.ask(PauseWork{PauseScope::queue, "paused", true}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{"one", 1}));
  const auto order = tasks({5, 1, 3, 2, 4});
  EXPECT_EQ(begun(desk, {.advisor = "ranker", .order = order, .overtaking_max = 1h}),
            (std::vector<int>{-3, -4}));
  EXPECT_EQ(begun(desk, {.advisor = "ranker", .order = order, .overtaking_max = 1h}),
            std::vector<int>());
}

TEST(AdvisedOrder, TheFirstThatHasWaitedForLongIsNotOvertakenAnyMore) {
  Desk desk({.slots = 1});
  desk.submit({.kind = "work", .priority = 1});
  desk.now += 1min;
  for (int i = 0; i < 4; ++i) desk.submit({.kind = "work"});
  const auto order = tasks({5, 4, 3, 2, 1});
  const Advice advice{.advisor = "ranker", .order = order, .overtaking_max = 10min};
  EXPECT_EQ(begun(desk, advice), std::vector<int>{-5});
  desk.finish(TaskId(5), AttemptStatus::succeeded);
  desk.now += 9min - 1us;
  EXPECT_EQ(begun(desk, advice), std::vector<int>{-4});
  desk.finish(TaskId(4), AttemptStatus::succeeded);
  desk.now += 1us;
  EXPECT_EQ(begun(desk, advice), std::vector<int>{1});
  desk.finish(TaskId(1), AttemptStatus::succeeded);
  EXPECT_EQ(begun(desk, advice), std::vector<int>{-3}) << "the next has not waited as long";
}

TEST(AdvisedOrder, WithoutAFallbackWhatIsThereWaitsForAdviceButNotForEver) {
  Desk desk;
  desk.submit({.kind = "work"});
  const Advice none{.advisor = "ranker", .overtaking_max = 10min, .holds_back = true};
  EXPECT_EQ(begun(desk, none), std::vector<int>());
  EXPECT_EQ(desk.next_start(), desk.now + 10min);
  desk.now += 10min;
  EXPECT_EQ(begun(desk, none), std::vector<int>{1});
}

// Against the simplest there is: those that are named and may begin, then all others by their
// order, each if its queue has a slot.
RC_GTEST_PROP(AdvisedOrderProperties, IsTheBuiltInOrderWithTheNamedInFront, ()) {
  Desk desk({.slots = 6});
  const std::vector<std::string> queues = {"free", "two"};
  RC_ASSERT(desk.ask(ConfigureQueue{"two", 2}).has_value());
  const auto count = *rc::gen::inRange<std::uint64_t>(1, 12);
  std::map<std::uint64_t, std::pair<std::int32_t, std::string>> submitted;
  for (std::uint64_t id = 1; id <= count; ++id) {
    const auto priority = *rc::gen::inRange(0, 3);
    const auto queue = *rc::gen::elementOf(queues);
    desk.submit({.kind = "work", .queue = queue, .priority = priority});
    submitted[id] = {priority, queue};
  }
  const auto named = *rc::gen::unique<Ids>(rc::gen::inRange<std::uint64_t>(1, 15));
  const auto order = tasks(named);

  Ids model;
  std::ranges::copy_if(named, std::back_inserter(model),
                       [&](std::uint64_t id) { return submitted.contains(id); });
  Ids others;
  for (const auto& [id, task] : submitted) {
    if (!has(model, id)) others.push_back(id);
  }
  std::ranges::stable_sort(others, std::greater(), [&](auto id) { return submitted[id].first; });
  model.insert(model.end(), others.begin(), others.end());
  std::size_t in_two = 0;
  std::vector<int> expected;
  for (const std::uint64_t id : model) {
    if (expected.size() == 6) break;
    if (submitted[id].second == "two" && ++in_two > 2) continue;
    const int number = static_cast<int>(id);
    expected.push_back(has(named, id) ? -number : number);
  }
  RC_ASSERT(begun(desk, {.advisor = "ranker", .order = order, .overtaking_max = 1h}) == expected);
}

struct AdvisorEvents : ::testing::Test {
  std::vector<Event> decide(const AdvisorStanding& standing) {
    return decide_advisor(state, "ranker", standing, {Time(1s), memory});
  }
  void fold(const std::vector<Event>& events) {
    for (const Event& event : events) fold_into(state, {state.position.next(), event});
  }
  State state;
  Arena memory;
};

TEST_F(AdvisorEvents, AreThereWhenItStandsOtherwiseThanTheLogSays) {
  EXPECT_TRUE(decide({}).empty()) << "nothing is known of it yet";
  const AdvisorStanding fallen{.mode = AdvisorMode::fallen_back,
                               .failure = {AdvisorFault::timed_out, std::string(5'000, 'x')},
                               .attempts = 3};
  auto events = decide(fallen);
  ASSERT_EQ(events.size(), 1U);
  const auto& fell = std::get<AdvisorFellBack>(events[0].body);
  EXPECT_EQ(fell.fault, AdvisorFault::timed_out);
  EXPECT_EQ(fell.attempts, 3U);
  EXPECT_EQ(fell.evidence.size(), 4'096U);
  fold(events);
  EXPECT_TRUE(decide(fallen).empty()) << "it is on record";
  events = decide({.mode = AdvisorMode::advising});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<AdvisorReturned>(events[0].body));
  fold(events);
  EXPECT_TRUE(decide({.mode = AdvisorMode::advising, .order = tasks({1})}).empty());
  EXPECT_EQ(state.ignored, 0U);
}

}  // namespace
}  // namespace almanac::test
