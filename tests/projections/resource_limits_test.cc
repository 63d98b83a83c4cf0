// Limits as the fold keeps them: which setting a name has, and token buckets held against one that
// is counted token by token.
#include <almanac/projections/invariants.h>
#include <almanac/projections/lane_claims.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::seconds;

NameId limit_named(const Story& story, std::string_view name) {
  return *story.state().names.find(name);
}

LimitSetting setting(const Story& story, std::string_view name) {
  return setting_of(story.state().limits, story.state().names, name);
}

TEST(ResourceLimits, TakeTheirOwnSettingThenTheirFamilysThenThatOfAll) {
  Story story;
  story.tell(LimitConfigured{.name = "customer:*", .units = 2});
  story.tell(LimitConfigured{.name = "customer:7", .units = 9});
  story.tell(LimitConfigured{.name = "*", .per_minute = 30, .burst = 3});
  EXPECT_EQ(setting(story, "customer:7").units, 9U);
  EXPECT_EQ(setting(story, "customer:8").units, 2U);
  EXPECT_EQ(setting(story, "customer").per_minute, 30U);
  EXPECT_EQ(setting(story, "recovery:q"), default_recovery) << "has a default of its own";
  story.tell(LimitConfigured{.name = "customer:7"});
  EXPECT_EQ(setting(story, "customer:7").units, 2U) << "lifted, it is one of its family again";
  story.tell(LimitConfigured{.name = "customer:*"});
  EXPECT_EQ(setting(story, "customer:8").units, 0U);
  EXPECT_EQ(setting(story, "customer:8").per_minute, 30U);
  story.tell(LimitConfigured{.name = "*"});
  EXPECT_FALSE(setting(story, "anything").is_set());
  EXPECT_EQ(story.state().limits.families, 0U);
}

TEST(ResourceLimits, KnowWhenTokensAreBackToTheMicrosecond) {
  Story story;
  story.tell(LimitConfigured{.name = "api", .per_minute = 7, .burst = 2});
  const Time taken = story.now();
  story.tell(TokensTaken{"api", 2});
  const NameId api = limit_named(story, "api");
  const auto& limits = story.state().limits;
  const LimitSetting rate = setting(story, "api");
  const Time due = tokens_due(limits, api, rate, 1);
  EXPECT_EQ(due - taken, Duration(8'571'429)) << "a seventh of a minute, rounded up";
  EXPECT_EQ(tokens_at(limits, api, rate, due - Duration(1)), 0U);
  EXPECT_EQ(tokens_at(limits, api, rate, due), 1U);
  EXPECT_EQ(tokens_due(limits, api, rate, 2) - taken, Duration(17'142'858));
  EXPECT_EQ(tokens_at(limits, api, rate, taken + seconds(3600)), 2U) << "no more than its burst";
}

