// What may go of checkpoints, and of the log below them.
#include <almanac/snapshots/retention.h>
#include <almanac/tests/support/desk.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace almanac::test {
namespace {

constexpr std::uint64_t no_limit = UINT64_MAX;

std::vector<CheckpointFile> files_at(std::initializer_list<std::uint64_t> positions) {
  std::vector<CheckpointFile> files;
  for (const auto position : positions) files.push_back({Position(position), 10});
  return files;
}

std::vector<std::uint64_t> numbers(const std::vector<Position>& positions) {
  std::vector<std::uint64_t> values;
  for (const Position position : positions) values.push_back(position.value);
  return values;
}

using Numbers = std::vector<std::uint64_t>;

TEST(TooMany, AreNoneWithinTheBudget) {
  EXPECT_TRUE(too_many({}, {}).empty());
  EXPECT_TRUE(too_many(files_at({40, 30, 20, 10}), {.count_max = 4, .bytes_max = 40}).empty());
}

TEST(TooMany, AreNeverTheNewestTwo) {
  EXPECT_TRUE(too_many(files_at({20, 10}), {.count_max = 0, .bytes_max = 0}).empty());
  EXPECT_EQ(numbers(too_many(files_at({30, 20, 10}), {.count_max = 0, .bytes_max = 0})),
            (Numbers{10}));
}

TEST(TooMany, AreAsManyAsTheCountOrTheBytesAreOver) {
  const auto files = files_at({60, 50, 40, 30, 20, 10});
  EXPECT_EQ(too_many(files, {.count_max = 4, .bytes_max = no_limit}).size(), 2U);
  EXPECT_EQ(too_many(files, {.count_max = 100, .bytes_max = 30}).size(), 3U);
  EXPECT_EQ(too_many(files, {.count_max = 100, .bytes_max = 39}).size(), 3U);
}

// 30 and 20 rest on the same 1,000 bytes: only without both are those gone.
TEST(TooMany, CountWhatSeveralRestOnOnce) {
  auto files = files_at({60, 50, 40, 30, 20, 10});
  files[3].rests_on.push_back({Position(20), 1'000});
  files[3].rests_on.push_back({Position(5), 7});
  files[4].rests_on.push_back({Position(20), 1'000});
  EXPECT_TRUE(too_many(files, {.count_max = 100, .bytes_max = 1'067}).empty());
  EXPECT_FALSE(too_many(files, {.count_max = 100, .bytes_max = 1'066}).empty());
  const auto gone = too_many(files, {.count_max = 100, .bytes_max = 50});
  EXPECT_TRUE(std::ranges::count(gone, Position(30)) == 1 &&
              std::ranges::count(gone, Position(20)) == 1);
}

// Without 20 there is a gap of 20 at a distance of 80: less than any other leaves beside its age.
TEST(TooMany, AreThoseWhoseGapIsSmallestBesideTheirAge) {
  const auto files = files_at({100, 95, 90, 80, 40, 30, 20});
  EXPECT_EQ(numbers(too_many(files, {.count_max = 6, .bytes_max = no_limit})), (Numbers{30}));
  EXPECT_EQ(numbers(too_many(files_at({100, 95, 90, 20, 10}), {.count_max = 4})).front(), 10U);
}

TEST(TooMany, CountTheGapOfTheOldestFromWhereTheLogBegins) {
  const auto files = files_at({1'000, 990, 960, 900, 890});
  EXPECT_EQ(numbers(too_many(files, {.count_max = 4, .bytes_max = no_limit})), (Numbers{900}));
  EXPECT_EQ(numbers(too_many(files, {Position(880), 4, no_limit})), (Numbers{890}));
}

// Whatever was written at an even pace ends up twice as far apart at twice the distance, or so.
TEST(TooMany, LeaveTheRecentPastDense) {
  std::vector<CheckpointFile> kept;
  for (std::uint64_t position = 1'000; position <= 1'000'000; position += 1'000) {
    kept.insert(kept.begin(), {Position(position), 1});
    for (const Position gone : too_many(kept, {.count_max = 16, .bytes_max = no_limit})) {
      std::erase_if(kept, [&](const CheckpointFile& file) { return file.position == gone; });
    }
  }
  ASSERT_EQ(kept.size(), 16U);
  EXPECT_EQ(kept[1].position, Position(999'000));
  for (std::size_t i = 2; i < kept.size(); ++i) {
    const auto age = 1'000'000 - kept[i].position.value;
    const auto gap = kept[i - 1].position.value - kept[i].position.value;
    EXPECT_LE(gap, age) << "at " << kept[i].position.value;
    EXPECT_GE(gap * 8, age) << "at " << kept[i].position.value;
  }
  EXPECT_LT(kept.back().position.value, 666'667U);
}

TEST(FirstNeeded, IsTheOldestRequestOfATaskThatHasNotEnded) {
  Story story;
  EXPECT_EQ(first_needed(story.state()).position, Position());
  story.enqueue({.id = 5});
  story.enqueue({.id = 3});
  const auto second = story.state().position;
  EXPECT_EQ(first_needed(story.state()).position, Position(1));
  EXPECT_EQ(first_needed(story.state()).task, TaskId(5));
  story.start(5);
  EXPECT_EQ(first_needed(story.state()).position, Position(1));
  story.succeed(5);
  EXPECT_EQ(first_needed(story.state()).position, second);
  story.cancel(3);
  EXPECT_EQ(first_needed(story.state()).position, Position());
}

TEST(FirstNeeded, IsWhatADependencyHasComeToWhereThatIsOlder) {
  Desk desk;
  const TaskId input = desk.submit({.kind = "work"});
  desk.start();
  desk.finish(input, AttemptStatus::succeeded);
  const Position result = desk.state().position;
  const TaskId later = desk.submit(
      {.kind = "work", .run_at = desk.now + std::chrono::hours(1), .dependencies = {input}});
  EXPECT_EQ(first_needed(desk.state()).position, result);
  EXPECT_EQ(first_needed(desk.state()).task, later);
  desk.cancel(later);
  EXPECT_EQ(first_needed(desk.state()).position, Position());
}

}  // namespace
// It may be run again, and what it came to is there to read.
TEST(FirstNeeded, IsOfAFailedTaskToo) {
  Story story;
  story.enqueue({.id = 5});
  story.enqueue({.id = 6});
  story.start(5);
  story.fail(5);
  const Position end = story.state().position;
  story.cancel(6);
  EXPECT_EQ(first_needed(story.state()).position, Position(1));
  const auto positions = [&](Position last) {
    std::vector<Position> found;
    for (const NeededEvent& needed : needed_through(story.state(), last)) {
      EXPECT_EQ(needed.of, TaskId(5));
      found.push_back(needed.position);
    }
    return found;
  };
  EXPECT_EQ(positions(Position(1)), (std::vector{Position(1), end})) << "both or none";
  EXPECT_EQ(positions(end), (std::vector{Position(1), end}));
  story.tell(TaskRequestCarried{{.id = TaskId(5)}});
  EXPECT_EQ(positions(end), std::vector{end});
  story.tell(TaskResultCarried{.id = TaskId(5), .end = {}});
  EXPECT_EQ(positions(end), std::vector<Position>());
}

TEST(NeededThrough, IsWhatALineOfDependentsNeedsOnce) {
  Desk desk;
  const TaskId input = desk.submit({.kind = "work"});
  desk.start();
  desk.finish(input, AttemptStatus::succeeded);
  const Position result = desk.state().position;
  const TaskSpec later{
      .kind = "work", .run_at = desk.now + std::chrono::hours(1), .dependencies = {input}};
  desk.submit(later);
  const TaskId last = desk.submit(later);
  const auto needed = needed_through(desk.state(), desk.task(last).enqueued);
  ASSERT_EQ(needed.size(), 3U);
  EXPECT_EQ(needed.front().position, result);
  EXPECT_EQ(needed.front().of, input);
  EXPECT_EQ(needed.back().of, last);
}

}  // namespace almanac::test
