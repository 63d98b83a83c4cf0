// What a program says has happened becomes events, each key once.
#include <almanac/engine/custom_events.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/code_of.h>

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

EventSpec note(std::string data, std::string key = {}) {
  return {.type = "Noted", .data = std::move(data), .idempotency_key = std::move(key)};
}

// Decides and folds; what the events point at lives as long.
class Notebook {
 public:
  State state;
  std::vector<Event> last;

  Result<std::vector<AppendedEvent>> append(std::vector<EventSpec> events) {
    const auto& command = commands_.emplace_back(std::move(events));
    auto decision = decide_one(state, command, {.now = now_, .memory = memory_});
    if (!decision) return std::unexpected(decision.error());
    last = std::move(decision->events);
    for (const Event& event : last) fold_into(state, {state.position.next(), event});
    return std::get<std::vector<AppendedEvent>>(decision->answer);
  }

 private:
  const Time now_{std::chrono::seconds(1'000'000)};
  Arena memory_;
  std::deque<AppendEvents> commands_;
};

TEST(DecideCustomEvents, AnswersWhereEachStandsAndStoresAKeyOnce) {
  Notebook book;
  const auto first = book.append({note("a", "1"), note("b")});
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, (std::vector<AppendedEvent>{{Position(1), false}, {Position(2), false}}));
  ASSERT_EQ(book.last.size(), 2U);
  EXPECT_EQ(book.last[0].idempotency_key, "1");
  const auto second = book.append({note("c"), note("a", "1"), note("d", "2")});
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, (std::vector<AppendedEvent>{
                         {Position(3), false}, {Position(1), true}, {Position(4), false}}));
  EXPECT_EQ(book.state.position, Position(4));
  EXPECT_EQ(book.state.ignored, 0U);
}

TEST(DecideCustomEvents, PutsOnRecordWhatEachIsAboutAndCameFrom) {
  Notebook book;
  ASSERT_TRUE(book.append({note("a")}));
  ASSERT_TRUE(book.append({{.type = "Noted",
                            .data = "b",
                            .stream = "notes",
                            .correlation = Position(1),
                            .causation = Position(1)}}));
  ASSERT_EQ(book.last.size(), 1U);
  EXPECT_EQ(book.last[0].stream, "notes");
  EXPECT_EQ(book.last[0].correlation, Position(1));
  EXPECT_EQ(book.last[0].causation, Position(1));
  EXPECT_EQ(as_text(std::get<CustomEvent>(book.last[0].body).data), "b");
}

TEST(DecideCustomEvents, RefusesAllOfWhatContradictsItself) {
  Notebook book;
  ASSERT_TRUE(book.append({note("a", "1")}));
  const auto refused = [&](std::vector<EventSpec> events) {
    const auto appended = book.append(std::move(events));
    EXPECT_TRUE(appended || !appended.error().next_step.empty());
    return code_of(appended);
  };
  EXPECT_EQ(refused({note("b"), note("other", "1")}), "conflict");
  EXPECT_EQ(refused({{.type = "Other", .data = "a", .idempotency_key = "1"}}), "conflict");
  EXPECT_EQ(refused({note("b", "2"), note("b", "2")}), "invalid");
  EXPECT_EQ(refused({{.data = "no type"}}), "invalid");
  EXPECT_EQ(refused({{.type = "Noted", .causation = Position(2)}}), "invalid");
  EXPECT_EQ(refused({}), "invalid");
  EXPECT_EQ(refused(std::vector<EventSpec>(limits::appended_events_max + 1, note("many"))),
            "invalid");
  EXPECT_EQ(book.state.position, Position(1)) << "nothing of what was refused is there";
}

}  // namespace
}  // namespace almanac::test
