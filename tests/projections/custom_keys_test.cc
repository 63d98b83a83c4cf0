// What the state knows of the keys of the embedding program's events.
#include <almanac/projections/custom_keys.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/limits.h>
#include <almanac/projections/state_diff.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace almanac::test {
namespace {

CustomEvent noted(std::string_view data) { return {"Noted", as_bytes(data)}; }

TEST(CustomKeys, RememberTheFirstEventThatHadOne) {
  Story story;
  ASSERT_TRUE(story.tell(noted("one"), "a"));
  const Position first = story.state().position;
  ASSERT_TRUE(story.tell(noted("two"), "b"));
  ASSERT_TRUE(story.tell(noted("three")));
  ASSERT_TRUE(story.tell(noted("four"), "a")) << "an old log may have one twice";
  const CustomKeys& keys = story.state().custom_keys;
  EXPECT_EQ(keys.uses.size(), 2U);
  ASSERT_NE(keys.find("a"), nullptr);
  EXPECT_EQ(*keys.find("a"), (CustomUse{first, content_hash_of(noted("one"))}));
  EXPECT_EQ(keys.find("c"), nullptr);
  EXPECT_EQ(story.state().ignored, 0U);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

TEST(CustomKeys, TellTypesDataAndTheirBorderApart) {
  const auto hash = [](std::string_view type, std::string_view data) {
    return content_hash_of({type, as_bytes(data)});
  };
  EXPECT_EQ(hash("ab", "c"), hash("ab", "c"));
  EXPECT_NE(hash("ab", "c"), hash("a", "bc"));
  EXPECT_NE(hash("ab", "c"), hash("ab", "d"));
}

TEST(CustomKeys, LeaveTheDigestAsArchivesFromBeforeThemHaveIt) {
  Story one;
  Story other;
  one.tell(noted("two"), "a");
  other.tell(noted("two"), "b");
  EXPECT_FALSE(one.state().custom_keys.uses == other.state().custom_keys.uses);
  EXPECT_EQ(hex(one.state()), hex(other.state()));
}

TEST(CustomKeys, OfWhichThereAreTooManyTheOldestGoes) {
  CustomKeys keys;
  std::string text;
  const auto use = [&](std::uint64_t position) {
    text = std::to_string(position);
    fold(keys, {.position = Position(position), .at = Time(), .idempotency_key = text}, noted("n"));
  };
  for (std::uint64_t i = 1; i <= limits::custom_keys_max; ++i) use(i);
  EXPECT_NE(keys.find("1"), nullptr);
  use(limits::custom_keys_max + 1);
  EXPECT_EQ(keys.uses.size(), limits::custom_keys_max);
  EXPECT_EQ(keys.find("1"), nullptr);
  EXPECT_NE(keys.find("2"), nullptr);
  EXPECT_EQ(broken_keys(keys, Position(limits::custom_keys_max + 1)), std::vector<std::string>());
}

TEST(CustomKeys, ThatContradictEachOtherAreSeen) {
  Story story;
  story.tell(noted("one"), "a");
  State broken = story.state();
  broken.custom_keys.by_position.clear();
  EXPECT_EQ(broken_invariants(broken).size(), 1U);
  broken = story.state();
  broken.custom_keys.uses.set(custom_key("a"), {Position(7), 0});
  EXPECT_EQ(broken_invariants(broken).size(), 1U);
  broken = story.state();
  EXPECT_EQ(broken_keys(broken.custom_keys, Position()).size(), 1U);
}

TEST(CustomKeys, ShowInWhatChangedBetweenTwoStates) {
  Story story;
  story.tell(noted("one"), "a");
  const State before = story.state();
  story.tell(noted("two"), "b");
  std::size_t added = 0;
  diff(before, story.state(), [&](const auto& key, const auto&... values) {
    using Key = std::remove_cvref_t<decltype(key)>;
    if constexpr (std::is_same_v<Key, Position> && sizeof...(values) == 2) ++added;
  });
  EXPECT_EQ(added, 1U);
}

}  // namespace
}  // namespace almanac::test
