// Values of the program around, seen at the very position of the state.
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/whole_file.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/tally.h>
#include <almanac/tests/support/test_log.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace almanac::test {
namespace {

class InlineProjectionsTest : public EngineTest {
 protected:
  using Tallies = InlineProjection<Tally>;

  // Counts the events it folds.
  ProjectionSpec<Tally> counting() {
    auto spec = tally_spec();
    spec.fold = [this, fold = spec.fold](Tally& tally, const RecordedEvent& event) {
      ++folded;
      fold(tally, event);
    };
    return spec;
  }
  void open_with(std::vector<AnyInlineProjection> projections) {
    open({.projections = std::move(projections)});
    engine->handle("work", [](const Attempt&) { return Outcome::success(); });
  }
  void work(std::size_t tasks) {
    for (std::size_t i = 0; i < tasks; ++i) submit({.kind = "work"});
    wait_until_all_ended();
  }
  void expect_all_of_it(const Tallies& tallies) {
    auto seen = engine->published();
    auto tally = tallies.in(*seen);
    ASSERT_TRUE(tally) << describe(tally.error());
    EXPECT_EQ(**tally, tally_of(seen->state.position.value));
  }
  [[nodiscard]] std::filesystem::path kept() const {
    return log_folder() / "projections" / "tally" / "v1";
  }

  std::atomic<std::uint64_t> folded = 0;
};

TEST_F(InlineProjectionsTest, AreSeenAtThePositionOfTheState) {
  const Tallies tallies(tally_spec());
  const InlineProjection<std::uint64_t> successes(
      {.name = "successes", .fold = [](std::uint64_t& count, const RecordedEvent& recorded) {
         if (std::holds_alternative<TaskSucceeded>(recorded.event.body)) ++count;
       }});
  open_with({tallies, successes});
  std::atomic<bool> enough = false;
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&] {
      while (!enough) {
        auto seen = engine->published();
        EXPECT_EQ(**tallies.in(*seen), tally_of(seen->state.position.value));
        EXPECT_EQ(**successes.in(*seen), seen->state.tasks.count(TaskState::succeeded));
      }
    });
  }
  work(300);
  enough = true;
  readers.clear();
  EXPECT_EQ(**successes.in(*engine->published()), 300U);
  expect_all_of_it(tallies);
}

TEST_F(InlineProjectionsTest, GoOnFromTheirCheckpoint) {
  const Tallies tallies(counting());
  open_with({tallies});
  work(20);
  close();
  auto before = folded.exchange(0);
  ASSERT_EQ(positions_in(kept()), std::vector{Position(before)});
  open_with({tallies});
  EXPECT_EQ(folded, 1U) << "only what was new";
  expect_all_of_it(tallies);
  work(5);
  expect_all_of_it(tallies);
}

TEST_F(InlineProjectionsTest, FoldFromTheFirstEventWhatHasNoBytesOrNoWholeCheckpoint) {
  auto spec = counting();
  spec.name = "without_bytes";
  spec.encode = {};
  const Tallies without_bytes(spec);
  const Tallies damaged(counting());
  open_with({without_bytes, damaged});
  work(20);
  close();
  const auto file = kept() / std::to_string(folded.exchange(0) / 2);
  write_file(file, read_file(file).substr(1));
  open_with({without_bytes, damaged});
  EXPECT_EQ(folded, 2 * engine->state()->position.value);
  expect_all_of_it(without_bytes);
  expect_all_of_it(damaged);
  EXPECT_FALSE(std::filesystem::exists(log_folder() / "projections" / "without_bytes"));
}

TEST_F(InlineProjectionsTest, AreKeptAtTheStartWhenMuchCameBehindTheirCheckpoint) {
  constexpr std::size_t events = 250'000;
  {
    TestLog log(log_folder());
    for (std::size_t done = 0; done < events; done += 50'000) {
      ASSERT_TRUE(log.append(numbered_events(done + 1, 50'000)));
    }
  }
  const Tallies tallies(tally_spec());
  open_with({tallies});
  EXPECT_EQ(positions_in(kept()), std::vector{Position(events)});
  expect_all_of_it(tallies);
}

TEST_F(InlineProjectionsTest, ThatThrowEndAndLeaveTheRestAlone) {
  auto spec = tally_spec();
  spec.name = "throws";
  spec.fold = [fold = spec.fold](Tally& tally, const RecordedEvent& event) {
    if (event.position == Position(10)) throw std::runtime_error("no answer");
    fold(tally, event);
  };
  const Tallies throws(spec);
  const Tallies tallies(tally_spec());
  open_with({throws, tallies});
  expect_all_of_it(throws);
  work(20);
  expect_all_of_it(tallies);
  for (int opened = 0; opened < 2; ++opened) {
    auto failed = throws.in(*engine->published());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::corrupt);
    EXPECT_EQ(failed.error().message, "the projection's fold threw at position 10: no answer");
    open_with({throws, tallies});
  }
  EXPECT_TRUE(positions_in(log_folder() / "projections" / "throws" / "v1").empty());
  spec = tally_spec();
  spec.name = "throws";
  spec.version = 2;
  const Tallies corrected(spec);
  open_with({corrected});
  expect_all_of_it(corrected);
}

TEST_F(InlineProjectionsTest, AreKnownToTheEnginesTheyWereGivenTo) {
  const Tallies tallies(tally_spec());
  open();
  auto unknown = tallies.in(*engine->published());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::invalid);
}

TEST_F(InlineProjectionsTest, AreRefusedWithoutAFoldOrANameOfTheirOwn) {
  const Tallies tallies(tally_spec());
  auto nameless = tally_spec();
  nameless.name = "";
  auto without_fold = tally_spec();
  without_fold.fold = {};
  const std::vector<std::vector<AnyInlineProjection>> refused = {
      {tallies, Tallies(counting())}, {Tallies(nameless)}, {Tallies(without_fold)}};
  for (const auto& projections : refused) {
    auto opened = Engine::open({.folder = log_folder(), .projections = projections});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::invalid);
    EXPECT_FALSE(opened.error().next_step.empty());
  }
}

TEST(InlineProjectionExample, AddsUpWhatItSays) {
  TempFolder folder;
  for (const char* line : {"3 attempts, 1 of them failed", "6 attempts, 2 of them failed"}) {
    ChildProcess program({program_path("example_inline_projection"), folder / "work"});
    EXPECT_EQ(program.read_line(), line);
    EXPECT_EQ(program.wait(), 0);
  }
}

}  // namespace
}  // namespace almanac::test
