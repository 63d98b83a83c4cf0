// What programs ask an engine to remember, and requirements C7 and C8 of it.
#include <almanac/engine/limits.h>
#include <almanac/engine/memories.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/user_key.h>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

MemorySpec entry_of(std::string content, std::vector<float> embedding = {}) {
  return {.kind = "dialogue", .content = std::move(content), .embedding = std::move(embedding)};
}

const Memory* find(const State& state, std::uint64_t id) {
  const MemoryVersion* version = state.memories.all.find(MemoryId(id));
  return version == nullptr ? nullptr : &**version;
}

std::string_view field_of(const Error& error) {
  for (const auto& [name, value] : error.context()) {
    if (name == "field") return value;
  }
  return "";
}

TEST(MemoryDecisions, StoreUpdateAndForgetInOneAppend) {
  Desk desk;
  const UserKey key = desk.keys["ann"] = key_named("ann");
  ASSERT_TRUE(
      desk.ask(ChangeMemories{{.store = {entry_of("one"), entry_of("two"), entry_of("three")}}}));
  MemorySpec four{.kind = "note",
                  .user = "ann",
                  .content = "four",
                  .summary = "4",
                  .embedding = {1, 2},
                  .tags = {"a", "b"},
                  .metadata = {{"turn", std::int64_t{3}}, {"kind", "x"}, {"true", true}},
                  .significance = 0.25,
                  .time_to_live = 5s};
  const auto answer = desk.ask(ChangeMemories{
      {.store = {four},
       .update = {{.id = MemoryId(1), .content = "uno", .time_to_live = Duration(1s)}},
       .forget = {MemoryId(2), MemoryId(2)},
       .reason = "wrong"}});
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(std::get<std::vector<MemoryId>>(*answer), std::vector{MemoryId(4)});
  ASSERT_EQ(desk.last().size(), 3U);
  const auto open = open_memory(*find(desk.state(), 4), {"ann", MemoryId(4)}, *key.key);
  ASSERT_TRUE(open) << describe(open.error());
  const Memory* stored = &**open;
  EXPECT_EQ(tags_of(desk.state().names, *stored), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(content_of(*stored).metadata, R"({"kind":"x","true":true,"turn":3})");
  EXPECT_EQ(parse_metadata(content_of(*stored).metadata), four.metadata);
  EXPECT_EQ(stored->significance, 250'000U);
  EXPECT_EQ(stored->expires_at, desk.now + 5s);
  EXPECT_EQ(embedding_of(*stored)[1], 2);
  EXPECT_EQ(content_of(*find(desk.state(), 1)).content, "uno");
  EXPECT_EQ(find(desk.state(), 2), nullptr);
  EXPECT_EQ(std::get<MemoryForgotten>(desk.last().back().body).reason, "wrong");
  ASSERT_TRUE(desk.ask(ChangeMemories{{.update = {{.id = MemoryId(1)}}}}));
  EXPECT_TRUE(desk.last().empty()) << "nothing is to change";
  EXPECT_EQ(desk.state().ignored, 0U);
}

TEST(MemoryDecisions, WhatIsOfAUserIsSealedOrRefused) {
  Desk desk;
  MemorySpec of_ann = entry_of("one", {1, 0});
  of_ann.user = "ann";
  const auto code = [&](const MemoryTransaction& asked) {
    return std::string(name(error_of(desk.ask(ChangeMemories{asked})).code));
  };
  EXPECT_EQ(code({.store = {of_ann}}), "conflict") << "no key: nothing is written in the clear";
  const UserKey key = desk.keys["ann"] = key_named("ann");
  ASSERT_TRUE(desk.ask(ChangeMemories{{.store = {of_ann}}}));
  EXPECT_TRUE(find(desk.state(), 1)->content.view().empty());
  MemorySpec longer = of_ann;
  longer.embedding = {1, 0, 0};
  EXPECT_EQ(code({.store = {longer}}), "invalid") << "how long its embedding is is known";
  desk.keys["ann"] = key_named("another");
  EXPECT_EQ(code({.store = {of_ann}}), "conflict") << "with another key than the others";
  EXPECT_EQ(code({.update = {{.id = MemoryId(1), .summary = "x"}}}), "not_found");
  desk.keys["ann"] = key;
  ASSERT_TRUE(desk.ask(ForgetUser{"ann", {key.id}}));
  EXPECT_EQ(code({.store = {of_ann}}), "conflict") << "with one that was destroyed";
  EXPECT_EQ(code({.update = {{.id = MemoryId(1), .summary = "x"}}}), "refused");
  desk.keys["ann"] = key_named("ann, who came back");
  EXPECT_TRUE(desk.ask(ChangeMemories{{.store = {of_ann}}}));
  EXPECT_TRUE(desk.ask(ChangeMemories{{.forget = {MemoryId(1)}}})) << "what is left of it may go";
  EXPECT_EQ(desk.state().ignored, 0U);
}

// Updates of one entry in one transaction are one behind the other, and what none names stays.
TEST(MemoryDecisions, UpdatesOfWhatIsSealedAddUp) {
  Desk desk;
  const UserKey key = desk.keys["ann"] = key_named("ann");
  MemorySpec spec = entry_of("one", {1, 0});
  spec.user = "ann";
  spec.tags = {"a"};
  ASSERT_TRUE(desk.ask(ChangeMemories{{.store = {spec}}}));
  ASSERT_TRUE(desk.ask(
      ChangeMemories{{.update = {{.id = MemoryId(1), .content = "uno"},
                                 {.id = MemoryId(1), .summary = "1", .significance = 1},
                                 {.id = MemoryId(1), .metadata = Metadata{{"n", true}}}}}}));
  const auto open = open_memory(*find(desk.state(), 1), {"ann", MemoryId(1)}, *key.key);
  ASSERT_TRUE(open) << describe(open.error());
  const MemoryContent said = content_of(**open);
  EXPECT_EQ(said.content, "uno");
  EXPECT_EQ(said.summary, "1");
  EXPECT_EQ(said.metadata, "{\"n\":true}");
  EXPECT_EQ(embedding_of(**open).size(), 2U);
  EXPECT_EQ(tags_of(desk.state().names, **open), std::vector<std::string_view>{"a"});
  EXPECT_EQ((*open)->significance, significance_max);
  ASSERT_TRUE(desk.ask(ChangeMemories{{.update = {{.id = MemoryId(1), .significance = 0}}}}));
  ASSERT_EQ(desk.last().size(), 1U);
  EXPECT_TRUE(std::get<MemoryUpdated>(desk.last()[0].body).sealed.content.empty())
      << "it is not sealed anew";
}

TEST(RequirementC7, ATransactionIsAllOrNothing) {
  Desk desk;
  ASSERT_TRUE(desk.ask(ChangeMemories{{.store = {entry_of("one", {1, 0}), entry_of("two")}}}));
  const Digest before = digest(desk.state());
  MemorySpec longer = entry_of("five", {1, 0, 0});
  for (const MemoryTransaction& refused : std::vector<MemoryTransaction>{
           {.store = {entry_of("three"), longer}},
           {.store = {entry_of("three"), entry_of("")}},
           {.store = {entry_of("three")}, .update = {{.id = MemoryId(9), .content = "x"}}},
           {.update = {{.id = MemoryId(1), .content = "x"}}, .forget = {MemoryId(9)}},
           {.update = {{.id = MemoryId(1), .content = "x", .expected = Position(1)}}},
           {.update = {{.id = MemoryId(1), .embedding = std::vector<float>{1}}}}}) {
    EXPECT_FALSE(desk.ask(ChangeMemories{refused}));
    EXPECT_EQ(digest(desk.state()), before);
  }
  const Position changed = find(desk.state(), 1)->changed;
  EXPECT_TRUE(desk.ask(
      ChangeMemories{{.update = {{.id = MemoryId(1), .content = "x", .expected = changed}}}}));
}

TEST(RequirementC7, TheFirstOfAKindSaysHowLongItsEmbeddingsAre) {
  Desk desk;
  const auto error = error_of(
      desk.ask(ChangeMemories{{.store = {entry_of("one", {1, 0}), entry_of("two", {1, 0, 0})}}}));
  EXPECT_EQ(field_of(error), "embedding");
  EXPECT_NE(error.message.find("has 3 numbers, those of kind 'dialogue' have 2"), std::string::npos)
      << error.message;
}

// The rest of a row is an error with the field in it.
TEST(RequirementC8, EveryRuleNamesItsField) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  struct Row {
    std::string_view field;
    std::string_view said;
    std::function<void(MemorySpec&)> spoil;
  };
  const std::vector<Row> rows = {
      {"kind", "empty", [](MemorySpec& of) { of.kind = ""; }},
      {"kind", "blank", [](MemorySpec& of) { of.kind = "two words"; }},
      {"user", "over the limit", [](MemorySpec& of) { of.user = std::string(129, 'x'); }},
      {"content", "is empty", [](MemorySpec& of) { of.content = ""; }},
      {"content", "UTF-8", [](MemorySpec& of) { of.content = "\xff"; }},
      {"content", "over the limit",
       [](MemorySpec& of) { of.content.resize(limits::memory_content_bytes_max + 1, 'x'); }},
      {"summary", "over the limit",
       [](MemorySpec& of) { of.summary.resize(limits::memory_summary_bytes_max + 1, 'x'); }},
      {"embedding", "number 2 is NaN", [&](MemorySpec& of) { of.embedding = {1, nan}; }},
      {"embedding", "number 1 is infinite", [&](MemorySpec& of) { of.embedding = {-infinity}; }},
      {"embedding", "all of its numbers are 0", [](MemorySpec& of) { of.embedding = {0, 0}; }},
      {"embedding", "over the limit",
       [](MemorySpec& of) { of.embedding.resize(limits::embedding_dimension_max + 1, 1); }},
      {"tags", "blank", [](MemorySpec& of) { of.tags = {"a b"}; }},
      {"tags", "twice", [](MemorySpec& of) { of.tags = {"a", "a"}; }},
      {"tags", "over the limit", [](MemorySpec& of) { of.tags.resize(33, "a"); }},
      {"metadata", "blank", [](MemorySpec& of) { of.metadata[""] = true; }},
      {"metadata.score", "no number", [](MemorySpec& of) { of.metadata["score"] = std::nan(""); }},
      {"metadata.text", "over the limit",
       [](MemorySpec& of) {
         of.metadata["text"] = std::string(limits::metadata_text_bytes_max + 1, 'x');
       }},
      {"significance", "0 to 1", [](MemorySpec& of) { of.significance = 1.01; }},
      {"significance", "0 to 1", [](MemorySpec& of) { of.significance = std::nan(""); }},
      {"time_to_live", "negative", [](MemorySpec& of) { of.time_to_live = -1s; }}};
  for (const Row& row : rows) {
    MemorySpec one = entry_of("fine", {1, 2});
    ASSERT_TRUE(check_memories(std::span(&one, 1)));
    row.spoil(one);
    const auto checked = check_memories(std::vector{entry_of("fine"), one});
    ASSERT_FALSE(checked) << row.field << " " << row.said;
    const Error& error = checked.error();
    EXPECT_EQ(error.code, ErrorCode::invalid);
    EXPECT_EQ(field_of(error), row.field);
    EXPECT_NE(describe(error).find(row.said), std::string::npos) << describe(error);
    EXPECT_EQ(error.message.find("entry 2 is refused: "), 0U) << error.message;
    EXPECT_FALSE(error.next_step.empty()) << error.message;
  }
}

TEST(RequirementC8, MetadataIsTyped) {
  for (const std::string_view wrong : {"[1]", "7", "{", R"({"a":null})", R"({"a":[1]})",
                                       R"({"a":{}})", R"({"a":18446744073709551615})"}) {
    const auto parsed = parse_metadata(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(field_of(parsed.error()).substr(0, 8), "metadata") << wrong;
  }
  const Metadata all = {{"a", true}, {"b", std::int64_t{-1}}, {"c", 1.0}, {"d", "x"}};
  EXPECT_EQ(parse_metadata(to_json(all)), all);
}

TEST(RequirementC8, OneAppendIsBounded) {
  MemoryTransaction many;
  many.forget.resize(limits::transaction_memories_max + 1, MemoryId(1));
  EXPECT_FALSE(check_transaction(many));
  many = {};
  many.store.resize(9, entry_of(std::string(limits::memory_content_bytes_max, 'x')));
  EXPECT_FALSE(check_transaction(many));
  // What JSON makes longer counts as it is stored.
  MemorySpec wide = entry_of("x");
  for (int i = 0; i < 60; ++i) wide.metadata[std::to_string(i)] = std::string(4'000, '\1');
  EXPECT_FALSE(check_memories(std::vector<MemorySpec>(7, wide)));
}

TEST(MemoryDecisions, ExpireByAnEventAndAreNotFoundBefore) {
  Desk desk;
  MemorySpec brief = entry_of("brief");
  brief.time_to_live = 5s;
  ASSERT_TRUE(desk.ask(ChangeMemories{{.store = {brief, entry_of("lasting")}}}));
  Arena memory;
  EXPECT_TRUE(decide_expired_memories(desk.state(), {desk.now, memory}).empty());
  desk.now += 5s;
  EXPECT_TRUE(find(desk.state(), 1)->has_expired(desk.now));
  EXPECT_EQ(error_of(desk.ask(ChangeMemories{{.forget = {MemoryId(1)}}})).code,
            ErrorCode::not_found);
  const auto due = decide_expired_memories(desk.state(), {desk.now, memory});
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(std::get<MemoryForgotten>(due[0].body).cause, ForgetCause::expired);
}

struct EngineMemories : EngineTest {};

TEST_F(EngineMemories, AreThereWhenTheEngineIsOpenedAgainAndGoWithTime) {
  open_on_manual_clock();
  MemorySpec brief = entry_of("brief", {1, 2});
  brief.time_to_live = 1h;
  const auto id = engine->remember(entry_of("lasting", {2, 1}));
  ASSERT_TRUE(id) << describe(id.error());
  ASSERT_TRUE(engine->remember(brief));
  ASSERT_TRUE(engine->update_memory({.id = *id, .content = "changed"}));
  const Digest before = digest(*engine->state());
  const Memories known = engine->state()->memories;
  close();
  open_on_manual_clock();
  EXPECT_TRUE(engine->state()->memories.all == known.all);
  EXPECT_NE(digest(*engine->state()), before) << "an engine was started";
  EXPECT_EQ(content_of(*find(*engine->state(), 1)).content, "changed");
  advance(1h);
  EXPECT_TRUE(engine->wait([](const State& state) { return find(state, 2) == nullptr; }, 30s));
  ASSERT_TRUE(engine->forget_memories({*id}, "enough"));
  EXPECT_TRUE(engine->state()->memories.all.empty());
}

// What an attempt leaves is there with its end, or neither is.
TEST_F(EngineMemories, RequirementC7AreStoredWithTheEndOfTheTaskThatMadeThem) {
  open();
  engine->handle("learn", [](const Attempt&) {
    return Outcome::success("done").remembering({entry_of("one", {1, 0}), entry_of("two", {0, 1})});
  });
  engine->handle("err", [](const Attempt&) {
    return Outcome::success("done").remembering({entry_of("three", {1, 0}), entry_of("four", {1})});
  });
  const TaskId learned = submit({.kind = "learn"});
  wait_for(learned, TaskState::succeeded);
  const auto state = engine->state();
  ASSERT_EQ(state->memories.all.size(), 2U);
  EXPECT_EQ(find(*state, 2)->task, learned);
  EXPECT_EQ(find(*state, 1)->stored.value, task(learned).changed.value + 1);
  const TaskId erred = submit({.kind = "err"});
  wait_for(erred, TaskState::failed);
  EXPECT_EQ(engine->state()->memories.all.size(), 2U);
  const AttemptOutcome end = outcome(erred);
  EXPECT_NE(end.message.find("what it remembers cannot be stored: embedding is invalid"),
            std::string::npos)
      << end.message;
  EXPECT_TRUE(end.result.empty());
  // The state in front of the end has neither: they are of one frame.
  const auto first = find(*engine->state(), 1)->stored;
  ASSERT_TRUE(engine->log().read_one(first, [&](const Event& event) {
    EXPECT_TRUE(std::holds_alternative<MemoryStored>(event.body));
  }));
}

}  // namespace
}  // namespace almanac::test
