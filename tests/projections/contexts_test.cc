// What the state keeps of users, sealed as it is.
#include <almanac/projections/context_content.h>
#include <almanac/projections/limits.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

constexpr std::string_view key = "key of user ann.";
constexpr std::string_view language = "mark of language";

const UserContext& ann_in(const State& state) { return **state.contexts.find("ann"); }

TEST(Contexts, KeepTheLastValueOfEachFieldAndAllTurns) {
  Story story;
  tell_contexts(story);
  const UserContext& ann = ann_in(story.state());
  EXPECT_EQ(ann.fields.size(), 1U);
  EXPECT_EQ(ann.fields.find(*sixteen_bytes(as_bytes(language)))->view(), "fr");
  EXPECT_EQ(ann.turns_added, 2U);
  EXPECT_EQ(ann.turns.find(1)->content.view(), "Hello");
  EXPECT_EQ(ann.version, Position(8));
  EXPECT_EQ(story.state().contexts.changes, 8U);
  EXPECT_EQ(story.state().contexts.changed, ann.version);
  EXPECT_EQ(story.state().ignored, 0U);
}

TEST(Contexts, OfAForgottenUserLeaveNothingButTheKeyThatIsNone) {
  Story story;
  tell_contexts(story);
  const Contexts& contexts = story.state().contexts;
  EXPECT_EQ(contexts.find("eve"), nullptr);
  EXPECT_TRUE(contexts.destroyed.contains(*sixteen_bytes(as_bytes("key of user eve."))));
  EXPECT_FALSE(story.tell(
      ContextChanged{"eve", as_bytes("key of user eve."), as_bytes(language), as_bytes("late")}));
  EXPECT_TRUE(story.tell(
      ConversationTurnAdded{"eve", as_bytes("another of eve's"), as_bytes("I am back")}));
  EXPECT_EQ((*contexts.find("eve"))->turns_added, 1U);
}

TEST(Contexts, WhatContradictsThemChangesNothing) {
  Story story;
  tell_contexts(story);
  const Contexts before = story.state().contexts;
  EXPECT_FALSE(story.tell(ConversationTurnAdded{"ann", as_bytes("another of ann's"), {}}));
  EXPECT_FALSE(story.tell(ConversationTurnAdded{"ann", as_bytes("short"), {}}));
  EXPECT_FALSE(story.tell(ConversationTurnAdded{"", as_bytes(key), as_bytes("who?")}));
  EXPECT_FALSE(story.tell(ContextChanged{"ann", as_bytes(key), as_bytes("short"), as_bytes("x")}));
  EXPECT_FALSE(story.tell(ContextChanged{"ann", as_bytes(key), as_bytes("mark of a field."), {}}));
  EXPECT_FALSE(story.tell(UserForgotten{"ann", as_bytes("short")}));
  EXPECT_TRUE(story.state().contexts.all == before.all);
  EXPECT_EQ(story.state().contexts.changes, before.changes);
}

// E1: what a reader has does not change, and a change copies no conversation.
TEST(Contexts, AreValuesOfWhichAChangeCopiesLittle) {
  Story story;
  for (int i = 0; i < 1'000; ++i) {
    story.tell(ConversationTurnAdded{"ann", as_bytes(key), as_bytes(std::to_string(i))});
  }
  const auto before = story.state().contexts.find("ann")->pointer();
  const UserContext copy = *before;
  story.tell(ConversationTurnAdded{"ann", as_bytes(key), as_bytes("one more")});
  story.tell(ContextChanged{"ann", as_bytes(key), as_bytes(language), as_bytes("en")});
  EXPECT_TRUE(*before == copy);
  EXPECT_EQ(before->turns.size(), 1'000U);
  const UserContext& after = ann_in(story.state());
  EXPECT_EQ(after.turns.size(), 1'001U);
  EXPECT_EQ(before->turns.find(1)->content.view().data(),
            after.turns.find(1)->content.view().data());
}

TEST(Contexts, KeepTheNewestTurnsOnly) {
  Story story;
  for (std::size_t i = 1; i <= limits::context_turns_kept_max + 5; ++i) {
    story.tell(ConversationTurnAdded{"ann", as_bytes(key), as_bytes(std::to_string(i))});
  }
  const UserContext& ann = ann_in(story.state());
  EXPECT_EQ(ann.turns.size(), limits::context_turns_kept_max);
  EXPECT_EQ(ann.turns.begin()->value.content.view(), "6");
  EXPECT_EQ(ann.turns_added, limits::context_turns_kept_max + 5);
}

TEST(Contexts, AreInTheDigestWhereThereAreAny) {
  Story story;
  tell_contexts(story);
  State other = story.state();
  other.contexts = {};
  EXPECT_NE(digest(story.state()), digest(other));
  other = story.state();
  other.contexts.destroyed.clear();
  EXPECT_NE(digest(story.state()), digest(other));
  other = story.state();
  UserContext ann = ann_in(other);
  ann.turns.set(1, {SharedText("Good bye"), ann.turns.find(1)->at});
  other.contexts.all.set(*other.contexts.users.find("ann"), SharedContext(ann));
  EXPECT_NE(digest(story.state()), digest(other));
}

EncryptionKey some_key(unsigned char first) {
  EncryptionKey made;
  made.bytes[0] = std::byte{first};
  return made;
}

TEST(ContextContent, ComesOutAsItWasSealedAndWithNoOtherKey) {
  const EncryptionKey mine = some_key(1);
  const EncryptionKey other = some_key(2);
  const ContextFieldName town{ContextFieldKind::preference, "town"};
  for (const ContextValue& value : {ContextValue(true), ContextValue(false), ContextValue(-0.5),
                                    ContextValue("Paris"), ContextValue("")}) {
    const std::string sealed = seal(town, value, mine);
    const auto open = open_field(sealed, mine);
    ASSERT_TRUE(open) << describe(open.error());
    EXPECT_EQ(open->name, town);
    EXPECT_EQ(open->value, value);
    EXPECT_EQ(open_field(sealed, other).error().code, ErrorCode::corrupt);
    EXPECT_EQ(open_turn(sealed, {}, mine).error().code, ErrorCode::corrupt) << "of another kind";
  }
  const ConversationTurn turn{TurnRole::assistant, "What can I do?", Time(Duration(7))};
  EXPECT_EQ(*open_turn(seal(turn, mine), turn.at, mine), turn);
  EXPECT_EQ(seal(turn, mine).find("What"), std::string::npos);
}

TEST(ContextContent, AFieldIsFoundByItsNameAndKeyTogether) {
  const EncryptionKey mine = some_key(1);
  const ContextFieldName town{ContextFieldKind::preference, "town"};
  EXPECT_EQ(mark_of(town, mine), mark_of(town, mine));
  EXPECT_NE(mark_of(town, mine), mark_of(town, some_key(2)));
  EXPECT_NE(mark_of(town, mine), mark_of({ContextFieldKind::declared, "town"}, mine));
  EXPECT_NE(mark_of(town, mine), mark_of({ContextFieldKind::preference, "tow"}, mine));
}

}  // namespace
}  // namespace almanac::test
