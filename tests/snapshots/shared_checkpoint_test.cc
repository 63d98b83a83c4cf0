// Checkpoints that share their blocks: the same states, and of each only what is new is written.
#include <almanac/log/error.h>
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/snapshots/checkpoint_envelope.h>
#include <almanac/snapshots/shared_checkpoint.h>
#include <almanac/tests/support/checkpoint_file.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace almanac::test::sharing {
namespace {

namespace fs = std::filesystem;
using Positions = std::vector<Position>;

constexpr std::uint64_t first_tasks = 20'000;

// Every projection has something, and the large tables have many blocks: two lanes, a key for every
// second task, a tag for every third.
void enqueue(Story& story, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t id = from; id <= to; ++id) {
    NewTask task{.id = id, .queue = id % 2 == 0 ? "even" : "odd"};
    if (id % 2 == 0) task.key = "order/" + std::to_string(id * 7'919);
    if (id % 3 == 0) task.tags = {"third"};
    story.enqueue(task);
  }
}
const Story& long_story() {
  static const Story* story = [] {
    auto* told = new Story(full_story(100));
    enqueue(*told, 1'001, first_tasks);
    return told;
  }();
  return *story;
}
// The same, a little later.
const Story& longer_story() {
  static const Story* story = [] {
    auto* told = new Story(long_story());
    enqueue(*told, first_tasks + 1, first_tasks + 300);
    for (std::uint64_t id = 5'000; id < 5'200; ++id) {
      if (told->start(id)) told->succeed(id);
    }
    return told;
  }();
  return *story;
}

class SharedCheckpoint : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path place() const { return folder_.path(); }
  [[nodiscard]] fs::path file(const State& state) const {
    return place() / std::to_string(state.position.value);
  }
  [[nodiscard]] fs::path blocks(const State& state) const {
    return blocks_file(place(), state.position);
  }
  std::uint64_t write(const State& state, const State* base = nullptr) {
    auto written =
        write_shared_checkpoint(file(state), header_of(state), state,
                                base == nullptr ? std::nullopt : std::optional(file(*base)));
    EXPECT_TRUE(written.has_value()) << describe(written.error());
    return written.value_or(0);
  }
  [[nodiscard]] std::vector<Position> needed_by(const State& state) const {
    std::vector<Position> positions;
    const auto files = rests_on(file(state));
    for (const BlocksFile& each : *files) {
      positions.push_back(each.position);
      EXPECT_EQ(each.bytes, fs::file_size(blocks_file(place(), each.position)));
    }
    std::ranges::sort(positions);
    return positions;
  }
  void expect_read(const State& state) {
    for (const Loading loading : {Loading::whole, Loading::as_asked}) {
      auto found = read_checkpoint(file(state), {}, loading);
      ASSERT_TRUE(found.has_value()) << describe(found.error());
      EXPECT_EQ(found->header.position, state.position);
      EXPECT_EQ(hex(found->state), hex(state));
      EXPECT_EQ(found->state.tasks.counts, state.tasks.counts);
      const auto broken = broken_invariants(found->state);
      EXPECT_TRUE(broken.empty()) << broken.front();
    }
  }
  // The error of both ways to read it, which has to be the same.
  [[nodiscard]] Error refused(const State& state) {
    auto whole = read_checkpoint(file(state), {}, Loading::whole);
    auto asked = read_checkpoint(file(state), {}, Loading::as_asked);
    EXPECT_FALSE(whole.has_value() || asked.has_value());
    if (whole || asked) return {};
    EXPECT_EQ(whole.error().code, asked.error().code);
    return asked.error();
  }

  const State& first = long_story().state();
  const State& second = longer_story().state();

 private:
  const TempFolder folder_;
};

TEST_F(SharedCheckpoint, IsTheStateThatWasWritten) {
  write(first);
  expect_read(first);
  EXPECT_EQ(needed_by(first), Positions({first.position}));
}

TEST_F(SharedCheckpoint, WritesWhatIsNewAlone) {
  const std::uint64_t all = write(first);
  EXPECT_EQ(all, fs::file_size(file(first)) + fs::file_size(blocks(first)));
  EXPECT_LT(write(second, &first), all / 5);
  expect_read(second);
  expect_read(first);
  EXPECT_EQ(needed_by(second), Positions({first.position, second.position}));
}

TEST_F(SharedCheckpoint, WritesNoBlocksWhereNothingIsNew) {
  write(first);
  const auto before = fs::last_write_time(blocks(first));
  State later = first;
  later.position = later.position.next();
  write(later, &first);
  EXPECT_FALSE(fs::exists(blocks(later)));
  EXPECT_EQ(needed_by(later), Positions({first.position}));
  EXPECT_EQ(fs::last_write_time(blocks(first)), before);
  expect_read(later);
}

// Tasks go from everywhere, and what follows them moves up: blocks behind them stay what they were.
TEST_F(SharedCheckpoint, SharesWhatStandsBehindTasksThatWent) {
  const std::uint64_t all = write(first);
  Story story = long_story();
  std::vector<std::uint64_t> gone;
  for (std::uint64_t id = 2'001; id <= 2'040; ++id) {
    if (story.start(id)) story.succeed(id);
    gone.push_back(id);
  }
  story.forget(gone);
  EXPECT_LT(write(story.state(), &first), all / 3);
  expect_read(story.state());
}

TEST_F(SharedCheckpoint, GoesOnAsIfItHadBeenThere) {
  write(first);
  State asked = read_checkpoint(file(first), {}, Loading::as_asked)->state;
  const auto& events = longer_story().events();
  for (std::size_t i = long_story().events().size(); i < events.size(); ++i) {
    fold_into(asked, events[i]);
  }
  EXPECT_EQ(hex(asked), hex(second));
}

TEST_F(SharedCheckpoint, NeedsNoFilesOnceItIsRead) {
  write(first);
  write(second, &first);
  const State asked = read_checkpoint(file(second), {}, Loading::as_asked)->state;
  for (const State* each : {&first, &second}) {
    fs::remove(file(*each));
    fs::remove(blocks(*each));
  }
  EXPECT_EQ(hex(asked), hex(second));
}

TEST_F(SharedCheckpoint, IsWrittenWholeWhereItIsSmall) {
  const State small = full_story(200).state();
  const std::uint64_t written = write(small);
  EXPECT_EQ(written, fs::file_size(file(small)));
  EXPECT_FALSE(fs::exists(blocks(small)));
  EXPECT_TRUE(rests_on(file(small))->empty());
  expect_read(small);
}

// So that blocks of tasks stay where they are, whatever goes in front of them.
TEST(BlocksOfTasks, EndWhereTheirNumbersLeaveAThousand) {
  const auto ends = [](std::uint64_t number, std::uint64_t next, std::size_t rows) {
    return block_ends(BlockEnd::number, std::array{number}, std::array{next}, rows);
  };
  EXPECT_TRUE(ends(1'023, 1'024, 300));
  EXPECT_TRUE(ends(1'000, 5'000, 300));
  EXPECT_FALSE(ends(1'022, 1'023, 1'000));
  EXPECT_FALSE(ends(1'023, 1'024, 10)) << "of few tasks that are left";
}

// What rests on those that are there would be lost.
TEST_F(SharedCheckpoint, ReplacesNoBlocks) {
  write(first);
  write(second, &first);
  const std::string before = read_file(blocks(first));
  write(first);
  EXPECT_EQ(read_file(blocks(first)), before);
  EXPECT_TRUE(rests_on(file(first))->empty());
  expect_read(first);
  expect_read(second);
}

TEST_F(SharedCheckpoint, WritesAgainWhatIsDamaged) {
  write(first);
  std::string bytes = read_file(blocks(first));
  bytes[bytes.size() / 2] ^= 1;
  write_file(blocks(first), bytes);
  EXPECT_EQ(refused(first).code, ErrorCode::corrupt);
  write(second, &first);
  expect_read(second);
}

TEST_F(SharedCheckpoint, IsWrittenWithoutABaseThatIsNoneOrGone) {
  const std::uint64_t all = write(second, &first);
  expect_read(second);
  write_file(file(first), "no checkpoint");
  fs::remove(file(second));
  fs::remove(blocks(second));
  EXPECT_EQ(write(second, &first), all);
  expect_read(second);
}

// Of a file of which little is used, that is written again.
TEST_F(SharedCheckpoint, LeavesFilesOfLittleUse) {
  write(first);
  Story story = long_story();
  std::vector<std::uint64_t> gone;
  for (std::uint64_t id = 1'001; id <= first_tasks - 2'000; ++id) {
    if (story.start(id)) story.succeed(id);
    gone.push_back(id);
  }
  story.forget(gone);
  enqueue(story, first_tasks + 1, first_tasks + 3'000);
  write(story.state(), &first);
  EXPECT_EQ(needed_by(story.state()), Positions({story.state().position}));
  fs::remove(blocks(first));
  expect_read(story.state());
}

TEST_F(SharedCheckpoint, IsRefusedWithAnyByteOfItsFileFlippedOrMissing) {
  write(first);
  const std::string whole = read_file(file(first));
  for (std::size_t at = 0; at < whole.size(); at += 1 + at / 200) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    write_file(file(first), bytes);
    ASSERT_FALSE(read_checkpoint(file(first)).has_value()) << "byte " << at;
    write_file(file(first), whole.substr(0, at));
    ASSERT_FALSE(read_checkpoint(file(first)).has_value()) << "length " << at;
  }
  write_file(file(first), whole + "x");
  EXPECT_EQ(refused(first).code, ErrorCode::corrupt);
}

TEST_F(SharedCheckpoint, IsRefusedWithAnyByteOfItsBlocksFlippedOrMissing) {
  write(first);
  const std::string whole = read_file(blocks(first));
  for (std::size_t at = 0; at < whole.size(); at += 1 + at / 100) {
    auto bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
    write_file(blocks(first), bytes);
    ASSERT_FALSE(read_checkpoint(file(first)).has_value()) << "byte " << at;
    write_file(blocks(first), whole.substr(0, at));
    ASSERT_FALSE(read_checkpoint(file(first)).has_value()) << "length " << at;
  }
  write_file(blocks(first), whole + "x");
  const Error error = refused(first);
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_NE(error.message.find(blocks(first).filename().string()), std::string::npos)
      << describe(error);
}

TEST_F(SharedCheckpoint, IsRefusedWithTheBlocksOfAnother) {
  write(first);
  write(second);
  fs::rename(blocks(first), place() / "aside");
  fs::rename(blocks(second), blocks(first));
  fs::rename(place() / "aside", blocks(second));
  EXPECT_EQ(refused(first).code, ErrorCode::corrupt);
  EXPECT_EQ(refused(second).code, ErrorCode::corrupt);
}

// Blocks that are missing are damage, unless who thins them out has taken the checkpoint as well.
TEST_F(SharedCheckpoint, IsRefusedWithoutItsBlocks) {
  write(first);
  fs::remove(blocks(first));
  const Error error = refused(first);
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_NE(error.message.find(blocks(first).string()), std::string::npos) << describe(error);
  fs::remove(file(first));
  EXPECT_EQ(refused(first).code, ErrorCode::not_found);
}

// Its checksum is right, and nobody has written it.
TEST_F(SharedCheckpoint, IsAnErrorOrSomeStateOfBytesThatNobodyWrote) {
  write(first);
  const std::string text = read_file(file(first));
  std::vector<std::byte> whole(text.size());
  std::memcpy(whole.data(), text.data(), text.size());
  const std::size_t contents = whole.size() - open_envelope(whole)->contents.size();
  std::mt19937_64 random(11);
  int made = 0;
  for (int round = 0; round < 300; ++round) {
    auto bytes = whole;
    for (int i = 0; i < 2; ++i) {
      bytes[contents + random() % (bytes.size() - contents)] ^= std::byte(1 + random() % 255);
    }
    seal_envelope(bytes);
    write_file(file(first), as_text(bytes));
    auto found = read_checkpoint(file(first), {}, Loading::as_asked);
    if (!found) continue;
    ++made;
    (void)digest(found->state);
    (void)found->state.tasks.keys.contains("order/1");
  }
  EXPECT_GT(made, 3);
}

TEST_F(SharedCheckpoint, KeepsTheBlocksThatAnotherRestsOn) {
  write(first);
  write(second, &first);
  remove_unneeded_blocks(place());
  expect_read(first);
  fs::remove(file(first));
  remove_unneeded_blocks(place());
  expect_read(second);
  fs::remove(file(second));
  remove_unneeded_blocks(place());
  EXPECT_TRUE(fs::is_empty(place()));
}

// One of a newer version cannot be asked what it rests on.
TEST_F(SharedCheckpoint, KeepsAllBlocksWhereOneCannotBeAsked) {
  write(first);
  std::string newer = read_file(file(first));
  newer[8] = 9;
  write_file(file(first), newer);
  EXPECT_EQ(refused(first).code, ErrorCode::newer_format);
  remove_unneeded_blocks(place());
  EXPECT_TRUE(fs::exists(blocks(first)));
  write_file(file(first), "no checkpoint");
  remove_unneeded_blocks(place());
  EXPECT_FALSE(fs::exists(blocks(first)));
}

TEST_F(SharedCheckpoint, LeavesNothingBehindWhereItCannotBeWritten) {
  fs::create_directory(file(first));
  EXPECT_FALSE(write_shared_checkpoint(file(first), header_of(first), first, {}).has_value());
  EXPECT_FALSE(fs::exists(blocks(first)));
}

}  // namespace
}  // namespace almanac::test::sharing
