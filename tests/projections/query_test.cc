// Expressions about a state and its tasks: what they mean, and what is said about wrong ones.
#include <almanac/projections/limits.h>
#include <almanac/projections/query.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::hours;

// 1 succeeded, 2 failed twice, 3 is doomed by it, 4 runs, 5 is delayed.
Story told() {
  Story story;
  story.enqueue({.id = 1, .kind = "fetch", .queue = "web", .tags = {"urgent"}});
  story.start(1);
  story.succeed(1);
  story.enqueue({.id = 2, .kind = "nightly-sum", .queue = "batch", .attempts_max = 2});
  story.start(2);
  story.fail_attempt(2, story.now());
  story.make_ready(2);
  story.start(2);
  story.fail(2);
  story.enqueue({.id = 3, .dependencies = {2}});
  story.enqueue({.id = 4, .queue = "web", .priority = -3, .timeout = hours(2)});
  story.start(4);
  story.enqueue({.id = 5, .run_at = story.now() + hours(1)});
  return story;
}

std::vector<std::uint64_t> tasks_where(const State& state, std::string_view text) {
  auto query = Query::parse(text, QuerySubject::task);
  EXPECT_TRUE(query) << text << ": " << (query ? "" : query.error().message);
  std::vector<std::uint64_t> ids;
  if (!query) return ids;
  for (const auto& [id, task] : state.tasks.all) {
    if (query->holds(state, id, task)) ids.push_back(id.value);
  }
  return ids;
}

bool state_is(const State& state, std::string_view text) {
  auto query = Query::parse(text, QuerySubject::state);
  EXPECT_TRUE(query) << text << ": " << (query ? "" : query.error().message);
  return query && query->holds(state);
}

using Ids = std::vector<std::uint64_t>;

TEST(Query, KnowsEveryTaskStateAndHowManyThereAreInEach) {
  State state;
  Task task;
  for (std::size_t i = 0; i < task_state_count; ++i) state.tasks.counts[i] = 10 + i;
  for (std::size_t i = 0; i < task_state_count; ++i) {
    task.state = static_cast<TaskState>(i);
    const std::string text(name(task.state));
    state.tasks.all.set(TaskId(1), task);
    EXPECT_EQ(tasks_where(state, "state == \"" + text + "\""), Ids{1});
    EXPECT_TRUE(state_is(state, "tasks." + text + " == " + std::to_string(10 + i)));
  }
}

TEST(Query, KnowsEveryAttemptStatus) {
  State state;
  Task task{.failures = 1};
  for (int i = 0; i < attempt_status_count; ++i) {
    task.last_status = static_cast<AttemptStatus>(i);
    const std::string text(name(task.last_status));
    state.tasks.all.set(TaskId(1), task);
    EXPECT_EQ(tasks_where(state, "last_status == \"" + text + "\""), Ids{1});
  }
  state.tasks.all.set(TaskId(1), Task());
  EXPECT_EQ(tasks_where(state, "last_status == \"\""), Ids{1});
}

TEST(Query, ChoosesTasks) {
  const auto story = told();
  const auto where = [&](std::string_view text) { return tasks_where(story.state(), text); };
  EXPECT_EQ(where("true"), (Ids{1, 2, 3, 4, 5}));
  EXPECT_EQ(where("state == \"failed\" && failures > 1"), (Ids{2}));
  EXPECT_EQ(where("queue in ['web', \"batch\"]"), (Ids{1, 2, 4}));
  EXPECT_EQ(where("!(queue in [\"web\"]) && !ended"), (Ids{3, 5}));
  EXPECT_EQ(where("kind.startsWith(\"nightly\") || kind.endsWith(\"tch\")"), (Ids{1, 2}));
  EXPECT_EQ(where("kind.contains(\"ight\")"), (Ids{2}));
  EXPECT_EQ(where("\"urgent\" in tags"), (Ids{1}));
  EXPECT_EQ(where("doomed"), (Ids{3}));
  EXPECT_EQ(where("priority < -2 || id == 5"), (Ids{4, 5}));
  EXPECT_EQ(where("timeout >= 1h30m"), (Ids{4}));
  EXPECT_EQ(where("run_at > now + 30m"), (Ids{5}));
  EXPECT_EQ(where("age > 7s"), (Ids{1, 2}));
  EXPECT_EQ(where("ended_at - started_at < 1m && ended"), (Ids{1, 2}));
  EXPECT_EQ(where("started_at == timestamp(\"1970-01-01T00:00:00Z\")"), (Ids{3, 5}));
  EXPECT_EQ(where("attempts + 1 <= attempts_max && last_status == \"\""), (Ids{3, 5}));
}

