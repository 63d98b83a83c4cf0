// Checkpoints written by every version of the format there has been: they are read for ever, as the
// states they were. See tests/programs/make_golden_checkpoint.cc.
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/golden_rows.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <sstream>

namespace almanac::test {
namespace {

TEST(GoldenCheckpoint, OfFormat1IsReadForEver) {
  std::istringstream text(read_file(source_path("tests/snapshots/golden/checkpoint_v1.txt")));
  std::string state_digest;
  std::uint64_t position = 0;
  std::size_t size = 0;
  text >> state_digest >> position >> size;
  const TempFolder folder;
  write_file(folder / "one", read_rows(text, size));
  auto read = read_checkpoint(folder / "one");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->header.position, Position(position));
  EXPECT_EQ(to_hex(read->header.state), state_digest);
  EXPECT_EQ(to_hex(digest(read->state)), state_digest);
  EXPECT_EQ(read->state.tasks.all.size(), 60U);
  EXPECT_TRUE(broken_invariants(read->state).empty());
}

}  // namespace
}  // namespace almanac::test
