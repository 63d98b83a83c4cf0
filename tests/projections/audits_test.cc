// What the state knows of who asked for what, and who was turned away.
#include <almanac/projections/invariants.h>
#include <almanac/projections/limits.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

AuditCounts audit_counts(const Story& story, std::string_view principal) {
  const auto id = story.state().names.find(principal);
  const AuditCounts* counts = id ? story.state().audits.principals.find(*id) : nullptr;
  return counts == nullptr ? AuditCounts() : *counts;
}

TEST(Audits, CountOfEachWhatItAskedForAndWasRefused) {
  Story story;
  tell_audits(story);
  EXPECT_EQ(audit_counts(story, "uid 1000").requests, 1U);
  EXPECT_EQ(audit_counts(story, "ci").requests, 2U);
  EXPECT_EQ(audit_counts(story, "ci").refusals, 1U);
  EXPECT_EQ(audit_counts(story, "").refusals, 8U) << "with those that were left out";
  EXPECT_EQ(audit_counts(story, "").last, story.state().position);
  const Audits& audits = story.state().audits;
  EXPECT_EQ(audits.refused_for(RefusalReason::password), 1U);
  EXPECT_EQ(audits.refused_for(RefusalReason::failed), 1U);
  ASSERT_EQ(audits.requests.size(), 2U);
  EXPECT_EQ(audits.requests.begin()->value.action, "POST /v1/tasks");
  ASSERT_EQ(audits.refusals.size(), 2U);
  EXPECT_EQ(audits.refusals.begin()->value.status, 404U);
  EXPECT_EQ(story.state().ignored, 0U);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

TEST(Audits, KeepTheLastInWordsAndForgetNoCount) {
  Story story;
  const std::uint64_t many = limits::audits_kept_max + 5;
  for (std::uint64_t i = 1; i <= many; ++i) {
    story.tell(RequestAudited{.request = i, .principal = "ci", .action = "POST /v1/tasks"});
    story.tell(RequestRefused{.reason = RefusalReason::host, .action = "GET /"});
  }
  const Audits& audits = story.state().audits;
  EXPECT_EQ(audits.requests.size(), limits::audits_kept_max);
  EXPECT_EQ(audits.requests.begin()->value.request, 6U);
  EXPECT_EQ(audits.refusals.size(), limits::audits_kept_max);
  EXPECT_EQ(audit_counts(story, "ci").requests, many);
  EXPECT_EQ(audits.refused_for(RefusalReason::host), many);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

TEST(Audits, CountWhoComesAfterTooManyWithTheOthers) {
  Story story;
  for (std::size_t i = 0; i <= limits::audit_principals_max; ++i) {
    story.tell(RequestAudited{.principal = "token " + std::to_string(i)});
  }
  const Audits& audits = story.state().audits;
  EXPECT_EQ(audits.principals.size(), limits::audit_principals_max);
  EXPECT_EQ(audits.others.requests, 1U);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

TEST(Audits, EachOfThemIsInTheDigest) {
  Story story;
  tell_audits(story);
  const auto changed = [&](auto change) {
    State other = story.state();
    change(other.audits);
    return digest(other) != digest(story.state());
  };
  const NameId ci = *story.state().names.find("ci");
  EXPECT_TRUE(changed([&](Audits& audits) { ++audits.principals.edit(ci)->requests; }));
  EXPECT_TRUE(changed([](Audits& audits) { ++audits.others.refusals; }));
  EXPECT_TRUE(changed([](Audits& audits) { ++audits.by_reason[3]; }));
  EXPECT_TRUE(changed([](Audits& audits) {
    audits.requests.edit(audits.requests.begin()->key)->subject = "/v1/tasks/18";
  }));
  EXPECT_TRUE(changed([](Audits& audits) {
    audits.refusals.edit(audits.refusals.begin()->key)->reason = RefusalReason::scope;
  }));
}

TEST(Audits, ThatCountLessThanTheirReasonsAreFound) {
  Story story;
  tell_audits(story);
  State state = story.state();
  state.audits.by_reason[0] = 100;
  EXPECT_EQ(broken_invariants(state).size(), 1U);
  state = story.state();
  state.audits.refusals.edit(state.audits.refusals.begin()->key)->principal = NameId{9'999};
  EXPECT_EQ(broken_invariants(state).size(), 1U);
}

}  // namespace
}  // namespace almanac::test
