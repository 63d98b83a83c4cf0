// Making less of what is remembered.
#include <almanac/engine/limits.h>
#include <almanac/engine/memory_consolidation.h>
#include <almanac/tests/support/engine_fixture.h>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Repeats = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

class MemoryConsolidation : public EngineTest {
 protected:
  void remember(MemorySpec spec) {
    const auto stored = engine->remember(std::move(spec));
    ASSERT_TRUE(stored) << describe(stored.error());
  }
  [[nodiscard]] Repeats duplicates(const DuplicateQuery& query) const {
    Repeats found;
    for (const auto& each : find_duplicates(*engine->state(), query, &engine->contexts().keys())) {
      found.emplace_back(each.id.value, each.of.value);
    }
    return found;
  }
  static Result<MemorySpec> in_short(const std::vector<MemoryHit>& hits) {
    return MemorySpec{.kind = {}, .content = std::to_string(hits.size()) + " entries"};
  }
};

TEST_F(MemoryConsolidation, FindsWhatSaysTheSameOrNearlySo) {
  open_on_manual_clock();
  remember({.kind = "fact", .content = "It rains", .embedding = {1, 0}});
  remember({.kind = "fact", .content = " it RAINS\n", .embedding = {0, 1}});
  remember({.kind = "note", .content = "It rains"});
  remember({.kind = "fact", .user = "ann", .content = "It rains", .embedding = {1, 0}});
  remember({.kind = "fact", .user = "ann", .content = "Rain", .embedding = {1, 0.1F}});
  remember({.kind = "fact", .content = "It rains"});
  EXPECT_EQ(duplicates({}), (Repeats{{2, 1}, {6, 1}})) << "of one kind and user";
  EXPECT_EQ(duplicates({.similarity_min = 0.9}), (Repeats{{2, 1}, {5, 4}, {6, 1}}));
  EXPECT_EQ(duplicates({.similarity_min = 0.9999}), (Repeats{{2, 1}, {6, 1}}));
  EXPECT_EQ(duplicates({.user = "ann", .similarity_min = 0.9}), (Repeats{{5, 4}}));
  EXPECT_EQ(duplicates({.kind = "note", .similarity_min = 0}), Repeats());
  ASSERT_TRUE(engine->contexts().forget("ann"));
  EXPECT_EQ(duplicates({.similarity_min = 0.9}), (Repeats{{2, 1}, {6, 1}}));
}