TEST(Query, KnowsWhatLimitsTasksAskForAndAreBlockedBy) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ConfigureLimit{"gpu", {.units = 1}}));
  ASSERT_TRUE(desk.ask(ConfigureLimit{"kind:mail", {.per_minute = 1, .burst = 1}}));
  ASSERT_TRUE(desk.ask(ConfigureQueue{.queue = "narrow", .slots = 1}));
  for (int i = 0; i < 2; ++i) desk.submit({.kind = "work", .demands = {{"gpu", 1}}});
  for (int i = 0; i < 2; ++i) desk.submit({.kind = "mail"});
  for (int i = 0; i < 2; ++i) desk.submit({.kind = "work", .queue = "narrow"});
  desk.start();
  const auto where = [&](std::string_view text) { return tasks_where(desk.state(), text); };
  EXPECT_EQ(where("\"gpu\" in limits"), (Ids{1, 2}));
  EXPECT_EQ(where("'kind:mail' in limits"), (Ids{3, 4}));
  EXPECT_EQ(where("'unheard of' in limits"), Ids{});
  EXPECT_EQ(where("blocked_by == 'gpu'"), (Ids{2}));
  EXPECT_EQ(where("blocked_by == 'kind:mail'"), (Ids{4}));
  EXPECT_EQ(where("blocked_by == '' && state == 'ready'"), (Ids{6})) << "the queue is no limit";
  EXPECT_EQ(where("!('gpu' in limits) && blocked_by.startsWith('kind:')"), (Ids{4}));
}

TEST(Query, AsksTheState) {
  const auto story = told();
  const auto is = [&](std::string_view text) { return state_is(story.state(), text); };
  EXPECT_TRUE(is("tasks.failed == 1 && tasks.total == 5"));
  EXPECT_FALSE(is("tasks.failed > 1 || engine.running"));
  EXPECT_TRUE(is("count(queue == \"web\") == 2"));
  EXPECT_TRUE(is("exists(doomed)"));
  EXPECT_FALSE(is("exists(state == \"cancelled\")"));
  EXPECT_TRUE(is("tasks.live == 3 && tasks.doomed == 1 && ignored == 0"));
}

TEST(Query, BindsAndTighterThanOr) {
  const auto story = told();
  EXPECT_TRUE(state_is(story.state(), "true || false && false"));
  EXPECT_FALSE(state_is(story.state(), "(true || false) && false"));
  EXPECT_TRUE(state_is(story.state(), "10 - 3 - 2 == 5"));
}

TEST(Query, StopsSumsAtTheLargestNumber) {
  const State state;
  EXPECT_TRUE(state_is(state, "9223372036854775807 + 1 == 9223372036854775807"));
  EXPECT_TRUE(state_is(state, "-9223372036854775807 - 9 < -9223372036854775807"));
}

struct Wrong {
  std::string_view text;
  std::size_t column;
  std::string_view message;
};

TEST(Query, SaysWhatIsWrongAndWhere) {
  constexpr std::array cases = {
      Wrong{"state = \"failed\"", 7, "'=' is no operator: use == to compare"},
      Wrong{"stat == \"failed\"", 1, "there is no name 'stat'"},
      Wrong{"state == \"faild\"", 7, "there is no state 'faild'"},
      Wrong{"ended && state in [\"ready\", \"don\"]", 29, "there is no state 'don'"},
      Wrong{"attempts > \"2\"", 10, "a number cannot be compared with a text"},
      Wrong{"attempts > 2h", 10, "a number cannot be compared with a duration"},
      Wrong{"attempts > 2x", 12,
            "'2x' is neither a whole number nor a duration such as 2h or 1h30m"},
      Wrong{"queue < \"a\"", 7, "a text is not more or less than another"},
      Wrong{"attempts", 1, "this is a number, and not true or false"},
      Wrong{"ended && attempts", 10, "a truth is wanted here, and this is a number"},
      Wrong{"(ended", 7, "')' is missing here"},
      Wrong{"", 1, "the expression ends where a value is wanted"},
      Wrong{"queue == \"a", 10, "the text has no closing quote"},
      Wrong{"ended ended", 7, "'ended' does not belong here"},
      Wrong{"queue.holds(\"a\")", 7, "there is no method 'holds'"},
      Wrong{"total(ended)", 1, "there is no function 'total'"},
      Wrong{"now > timestamp(\"tomorrow\")", 17, "write a time as \"2026-11-21T03:00:00Z\""},
      Wrong{"now + now > now", 5, "a time and a time have no sum"},
      Wrong{"count(ended) > 1", 1,
            "this asks about one task: 'count' can only be asked of the state"},
  };
  for (const Wrong& wrong : cases) {
    auto query = Query::parse(wrong.text, QuerySubject::task);
    ASSERT_FALSE(query) << wrong.text;
    EXPECT_EQ(query.error().message, wrong.message) << wrong.text;
    EXPECT_EQ(query.error().column, wrong.column) << wrong.text;
  }
  auto of_task = Query::parse("tasks.total > 1 && attempts > 2", QuerySubject::state);
  ASSERT_FALSE(of_task);
  EXPECT_EQ(of_task.error().column, 20U);
}

