// What the state knows of the advisors of engines.
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

AdvisorRecord advisor_record(const Story& story, std::string_view advisor) {
  const auto id = story.state().names.find(advisor);
  const AdvisorRecord* record = id ? story.state().advisors.all.find(*id) : nullptr;
  return record == nullptr ? AdvisorRecord() : *record;
}

TEST(Advisors, StandAsTheirLastEventSaysAndCountWhy) {
  Story story;
  tell_advisors(story);
  const AdvisorRecord ranker = advisor_record(story, "ranker");
  EXPECT_EQ(ranker.mode, AdvisorMode::advising);
  EXPECT_EQ(ranker.returned, 2U);
  EXPECT_EQ(ranker.fell_back_for(AdvisorFault::timed_out), 1U);
  EXPECT_LT(ranker.trouble, ranker.changed);
  const AdvisorRecord oracle = advisor_record(story, "oracle");
  EXPECT_EQ(oracle.mode, AdvisorMode::holding_back);
  EXPECT_EQ(oracle.trouble, oracle.changed);
  EXPECT_EQ(story.state().ignored, 0U);
}

TEST(Advisors, OnlyWhatChangesTheirModeChangesAnything) {
  Story story;
  EXPECT_TRUE(story.tell(AdvisorReturned{"ranker"}));
  EXPECT_FALSE(story.tell(AdvisorReturned{"ranker"}));
  EXPECT_TRUE(story.tell(AdvisorFellBack{"ranker"}));
  EXPECT_FALSE(story.tell(AdvisorFellBack{"ranker"}));
  EXPECT_EQ(advisor_record(story, "ranker").returned, 1U);
}

TEST(Advisors, HaveToBeHeardAnewByTheNextEngine) {
  Story story;
  tell_advisors(story);
  story.tell(EngineStarted{.version = "1"});
  EXPECT_EQ(advisor_record(story, "ranker").mode, AdvisorMode::absent);
  EXPECT_EQ(advisor_record(story, "ranker").returned, 2U);
  EXPECT_TRUE(story.tell(AdvisorReturned{"ranker"}));
  EXPECT_TRUE(story.tell(AdvisorFellBack{"oracle"}));
}

TEST(Advisors, WhatBeganOnTheirAdviceIsCounted) {
  Story story;
  story.tell(AdvisorReturned{"ranker"});
  const Position changed = story.state().position;
  story.enqueue({.id = 1});
  story.enqueue({.id = 2});
  EXPECT_TRUE(story.tell(TaskStarted{.id = TaskId(1), .attempt = 1, .advisor = "ranker"}));
  EXPECT_TRUE(story.tell(TaskStarted{.id = TaskId(2), .attempt = 1}));
  EXPECT_FALSE(story.tell(TaskStarted{.id = TaskId(2), .attempt = 2, .advisor = "ranker"}));
  EXPECT_EQ(advisor_record(story, "ranker").begun, 1U);
  EXPECT_EQ(advisor_record(story, "ranker").changed, changed);
}

TEST(Advisors, AreInTheDigestWhereThereAreAny) {
  Story story;
  tell_advisors(story);
  State without = story.state();
  without.advisors = {};
  EXPECT_NE(digest(story.state()), digest(without));
  State other = story.state();
  other.advisors.all.edit(*other.names.find("ranker"))->fell_back[11] = 7;
  EXPECT_NE(digest(story.state()), digest(other));
}

}  // namespace
}  // namespace almanac::test
