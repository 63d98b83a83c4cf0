// Checkpoints written by every version of the format there has been: they are read for ever, as the
// states they were. See tests/programs/make_golden_checkpoint.cc.
#include <almanac/projections/invariants.h>
#include <almanac/snapshots/checkpoint.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/golden_rows.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>

namespace almanac::test {
namespace {

class GoldenCheckpoint : public ::testing::Test {
 protected:
  // Puts a file where its name says, with its position and what stands behind that.
  void put(std::string_view name, std::string_view suffix) {
    std::istringstream text(
        read_file(source_path("tests/snapshots/golden/" + std::string(name) + ".txt")));
    std::size_t size = 0;
    text >> state_digest_ >> position_ >> size;
    file_ = folder_ / std::to_string(position_);
    write_file(file_.string() + std::string(suffix), read_rows(text, size));
  }
  void expect_read(std::size_t tasks) {
    for (const Loading loading : {Loading::whole, Loading::as_asked}) {
      auto read = read_checkpoint(file_, {}, loading);
      ASSERT_TRUE(read) << describe(read.error());
      EXPECT_EQ(read->header.position, Position(position_));
      EXPECT_EQ(to_hex(read->header.state), state_digest_);
      EXPECT_EQ(to_hex(digest(read->state)), state_digest_);
      EXPECT_EQ(read->state.tasks.all.size(), tasks);
      EXPECT_TRUE(broken_invariants(read->state).empty());
    }
  }

 private:
  const TempFolder folder_;
  std::filesystem::path file_;
  std::string state_digest_;
  std::uint64_t position_ = 0;
};

TEST_F(GoldenCheckpoint, OfFormat1IsReadForEver) {
  put("checkpoint_v1", "");
  expect_read(60);
}

TEST_F(GoldenCheckpoint, OfFormat2IsReadForEver) {
  put("checkpoint_v2", "");
  put("checkpoint_blocks_v2", ".blocks");
  expect_read(200);
}

}  // namespace
}  // namespace almanac::test
