// Events of the program around, in the log of an engine: durable, in order, once, and folded as
// they come.
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace almanac::test {
namespace {

EventSpec said(std::string data, std::string key = {}) {
  return {.type = "Noted", .data = std::move(data), .idempotency_key = std::move(key)};
}

class CustomEventsTest : public EngineTest {
 protected:
  struct Sum {
    std::uint64_t notes = 0;
    std::uint64_t others = 0;
  };
  const InlineProjection<Sum> sums{
      {.name = "sum", .fold = [](Sum& sum, const RecordedEvent& recorded) {
         const auto* custom = std::get_if<CustomEvent>(&recorded.event.body);
         ++(custom != nullptr && custom->type == "Noted" ? sum.notes : sum.others);
       }}};
  void open_with_sums() { open({.projections = {sums}}); }
};

TEST_F(CustomEventsTest, AreDurableInOrderWithTheEnginesOwnAndFoldedAsTheyCome) {
  open_with_sums();
  const auto first =
      engine->append({.type = "Noted", .data = "with", .stream = "a", .correlation = Position(1)});
  ASSERT_TRUE(first) << describe(first.error());
  const TaskId task = submit({.kind = "nobody"});
  const auto second = engine->append(said("behind"));
  ASSERT_TRUE(second);
  EXPECT_LT(first->position, this->task(task).enqueued);
  EXPECT_LT(this->task(task).enqueued, second->position);
  const auto seen = engine->published();
  EXPECT_GE(seen->state.position, second->position) << "answered once it is published";
  EXPECT_EQ((*sums.in(*seen))->notes, 2U);
  EXPECT_EQ((*sums.in(*seen))->others, seen->state.position.value - 2);
  ASSERT_TRUE(engine->log().read_one(first->position, [](const Event& event) {
    EXPECT_EQ(as_text(std::get<CustomEvent>(event.body).data), "with");
    EXPECT_EQ(event.stream, "a");
    EXPECT_EQ(event.correlation, Position(1));
  }));
}

TEST_F(CustomEventsTest, AreStoredOnceAlsoBehindACheckpointAndANewStart) {
  open({.checkpoints = {.events_at_stop = 1}});
  const auto first = engine->append(said("a", "key"));
  ASSERT_TRUE(first);
  for (int opened = 0; opened < 2; ++opened) {
    close();
    open({.checkpoints = {.events_at_stop = 1}});
    const auto again = engine->append(said("a", "key"));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, (AppendedEvent{first->position, true}));
    const auto other = engine->append(said("b", "key"));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::conflict);
  }
  EXPECT_EQ(engine->state()->custom_keys.uses.size(), 1U);
}

TEST_F(CustomEventsTest, OfManyThreadsWithOneKeyAreStoredOnce) {
  open_with_sums();
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 50;
  std::atomic<std::size_t> stored = 0;
  std::vector<std::jthread> appending;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    appending.emplace_back([&] {
      for (std::size_t i = 0; i < each; ++i) {
        const auto appended = engine->append(said("n", std::to_string(i)));
        ASSERT_TRUE(appended) << describe(appended.error());
        if (!appended->is_repeated) ++stored;
      }
    });
  }
  appending.clear();
  EXPECT_EQ(stored, each);
  EXPECT_EQ((*sums.in(*engine->published()))->notes, each);
}

TEST_F(CustomEventsTest, CanBeAppendedWithoutWaiting) {
  open_with_sums();
  std::promise<Result<std::vector<AppendedEvent>>> told;
  engine->append(std::vector<EventSpec>{said("a"), said("b")},
                 [&](Result<std::vector<AppendedEvent>> done) { told.set_value(std::move(done)); });
  const auto appended = told.get_future().get();
  ASSERT_TRUE(appended);
  EXPECT_EQ((*appended)[1].position, (*appended)[0].position.next());
}

TEST(EventsExample, PaysOnce) {
  TempFolder folder;
  for (int run = 0; run < 2; ++run) {
    ChildProcess program({program_path("example_events"), folder / "work"});
    EXPECT_EQ(program.read_line(), "paid once, 1550 cents");
    EXPECT_EQ(program.wait(), 0);
  }
}

}  // namespace
}  // namespace almanac::test
