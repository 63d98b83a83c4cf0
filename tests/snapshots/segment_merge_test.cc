// Small segments become few large ones with the same frames.
#include <almanac/snapshots/archive.h>
#include <almanac/snapshots/archive_verify.h>
#include <almanac/snapshots/limits.h>
#include <almanac/snapshots/segment_merge.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

SegmentRecord segment_of(std::uint64_t frame_bytes) {
  return {.header = {.frame_bytes = frame_bytes}, .file = {}};
}

std::size_t count_for(const std::vector<std::uint64_t>& sizes) {
  std::vector<SegmentRecord> segments;
  for (std::uint64_t size : sizes) segments.push_back(segment_of(size));
  return count_to_merge(segments);
}

TEST(SegmentMerge, TakesWhatIsNotLargerThanAllBehindIt) {
  constexpr std::uint64_t large = limits::segment_bytes_target;
  EXPECT_EQ(count_for({}), 0U);
  EXPECT_EQ(count_for({1, 1, 1, 1, 1, 1, 1}), 0U);
  EXPECT_EQ(count_for({1, 1, 1, 1, 1, 1, 1, 1}), 8U);
  EXPECT_EQ(count_for({16, 8, 1, 1, 1, 1, 1, 1, 1, 1}), 10U);
  EXPECT_EQ(count_for({17, 9, 1, 1, 1, 1, 1, 1, 1, 1}), 8U);
  EXPECT_EQ(count_for({1, 1, 1, 1, 1, 1, 1, 5}), 8U);
  // No more than one segment can hold.
  EXPECT_EQ(count_for(std::vector(100, large)), 0U);
  EXPECT_EQ(count_for(std::vector(8, large / 8)), 8U);
  EXPECT_EQ(count_for(std::vector(9, large / 8)), 8U);
  EXPECT_EQ(count_for(std::vector(8, large / 8 + 1)), 0U);
}

// A year of every hour, whatever the sizes: few segments, and no frame is written often.
TEST(SegmentMerge, KeepsManifestsSmall) {
  constexpr std::uint64_t hours = 365 * 24;
  std::mt19937_64 random(1);
  for (std::uint64_t size_max : {100ULL, 10'000ULL, 1'000'000ULL}) {
    std::vector<SegmentRecord> segments;
    std::size_t segments_max = 0;
    std::uint64_t archived = 0;
    std::uint64_t rewritten = 0;
    for (std::uint64_t hour = 0; hour < hours; ++hour) {
      segments.push_back(segment_of(1 + random() % size_max));
      archived += segments.back().header.frame_bytes;
      const std::size_t count = count_to_merge(segments);
      std::uint64_t bytes = 0;
      for (std::size_t n = 0; n < count; ++n, segments.pop_back()) {
        bytes += segments.back().header.frame_bytes;
      }
      if (count > 0) segments.push_back(segment_of(bytes));
      rewritten += bytes;
      segments_max = std::max(segments_max, segments.size());
    }
    std::cout << segments_max << " segments, " << rewritten / archived << " times written again\n";
    EXPECT_LE(segments_max, 30 + 2 * archived / (limits::segment_bytes_target / 2));
    EXPECT_LE(rewritten, 5 * archived);
  }
}

class MergedArchive : public ::testing::Test {
 protected:
  Result<SnapshotReport> snapshot() {
    events += 3;
    EXPECT_TRUE(log.append(numbered_events(events - 2, 3)));
    auto repository = Repository::open(store(), Access::write);
    return create_snapshot(*log, folder / "log", *repository, {.made_at = Time{}});
  }
  [[nodiscard]] std::filesystem::path store() const { return folder / "backup"; }

  TempFolder folder;
  TestLog log{folder / "log"};
  std::uint64_t events = 0;
};

TEST_F(MergedArchive, HoldsTheSameFramesInFewerSegments) {
  constexpr std::size_t snapshots = 20;
  for (std::size_t i = 0; i < snapshots; ++i) {
    auto made = snapshot();
    ASSERT_TRUE(made) << describe(made.error());
    EXPECT_TRUE(made->refused.empty());
    EXPECT_LE(made->manifest.segments.size(), limits::segment_merge_count);
    EXPECT_EQ(made->manifest.first(), Position(1));
    EXPECT_EQ(made->manifest.tail.last, Position(events));
  }
  const auto repository = Repository::open(store(), Access::read);
  EXPECT_TRUE(repository->unreferenced()->empty());
  // Every segment of every manifest, through the chain of the log.
  auto verified = verify_archive(*repository, {});
  ASSERT_TRUE(verified);
  ASSERT_EQ(verified->snapshots.size(), snapshots);
  for (const CheckedSnapshot& each : verified->snapshots) {
    for (const Error& error : each.damage) ADD_FAILURE() << describe(error);
  }
}

TEST_F(MergedArchive, LeavesSegmentsAsTheyAreWhenOneIsDamaged) {
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(snapshot());
  const auto repository = Repository::open(store(), Access::read);
  const auto segment = repository->manifest(1)->segments.front();
  const auto path = repository->path_of(name_of(segment.header, segment.file));
  std::string bytes = read_file(path);
  bytes[bytes.size() / 2] ^= 1;
  write_file(path, bytes);
  auto made = snapshot();
  ASSERT_TRUE(made) << describe(made.error());
  EXPECT_EQ(made->manifest.segments.size(), 8U);
  ASSERT_EQ(made->refused.size(), 1U);
  EXPECT_NE(made->refused[0].message.find(path.string()), std::string::npos);
}

}  // namespace
}  // namespace almanac::test
