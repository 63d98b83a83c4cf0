// What the state knows of the pools of programs.
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

PoolRecord record_of(const Story& story, std::string_view pool) {
  const auto id = story.state().names.find(pool);
  const PoolRecord* record = id ? story.state().pools.all.find(*id) : nullptr;
  return record == nullptr ? PoolRecord() : *record;
}

TEST(Pools, CountWhatBecameOfTheirInstances) {
  Story story;
  tell_pools(story);
  const PoolRecord reasoners = record_of(story, "reasoners");
  EXPECT_EQ(reasoners.created, 2U);
  EXPECT_EQ(reasoners.alive, 1U);
  EXPECT_EQ(reasoners.retired_for(PoolRetirement::error), 1U);
  EXPECT_EQ(reasoners.exhausted, 1U);
  EXPECT_EQ(reasoners.trouble, reasoners.changed);
  const PoolRecord browsers = record_of(story, "browsers");
  EXPECT_EQ(browsers.failed, 1U);
  EXPECT_EQ(browsers.created, 0U);
  EXPECT_EQ(story.state().ignored, 0U);
}

TEST(Pools, KnowWhatWasWrongAndNotWhatHasServedItsTime) {
  Story story;
  for (int i = 0; i < pool_retirement_count; ++i) {
    const auto reason = static_cast<PoolRetirement>(i);
    story.tell(InstanceCreated{name(reason), 1});
    story.tell(InstanceRetired{name(reason), 1, reason});
    EXPECT_EQ(bool(record_of(story, name(reason)).trouble), is_trouble(reason)) << name(reason);
  }
}

TEST(Pools, OneThatNobodyKnowsOfChangesNothing) {
  Story story;
  EXPECT_FALSE(story.tell(InstanceRetired{"reasoners", 1}));
  story.tell(InstanceCreated{"reasoners", 1});
  EXPECT_TRUE(story.tell(InstanceRetired{"reasoners", 1}));
  EXPECT_FALSE(story.tell(InstanceRetired{"reasoners", 1}));
  EXPECT_EQ(record_of(story, "reasoners").retired_for(PoolRetirement::age), 1U);
}

TEST(Pools, LoseTheirInstancesWithTheProgramThatHadThem) {
  Story story;
  tell_pools(story);
  story.tell(EngineStarted{.version = "1"});
  EXPECT_EQ(record_of(story, "reasoners").alive, 0U);
  EXPECT_EQ(record_of(story, "reasoners").created, 2U);
}

TEST(Pools, AreInTheDigestWhereThereAreAny) {
  Story story;
  tell_pools(story);
  State without = story.state();
  without.pools = {};
  EXPECT_NE(digest(story.state()), digest(without));
  State other = story.state();
  other.pools.all.edit(*other.names.find("reasoners"))->retired[0] = 7;
  EXPECT_NE(digest(story.state()), digest(other));
}

}  // namespace
}  // namespace almanac::test