TEST_F(MemoryConsolidation, ASummaryStandsForWhatMattersLittleAndIsOld) {
  open_on_manual_clock();
  remember({.kind = "fact", .content = "one", .significance = 0.1});
  remember({.kind = "fact", .content = "two", .significance = 0.9});
  remember({.kind = "fact", .user = "ann", .content = "three", .significance = 0.1});
  remember({.kind = "note", .content = "four", .significance = 0.1});
  advance(1h);
  remember({.kind = "fact", .content = "five", .significance = 0.2});
  advance(1h);
  remember({.kind = "fact", .content = "six", .significance = 0.1});
  const Position before = engine->state()->position;
  const auto stored = engine->consolidate_memories({.kind = "fact", .older_than = 1h}, in_short);
  ASSERT_TRUE(stored) << describe(stored.error());
  EXPECT_EQ(content_of(**engine->memory(*stored)).content, "2 entries");
  EXPECT_NE(content_of(**engine->memory(*stored)).metadata.find("\"sums_up\":2"),
            std::string::npos);
  std::vector<std::uint64_t> left;
  for (const auto& [id, memory] : engine->state()->memories.all) left.push_back(id.value);
  EXPECT_EQ(left, (std::vector<std::uint64_t>{2, 3, 4, 6, 7}));
  // In one append: the summary, and behind it that the others were forgotten.
  std::string types;
  ASSERT_TRUE(engine->log().read(before.next(), [&](const RecordedEvent& event) -> Result<bool> {
    types += std::string(type_name(event.event.body)) + " ";
    return true;
  }));
  EXPECT_EQ(types, "MemoryStored MemoryForgotten MemoryForgotten ");
  EXPECT_EQ(engine->consolidate_memories({.kind = "fact", .older_than = 1h}, in_short).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(engine->consolidate_memories({}, in_short).error().code, ErrorCode::invalid);
}

TEST_F(MemoryConsolidation, WhatWasChangedMeanwhileIsNotDropped) {
  open_on_manual_clock();
  remember({.kind = "fact", .content = "one", .significance = 0.1});
  remember({.kind = "fact", .content = "two", .significance = 0.1});
  const auto change_then_sum_up = [&](const std::vector<MemoryHit>& found) {
    EXPECT_TRUE(engine->update_memory({.id = found[1].id, .content = "three"}));
    return in_short(found);
  };
  EXPECT_EQ(engine->consolidate_memories({.kind = "fact"}, change_then_sum_up).error().code,
            ErrorCode::conflict);
  EXPECT_EQ(engine->state()->memories.all.size(), 2U) << "all or nothing";
  EXPECT_EQ(content_of(**engine->memory(MemoryId(2))).content, "three");
  EXPECT_TRUE(engine->consolidate_memories({.kind = "fact"}, in_short));
}

// What is summed up of a user is sealed as that was, and nothing is lost where it cannot be stored.
TEST_F(MemoryConsolidation, OfAUserIsTheUsers) {
  open_on_manual_clock();
  remember({.kind = "fact", .user = "ann", .content = "one", .significance = 0.1});
  remember({.kind = "fact", .user = "ann", .content = "two", .significance = 0.1});
  const auto refused = engine->consolidate_memories(
      {.kind = "fact", .user = "ann"},
      [](const auto&) -> Result<MemorySpec> { return MemorySpec{.kind = {}, .content = ""}; });
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_EQ(engine->state()->memories.all.size(), 2U);
  const auto stored = engine->consolidate_memories({.kind = "fact", .user = "ann"}, in_short);
  ASSERT_TRUE(stored) << describe(stored.error());
  EXPECT_EQ(engine->state()->memories.all.size(), 1U);
  EXPECT_FALSE((*engine->state()->memories.all.find(*stored))->is_readable());
  ASSERT_TRUE(engine->contexts().forget("ann"));
  EXPECT_EQ(engine->memory(*stored).error().code, ErrorCode::refused);
  const auto unreadable = engine->consolidate_memories(
      {.kind = "fact", .user = "ann", .significance_below = 1}, in_short);
  EXPECT_EQ(unreadable.error().code, ErrorCode::not_found) << "it cannot be opened";
}

TEST_F(MemoryConsolidation, OfSeveralThatAreNearTheNearestIsRepeated) {
  open_on_manual_clock();
  remember({.kind = "fact", .content = "Sun", .embedding = {1, 0}});
  remember({.kind = "fact", .content = "Sleet", .embedding = {0, 1}});
  remember({.kind = "fact", .content = "Sunny", .embedding = {1, 0.2F}});
  remember({.kind = "fact", .content = "Snow", .embedding = {0.2F, 1}});
  EXPECT_EQ(duplicates({.similarity_min = 0.1}), (Repeats{{3, 1}, {4, 2}}));
}

TEST_F(MemoryConsolidation, WhatHasExpiredIsNeitherRepeatedNorSummedUp) {
  open_on_manual_clock();
  remember({.kind = "fact", .content = "one", .significance = 0.1, .time_to_live = 1h});
  remember({.kind = "fact", .content = "one", .significance = 0.1});
  const Time later = engine->state()->time + 2h;
  EXPECT_EQ(duplicates({}), (Repeats{{2, 1}}));
  EXPECT_EQ(duplicates({.now = later}), Repeats());
  const auto found = find_consolidated(*engine->state(), {.kind = "fact", .now = later});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().id, MemoryId(2));
}

TEST_F(MemoryConsolidation, ASummarySaysFromWhenToWhenAndOfWhatIsLessSignificantThanAsked) {
  open_on_manual_clock();
  remember({.kind = "fact", .content = "one", .significance = 0.25});
  const Time first = engine->state()->time;
  advance(1h);
  remember({.kind = "fact", .content = "two", .significance = 0.25});
  remember({.kind = "fact", .content = "three", .significance = 0.5});
  const Consolidation asked{.kind = "fact", .significance_below = 0.5};
  const auto found = find_consolidated(*engine->state(), asked);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U) << "what is as significant stays";
  const auto made = consolidate(asked, *found, {.kind = "note", .content = "both"});
  ASSERT_TRUE(made);
  const MemorySpec& summary = made->store.front();
  EXPECT_EQ(summary.kind, "fact");
  const auto micros = [](Time time) { return std::int64_t{time.time_since_epoch().count()}; };
  EXPECT_EQ(summary.metadata.at("first_stored_us"), MetadataValue(micros(first)));
  EXPECT_EQ(summary.metadata.at("last_stored_us"), MetadataValue(micros(first + 1h)));
  EXPECT_EQ(made->reason, "a summary stands for it");
}

TEST_F(MemoryConsolidation, NoMoreAreSummedUpThanOneAppendHolds) {
  open_on_manual_clock();
  MemoryTransaction many;
  for (std::size_t i = 0; i < limits::transaction_memories_max; ++i) {
    many.store.push_back({.kind = "fact", .content = std::to_string(i), .significance = 0.1});
  }
  ASSERT_TRUE(engine->change_memories(many));
  const auto stored = engine->consolidate_memories({.kind = "fact"}, in_short);
  ASSERT_TRUE(stored) << describe(stored.error());
  EXPECT_EQ(content_of(**engine->memory(*stored)).content, "999 entries");
  EXPECT_EQ(engine->state()->memories.all.size(), 2U);
}

}  // namespace
}  // namespace almanac::test