TEST(Query, NamesWhatCouldHaveBeenMeant) {
  auto query = Query::parse("tasks.faild > 1", QuerySubject::state);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().word, "tasks.faild");
  EXPECT_TRUE(std::ranges::count(query.error().known, "tasks.failed") == 1);
  EXPECT_FALSE(std::ranges::count(query.error().known, "queue") == 1) << "is of a task";
}

TEST(Query, RefusesWhatIsTooLongOrTooDeep) {
  const auto deep = [](std::size_t depth) {
    return std::string(depth, '(') + "true" + std::string(depth, ')');
  };
  EXPECT_TRUE(Query::parse(deep(limits::query_nesting_max), QuerySubject::state));
  EXPECT_FALSE(Query::parse(deep(limits::query_nesting_max + 1), QuerySubject::state));
  EXPECT_FALSE(Query::parse(std::string(10'000, '!') + "true", QuerySubject::state));
  EXPECT_FALSE(
      Query::parse(std::string(limits::query_bytes_max, ' ') + "true", QuerySubject::state));
  std::string many = "1";
  for (std::size_t i = 0; i <= limits::query_operators_max; ++i) many += "+1";
  EXPECT_FALSE(Query::parse(many + "==1", QuerySubject::state));
}

// Expressions of a type, drawn from a seed.
class Drawn {
 public:
  explicit Drawn(std::uint32_t seed) : random_(seed) {}

  std::string truth(int depth) {
    if (depth == 0)
      return one_of({"true", "ended", "doomed", "!ended", "'urgent' in tags", "'gpu' in limits"});
    switch (random_() % 6) {
      case 0: return "(" + truth(depth - 1) + one_of({" && ", " || "}) + truth(depth - 1) + ")";
      case 1: return truth(depth - 1) + " || " + truth(depth - 1);
      case 2: return "!(" + truth(depth - 1) + ")";
      case 3: return number(depth - 1) + one_of({"==", "!=", "<", "<=", ">", ">="}) + number(0);
      case 4:
        return text() + one_of({".contains('a')", ".startsWith(\"w\")", " in ['web', 'x\"\\\\']"});
      default: return one_of({"age", "run_at - now", "timeout + 1h30m", "-2d3ms"}) + " > 250ms";
    }
  }

 private:
  std::string one_of(const std::vector<std::string>& choices) {
    return choices[random_() % choices.size()];
  }
  std::string number(int depth) {
    if (depth > 0) return number(depth - 1) + one_of({" + ", " - "}) + number(0);
    return one_of({"attempts", "priority", "7", "-3", "tasks.failed", "position"});
  }
  std::string text() { return one_of({"queue", "kind", "'web'"}); }

  std::mt19937 random_;
};

RC_GTEST_PROP(Query, MeansTheSameWhenItIsPrintedAndReadAgain, (std::uint32_t seed)) {
  static const auto story = told();
  const auto text = Drawn(seed).truth(4);
  auto query = Query::parse(text, QuerySubject::task);
  RC_ASSERT(query.has_value());
  auto again = Query::parse(query->text(), QuerySubject::task);
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->text() == query->text());
  for (const auto& [id, task] : story.state().tasks.all) {
    RC_ASSERT(again->holds(story.state(), id, task) == query->holds(story.state(), id, task));
  }
}

RC_GTEST_PROP(Query, AnswersEverySequenceOfWordsWithAValueOrAFaultInsideIt,
              (const std::vector<std::uint8_t>& choices, const std::string& noise)) {
  static const auto story = told();
  static constexpr std::array<std::string_view, 24> words = {"ended",
                                                             "state",
                                                             "\"failed\"",
                                                             "==",
                                                             "&&",
                                                             "||",
                                                             "!",
                                                             "(",
                                                             ")",
                                                             "[",
                                                             "]",
                                                             ",",
                                                             "in",
                                                             "tags",
                                                             "-",
                                                             "+",
                                                             "3",
                                                             "2h",
                                                             "now",
                                                             ".contains(",
                                                             "count(",
                                                             "timestamp(",
                                                             "'2026-11-21T03:00:00Z'",
                                                             "<"};
  std::string text;
  for (auto choice : choices) text += std::string(words[choice % words.size()]) + " ";
  for (auto subject : {QuerySubject::task, QuerySubject::state}) {
    for (const std::string& expression : {text, text + noise, noise}) {
      auto query = Query::parse(expression, subject);
      if (!query) {
        RC_ASSERT(query.error().column >= 1U);
        RC_ASSERT(query.error().column <= expression.size() + 1);
      } else {
        (void)query->holds(story.state(), TaskId(1), story.task(1));
        RC_ASSERT(Query::parse(query->text(), subject).has_value());
      }
    }
  }
}

}  // namespace
}  // namespace almanac::test
