// A log that is being made, read back and folded while it is written.
#include <almanac/snapshots/read_back.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <stop_token>
#include <vector>

namespace almanac::test {
namespace {

class ReadBackOfAnImport : public ::testing::Test {
 protected:
  ReadBackOfAnImport() {
    for (std::uint64_t id = 1; id <= 40; ++id) story.enqueue({.id = id});
    for (std::uint64_t id = 1; id <= 40; id += 2) story.start(id);
  }
  [[nodiscard]] Position end() const { return story.state().position; }
  [[nodiscard]] State state_at(Position position) const {
    State state;
    for (const RecordedEvent& event : story.events()) {
      if (event.position <= position) fold_into(state, event);
    }
    return state;
  }
  // All events, in frames of seven, each on disk before the next is added.
  void write(ReadBack& back) {
    const auto& events = story.events();
    for (std::size_t at = 0; at < events.size(); at += 7) {
      std::vector<Event> frame;
      for (std::size_t i = at; i < std::min(at + 7, events.size()); ++i) {
        frame.push_back(events[i].event);
      }
      ASSERT_TRUE(log->add(frame.front().at, frame));
      ASSERT_TRUE(log->commit());
      if (!back.go_on(log->committed())) return;
    }
  }

  TempFolder folder;
  Story story;
  std::unique_ptr<LogImport> log = std::move(*LogImport::begin(folder / "log", Timeline{}));
};

TEST_F(ReadBackOfAnImport, GivesTheStateOfWhatIsOnTheDisk) {
  for (const Position start : {Position(), Position(7), Position(10), end()}) {
    log = std::move(*LogImport::begin(folder / "other", Timeline{}));
    std::vector<Position> checked;
    ReadBack back(*log, {},
                  {.start = state_at(start),
                   .checked = Position(10),
                   .check = [&](const State& state) -> Result<void> {
                     EXPECT_EQ(digest(state), digest(state_at(Position(10))));
                     checked.push_back(state.position);
                     return {};
                   }});
    write(back);
    EXPECT_EQ(digest(back.finish().value()), digest(story.state()));
    EXPECT_EQ(checked.empty(), start >= Position(10)) << start.value;
    log.reset();
  }
}

TEST_F(ReadBackOfAnImport, EndsWithWhatTheCheckFinds) {
  ReadBack back(*log, {}, {.checked = Position(10), .check = [](const State&) -> Result<void> {
                             return fail(ErrorCode::corrupt, "not that state");
                           }});
  write(back);
  EXPECT_EQ(code_of(back.finish()), "corrupt");
  EXPECT_FALSE(back.go_on(log->committed()));
}

TEST_F(ReadBackOfAnImport, RefusesAFrameThatDoesNotGoOn) {
  const LogTail other{.last = {}, .digest = {std::byte{1}}, .time = {}};
  ReadBack back(*log, other, {});
  write(back);
  EXPECT_EQ(code_of(back.finish()), "corrupt");
}

TEST_F(ReadBackOfAnImport, Stops) {
  std::stop_source stop;
  stop.request_stop();
  ReadBack back(*log, {}, {.stop = stop.get_token()});
  write(back);
  EXPECT_EQ(code_of(back.finish()), "stopped");
}

}  // namespace
}  // namespace almanac::test
