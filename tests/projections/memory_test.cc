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

TEST(SealedMemories, StayAsTheyAreAndCountAsTheirKind) {
  Story story;
  tell_sealed_memories(story);
  const State& state = story.state();
  EXPECT_EQ(state.ignored, 0U);
  ASSERT_EQ(state.memories.all.size(), 3U);
  EXPECT_EQ(find(state, 1)->sealed->bytes.view(), "sealed anew");
  EXPECT_FALSE(find(state, 1)->is_readable());
  EXPECT_EQ(state.memories.kinds.find(*state.names.find("fact"))->entries, 3U);
  EXPECT_EQ(as_text(*state.memories.user_keys.find(*state.names.find("ann"))), "key of user ann.");
  EXPECT_EQ(state.memories.user_keys.find(*state.names.find("eve")), nullptr) << "forgotten";
  EXPECT_TRUE(state.contexts.destroyed.contains(find(state, 3)->sealed->key));
  EXPECT_TRUE(broken_invariants(state).empty()) << broken_invariants(state).front();
}

TEST(SealedMemories, TheKeyOfAUserIsKnownAlsoWhereNoEntryIsLeft) {
  Story story;
  tell_sealed_memories(story);
  ASSERT_TRUE(story.tell(MemoryForgotten{MemoryId(1)}) && story.tell(MemoryForgotten{MemoryId(2)}));
  EXPECT_EQ(story.state().memories.user_keys.size(), 1U);
  ASSERT_TRUE(story.tell(UserForgotten{"ann", as_bytes("key of user ann.")}));
  EXPECT_TRUE(story.state().memories.user_keys.empty());
}

TEST(SealedMemories, WhatContradictsThemChangesNothing) {
  Story story;
  tell_sealed_memories(story);
  static constexpr std::array<std::string_view, 1> sealed = {"sealed"};
  static constexpr std::array<std::string_view, 1> summary = {"summary"};
  static constexpr std::array<std::string_view, 1> tags = {"weather"};
  const auto content = [](std::string_view key, std::uint32_t dimension = 0) {
    return SealedMemory{as_bytes(key), as_bytes("sealed"), dimension};
  };
  MemoryStored stored{.id = MemoryId(4),
                      .kind = "fact",
                      .user = "ann",
                      .said = {},
                      .tags = {},
                      .expires_at = {},
                      .task = {},
                      .sealed = content("key of user ann.")};
  const auto with = [&](const auto& change) {
    MemoryStored other = stored;
    change(other);
    return other;
  };
  MemoryUpdated updated{.id = MemoryId(1),
                        .changed = NameListView(sealed),
                        .said = {},
                        .tags = {},
                        .expires_at = {},
                        .sealed = content("key of user bob.")};
  const Memories before = story.state().memories;
  EXPECT_FALSE(story.tell(with([&](auto& of) { of.sealed = content("key of user bob."); })));
  EXPECT_FALSE(story.tell(with([&](auto& of) { of.sealed = content("a short key"); })));
  EXPECT_FALSE(story.tell(with([&](auto& of) { of.sealed = content("key of user ann.", 3); })));
  EXPECT_FALSE(story.tell(with([&](auto& of) { of.user = {}; }))) << "it is nobody's";
  EXPECT_FALSE(story.tell(with([&](auto& of) { of.said.content = "in the clear"; })));
  EXPECT_FALSE(story.tell(with([&](auto& of) { of.tags = NameListView(tags); })));
  EXPECT_FALSE(story.tell(updated)) << "of another key";
  updated.changed = NameListView(summary);
  EXPECT_FALSE(story.tell(updated)) << "in the clear";
  EXPECT_FALSE(story.tell(UserForgotten{"bob", as_bytes("short")}));
  EXPECT_TRUE(before.all == story.state().memories.all);
  EXPECT_TRUE(before.user_keys == story.state().memories.user_keys);
  EXPECT_TRUE(broken_invariants(story.state()).empty());
  EXPECT_TRUE(story.tell(stored));
}

TEST(SealedMemories, AreInTheDigest) {
  Story story;
  tell_sealed_memories(story);
  const Digest whole = digest(story.state());
  State other = story.state();
  other.memories.user_keys = {};
  EXPECT_NE(digest(other), whole);
  const auto change = [&](const auto& how) {
    other = story.state();
    Memory memory = *find(other, 1);
    how(*memory.sealed);
    other.memories.all.set(MemoryId(1), MemoryVersion(memory));
    return digest(other);
  };
  EXPECT_NE(change([](auto& content) { content.bytes = SharedText("x"); }), whole);
  EXPECT_NE(change([](auto& content) { content.key = {}; }), whole);
  EXPECT_NE(change([](auto& content) { content.dimension = 3; }), whole);
  EXPECT_EQ(change([](auto&) {}), whole);
}

}  // namespace
}  // namespace almanac::test
