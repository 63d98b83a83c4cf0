// What the state knows of what programs remember.
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <array>

namespace almanac::test {
namespace {

const Memory* find(const State& state, std::uint64_t id) {
  const MemoryVersion* version = state.memories.all.find(MemoryId(id));
  return version == nullptr ? nullptr : &**version;
}

TEST(Memories, AreWhatWasStoredWithWhatWasChanged) {
  Story story;
  tell_memories(story);
  const State& state = story.state();
  EXPECT_EQ(state.ignored, 0U);
  ASSERT_EQ(state.memories.all.size(), 3U);
  const Memory* rain = find(state, 1);
  EXPECT_EQ(content_of(*rain).content, "It rained");
  EXPECT_EQ(content_of(*rain).summary, "rain") << "it was not among what has changed";
  EXPECT_EQ(content_of(*rain).metadata, "{\"turn\":3}");
  EXPECT_EQ(embedding_of(*rain)[0], 1);
  EXPECT_EQ(rain->tags.size(), 1U);
  EXPECT_EQ(rain->significance, 850'000U);
  EXPECT_EQ(rain->task, TaskId(3));
  EXPECT_EQ(rain->stored, Position(1));
  EXPECT_EQ(rain->changed, Position(5));
  EXPECT_EQ(state.names.text(*rain->user), "ann");
  EXPECT_FALSE(find(state, 4)->user);
  EXPECT_EQ(find(state, 3), nullptr);
  EXPECT_EQ(state.memories.last, MemoryId(4)) << "a number is given once";
  EXPECT_EQ(state.memories.next_expiry(), find(state, 2)->expires_at);
  EXPECT_TRUE(broken_invariants(state).empty()) << broken_invariants(state).front();
}

TEST(Memories, AnOldStateKeepsItsVersions) {
  Story story;
  tell_memories(story);
  const State before = story.state();
  const char* text = content_of(*find(before, 1)).summary.data();
  static constexpr std::array<std::string_view, 1> changed = {"content"};
  story.tell(MemoryUpdated{.id = MemoryId(1),
                           .changed = NameListView(changed),
                           .said = {"It pours", {}, {}, {}},
                           .tags = {},
                           .expires_at = {}});
  EXPECT_EQ(content_of(*find(before, 1)).content, "It rained");
  EXPECT_EQ(content_of(*find(story.state(), 1)).content, "It pours");
  EXPECT_EQ(content_of(*find(story.state(), 1)).summary.data(), text) << "it was copied";
}

TEST(Memories, WhatContradictsThemChangesNothing) {
  Story story;
  tell_memories(story);
  static constexpr std::array<float, 3> longer = {1, 2, 3};
  static constexpr std::array<std::string_view, 1> embedding = {"embedding"};
  static constexpr std::array<std::string_view, 1> mood = {"mood"};
  const Bytes bytes = std::as_bytes(std::span(longer));
  const auto stored = [&](std::uint64_t id, std::string_view kind, Bytes of) {
    return MemoryStored{.id = MemoryId(id), .kind = kind, .said = {"x", {}, of, {}}, .tags = {}};
  };
  const auto updated = [&](std::uint64_t id, std::span<const std::string_view> fields, Bytes of) {
    return MemoryUpdated{.id = MemoryId(id),
                         .changed = NameListView(fields),
                         .said = {{}, {}, of, {}},
                         .tags = {},
                         .expires_at = {}};
  };
  const Memories before = story.state().memories;
  EXPECT_FALSE(story.tell(stored(4, "note", {}))) << "the number was given";
  EXPECT_FALSE(story.tell(stored(6, "note", {}))) << "the one before was not";
  EXPECT_FALSE(story.tell(stored(5, "dialogue", bytes))) << "of another size than its kind";
  EXPECT_FALSE(story.tell(stored(5, "odd", bytes.first(5)))) << "no whole numbers";
  EXPECT_FALSE(story.tell(updated(1, embedding, bytes)));
  EXPECT_FALSE(story.tell(updated(1, mood, {})));
  EXPECT_FALSE(story.tell(updated(3, embedding, {})));
  EXPECT_FALSE(story.tell(MemoryForgotten{MemoryId(3)}));
  EXPECT_TRUE(before.all == story.state().memories.all);
  EXPECT_TRUE(broken_invariants(story.state()).empty());
}

TEST(Memories, AKindWithoutEmbeddingsTakesAnySize) {
  Story story;
  static constexpr std::array<float, 3> longer = {1, 2, 3};
  const Bytes bytes = std::as_bytes(std::span(longer));
  tell_memories(story);
  story.tell(MemoryForgotten{MemoryId(1)});
  story.tell(MemoryForgotten{MemoryId(2)});
  EXPECT_TRUE(story.tell(MemoryStored{
      .id = MemoryId(5), .kind = "dialogue", .said = {"x", {}, bytes, {}}, .tags = {}}));
  EXPECT_TRUE(broken_invariants(story.state()).empty());
}

TEST(Memories, AreInTheDigestWhereThereAreAny) {
  Story story;
  tell_memories(story);
  State other = story.state();
  other.memories = {};
  EXPECT_NE(digest(story.state()), digest(other));
  other = story.state();
  Memory memory = *find(other, 2);
  memory.embedding = SharedText("12345678");
  other.memories.all.set(MemoryId(2), MemoryVersion(memory));
  EXPECT_NE(digest(story.state()), digest(other));
}

TEST(Memories, AnOrderThatIsNotTheirsIsFound) {
  Story story;
  tell_memories(story);
  State state = story.state();
  state.memories.expiring.erase(*state.memories.expiring.first());
  EXPECT_FALSE(broken_invariants(state).empty());
  state = story.state();
  state.memories.kinds.edit(*state.names.find("dialogue"))->entries = 7;
  EXPECT_FALSE(broken_invariants(state).empty());
}

}  // namespace
}  // namespace almanac::test