TEST(ResourceLimits, KeepWhatIsMissingWhenARateChanges) {
  Story story;
  story.tell(LimitConfigured{.name = "api", .per_minute = 60, .burst = 10});
  story.tell(
      TokensTaken{"api", 10});  // a second later one token is back, and then the rate changes
  story.tell(LimitConfigured{.name = "api", .per_minute = 6'000, .burst = 10});
  const Time changed = story.state().time;
  const auto level = [&](Time now) {
    return tokens_at(story.state().limits, limit_named(story, "api"), setting(story, "api"), now);
  };
  EXPECT_EQ(level(changed), 1U);
  EXPECT_EQ(level(changed + std::chrono::milliseconds(10)), 2U);
}

TEST(ResourceLimits, AreInUseWhileALeaseIsHeldAndNoLonger) {
  Story story;
  story.tell(LimitConfigured{.name = "kind:video", .units = 3});
  const std::vector<Demand> asked = {{"memory", 4}, {"disk", 1}, {"memory", 2}};
  story.tell(TaskEnqueued{
      .id = TaskId(1), .kind = "video", .queue = "q", .demands = DemandListView(asked)});
  const auto in_use = [&](std::string_view name) {
    return units_in_use(story.state(), limit_named(story, name));
  };
  EXPECT_EQ(in_use("memory"), 0U);
  ASSERT_TRUE(story.start(1));
  EXPECT_EQ(in_use("memory"), 6U) << "what is asked for twice is added up";
  EXPECT_EQ(in_use("disk"), 1U);
  EXPECT_EQ(in_use("kind:video"), 1U);
  ASSERT_TRUE(story.request_cancel(1));
  EXPECT_EQ(in_use("memory"), 6U) << "until it has stopped";
  ASSERT_TRUE(story.cancel(1));
  EXPECT_EQ(in_use("memory"), 0U);
  EXPECT_EQ(in_use("kind:video"), 0U);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

TEST(ResourceLimits, AreNotInADigestThatHadNone) {
  Story with;
  Story without;
  for (Story* story : {&with, &without}) story->tell(QueueConfigured{"a", 1});
  with.tell(LimitConfigured{.name = "a", .units = 1});
  with.tell(LimitConfigured{.name = "a"});
  without.tell(QueueConfigured{"a", 1});
  without.tell(QueueConfigured{"a", 1});
  EXPECT_EQ(digest(with.state()), digest(without.state()));
}

TEST(ResourceLimits, AreSeenBrokenWhereASlotWasNotFreed) {
  Story story;
  const std::vector<Demand> asked = {{"memory", 4}};
  story.tell(
      TaskEnqueued{.id = TaskId(1), .kind = "k", .queue = "q", .demands = DemandListView(asked)});
  story.start(1);
  State broken = story.state();
  ASSERT_TRUE(story.succeed(1));
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
  broken.position = story.state().position;
  broken.tasks.all = story.state().tasks.all;
  broken.tasks.running = story.state().tasks.running;
  broken.tasks.counts = story.state().tasks.counts;
  EXPECT_EQ(broken_invariants(broken).size(), 1U) << "it ended, and its units did not come back";
}

__extension__ using Wide = __int128;

// A bucket that is counted in the simplest way: 60,000,000 parts a token, one look each step.
struct CountedBucket {
  Wide parts = 0;
  Time at;
  LimitSetting rate;

  void go_to(Time now) {
    const Wide full = Wide{rate.burst} * 60'000'000;
    parts = std::min(full, parts + Wide{(now - at).count()} * rate.per_minute);
    at = now;
  }
};

RC_GTEST_PROP(ResourceLimits, HoldTheTokensThatCountingGives, ()) {
  State state;
  CountedBucket counted;
  Time now(seconds(1'000));
  const auto tell = [&](EventBody body) {
    state = fold(std::move(state), {state.position.next(), {.at = now, .body = std::move(body)}});
  };
  for (int left = *rc::gen::inRange(1, 40); left > 0; --left) {
    now += Duration(*rc::gen::inRange(0, 1) == 0 ? *rc::gen::inRange(0, 30'000'000) : 7);
    const bool configures = state.limits.settings.empty() || *rc::gen::inRange(0, 8) == 0;
    if (configures) {
      const LimitSetting rate{.per_minute = *rc::gen::inRange(1U, 5'000U),
                              .burst = *rc::gen::inRange(1U, 50U)};
      counted.go_to(now);
      const bool is_first = counted.rate.burst == 0;
      const Wide missing = Wide{counted.rate.burst} * 60'000'000 - counted.parts;
      counted.rate = rate;
      const Wide full = Wide{rate.burst} * 60'000'000;
      counted.parts = is_first ? full : full - std::min(full, missing);
      tell(LimitConfigured{.name = "api", .per_minute = rate.per_minute, .burst = rate.burst});
    } else {
      counted.go_to(now);
      const auto most = static_cast<std::uint32_t>(counted.parts / 60'000'000);
      const auto tokens = *rc::gen::inRange(0U, most + 1);
      counted.parts -= Wide{tokens} * 60'000'000;
      tell(TokensTaken{"api", tokens});
    }
    const NameId api = *state.names.find("api");
    const auto level = tokens_at(state.limits, api, counted.rate, now);
    RC_ASSERT(level == static_cast<std::uint64_t>(counted.parts / 60'000'000));
    const auto wanted = *rc::gen::inRange(1U, counted.rate.burst + 1);
    const Time due = tokens_due(state.limits, api, counted.rate, wanted);
    if (due > now) {
      RC_ASSERT(level < wanted);
      RC_ASSERT(tokens_at(state.limits, api, counted.rate, due) >= wanted);
      RC_ASSERT(tokens_at(state.limits, api, counted.rate, due - Duration(1)) < wanted);
    } else {
      RC_ASSERT(level >= wanted);
    }
    RC_ASSERT(broken_invariants(state).empty());
  }
}

}  // namespace
}  // namespace almanac::test
