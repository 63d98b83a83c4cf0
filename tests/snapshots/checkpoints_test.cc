// Checkpoints beside a real log, and the states that are reached from them.
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/story.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <stop_token>
#include <thread>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class Checkpoints : public ::testing::Test {
 protected:
  Checkpoints() {
    Story story;
    story.tell(EngineStarted{"0.1.0", 4711, 4, 42});
    for (std::uint64_t id = 1; id <= 60; ++id) story.enqueue({.id = id, .queue = "q"});
    for (std::uint64_t id = 1; id <= 30; ++id) {
      if (story.start(id)) story.succeed(id);
    }
    for (const RecordedEvent& recorded : story.events()) {
      EXPECT_TRUE(log.append({recorded.event}));
    }
    last = log->tail()->last;
  }

  [[nodiscard]] fs::path place() const { return folder / "log"; }
  [[nodiscard]] fs::path file(std::uint64_t position) const {
    return place() / "checkpoints" / std::to_string(position);
  }
  void keep(std::uint64_t position) {
    auto state = rebuild(*log, {.through = Position(position)});
    ASSERT_TRUE(state);
    auto kept = keep_checkpoint(*log, place(), *state);
    ASSERT_TRUE(kept) << describe(kept.error());
    EXPECT_EQ(*kept, fs::file_size(file(position)));
  }
  NewestCheckpoint newest() { return newest_checkpoint(*log, place(), last); }
  // Whether the state at every position is what folding from the first event gives.
  void expect_the_same_everywhere() {
    for (std::uint64_t position = 0; position <= last.value; ++position) {
      auto at = state_at(*log, place(), Position(position));
      ASSERT_TRUE(at) << describe(at.error());
      EXPECT_EQ(at->position, Position(position));
      EXPECT_EQ(hex(*at), hex(*rebuild(*log, {.through = Position(position)}))) << position;
    }
    EXPECT_EQ(hex(*state_at(*log, place())), hex(*rebuild(*log)));
  }

  TempFolder folder;
  TestLog log{folder / "log"};
  Position last;
};

TEST_F(Checkpoints, LeadToTheSameStatesAsTheFirstEvent) {
  expect_the_same_everywhere();
  for (std::uint64_t position : {1, 40, 41, 90}) keep(position);
  keep(last.value);
  EXPECT_EQ(checkpoints_of(place()),
            (std::vector{last, Position(90), Position(41), Position(40), Position(1)}));
  expect_the_same_everywhere();
}

TEST_F(Checkpoints, GiveTheNewestThatIsNotBehindWhatIsWanted) {
  keep(40);
  keep(90);
  EXPECT_EQ(newest_checkpoint(*log, place(), Position(39)).state, std::nullopt);
  EXPECT_EQ(newest_checkpoint(*log, place(), Position(40)).state->position, Position(40));
  EXPECT_EQ(newest_checkpoint(*log, place(), Position(89)).state->position, Position(40));
  EXPECT_EQ(newest().state->position, Position(90));
  EXPECT_TRUE(newest().refused.empty());
}

TEST_F(Checkpoints, GiveWayToAnOlderOneWhenDamagedAndSaySo) {
  keep(40);
  keep(90);
  auto bytes = read_file(file(90));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(file(90), bytes);
  auto found = newest();
  EXPECT_EQ(found.state->position, Position(40));
  ASSERT_EQ(found.refused.size(), 1U);
  EXPECT_EQ(found.refused.front().code, ErrorCode::corrupt);
  EXPECT_NE(found.refused.front().message.find("90"), std::string::npos);
  write_file(file(40), "");
  EXPECT_FALSE(newest().state);
  EXPECT_EQ(newest().refused.size(), 2U);
  expect_the_same_everywhere();
}

// As an engine does that thins them out while another process reads.
// Another process thins them meanwhile: who has just read the folder comes too late for some.
TEST_F(Checkpoints, RemovedWhileTheyAreLookedForAreNotMissed) {
  keep(40);
  keep(90);
  const fs::path aside = folder / "aside";
  std::jthread thinning([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      fs::rename(file(90), aside);
      fs::rename(aside, file(90));
    }
  });
  std::set<std::uint64_t> found;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (int tries = 0; tries < 1'000 || found.size() < 2; ++tries) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "it never was away, or never there";
    const auto newest = this->newest();
    ASSERT_TRUE(newest.state);
    ASSERT_EQ(newest.refused.size(), 0U) << describe(newest.refused.front());
    found.insert(newest.state->position.value);
  }
  EXPECT_EQ(found, (std::set<std::uint64_t>{40, 90}));
}

TEST_F(Checkpoints, OfOtherPlacesAndOtherLogsDoNotServe) {
  keep(40);
  fs::rename(file(40), file(41));
  EXPECT_EQ(newest().refused.at(0).message, file(41).string() + ": it is of another position");
  fs::rename(file(41), file(40));
  TestLog other(folder / "other");
  ASSERT_TRUE(other.append(numbered_events(1, 50)));
  fs::create_directory(folder / "other" / "checkpoints");
  fs::copy_file(file(40), folder / "other" / "checkpoints" / "40");
  auto found = newest_checkpoint(*other, folder / "other", Position(50));
  EXPECT_FALSE(found.state);
  EXPECT_EQ(found.refused.at(0).code, ErrorCode::refused);
  EXPECT_NE(found.refused.at(0).message.find("another log"), std::string::npos);
}

TEST_F(Checkpoints, OfAnotherPastDoNotServe) {
  auto state = rebuild(*log, {.through = Position(40)});
  auto chain = chain_at(*log, Position(39));
  ASSERT_TRUE(state && chain);
  fs::create_directory(place() / "checkpoints");
  ASSERT_TRUE(
      write_checkpoint(file(40), {log->timeline(), Position(40), *chain, digest(*state)}, *state));
  EXPECT_FALSE(newest().state);
  EXPECT_NE(newest().refused.at(0).message.find("another past"), std::string::npos);
}

TEST_F(Checkpoints, BehindTheEndAreNotWritten) {
  auto state = *rebuild(*log);
  state.position = state.position.next();
  EXPECT_EQ(keep_checkpoint(*log, place(), state).error().code, ErrorCode::not_found);
  EXPECT_TRUE(checkpoints_of(place()).empty());
}

TEST_F(Checkpoints, IgnoreWhatIsNotNamedByAPosition) {
  keep(40);
  for (const char* name : {"040", "40.writing", "x", "0", "99999999999999999999999"}) {
    write_file(place() / "checkpoints" / name, "x");
  }
  EXPECT_EQ(checkpoints_of(place()), std::vector{Position(40)});
}

}  // namespace
}  // namespace almanac::test
