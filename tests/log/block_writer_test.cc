// Frames in whole blocks: a segment holds what was written behind each other, whatever its pieces
// and wherever blocks begin, and what a write in vain left in front of it is no part of it.
#include <almanac/log/block_writer.h>
#include <almanac/log/limits.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using limits::journal_block_bytes;

class BlockWriterTest : public testing::Test {
 protected:
  void open(const fs::path& path, std::uint64_t bytes, char filling = '\0') {
    path_ = path;
    auto made = create_segment(path, bytes);
    ASSERT_TRUE(made) << made.error().message;
    segment_ = std::move(*made);
    ASSERT_TRUE(write_at(segment_, 0, as_bytes(std::string(bytes, filling))));
    set_direct(segment_, true);
  }
  [[nodiscard]] std::string draw(std::size_t bytes) {
    std::string drawn(bytes, '\0');
    for (char& each : drawn) each = static_cast<char>('a' + random_() % 26);
    return drawn;
  }
  void write(std::size_t bytes) {
    const std::string drawn = draw(bytes);
    auto written = writer_.write(segment_, as_bytes(drawn));
    ASSERT_TRUE(written) << written.error().message;
    told_ += drawn;
    segment_.end += bytes;
  }
  // What was told, zeros to the end of its block, and then what was there.
  void expect_told(char behind = '\0') const {
    std::string expected = told_;
    const auto blocks = (told_.size() + journal_block_bytes - 1) / journal_block_bytes;
    expected.resize(std::min<std::size_t>(blocks * journal_block_bytes, segment_.bytes), '\0');
    expected.resize(segment_.bytes, behind);
    EXPECT_TRUE(read_file(path_) == expected) << "behind " << told_.size() << " bytes";
  }

  std::mt19937 random_{42};
  TempFolder folder_;
  fs::path path_;
  Segment segment_;
  BlockWriter writer_;
  std::string told_;
};

TEST_F(BlockWriterTest, LeavesWhatWasWrittenBehindEachOther) {
  open(folder_ / "segment", 8 * limits::mebibyte);
  for (const std::size_t bytes : {std::size_t{8}, std::size_t{4088}, journal_block_bytes,
                                  std::size_t{16}, 3 * journal_block_bytes + 8}) {
    write(bytes);
    expect_told();
  }
  for (int i = 0; i < 50; ++i) write(8 + random_() % (20 * limits::kibibyte) / 8 * 8);
  expect_told();
}

TEST_F(BlockWriterTest, TakesMoreThanFitsIntoOneWrite) {
  open(folder_ / "segment", 8 * limits::mebibyte);
  write(504);
  write(2 * limits::journal_write_bytes + 8);
  write(limits::journal_write_bytes - segment_.end % journal_block_bytes);
  write(16);
  expect_told();
}

TEST_F(BlockWriterTest, WritesOverAnEarlierTurn) {
  open(folder_ / "segment", 64 * limits::kibibyte, 'Z');
  write(5000);
  write(48);
  expect_told('Z');
}

// As the journal does it: what was left is written over with zeros, here into the block behind, and
// the next frame goes where the one in vain was to go.
TEST_F(BlockWriterTest, KnowsWhatIsInABlockAfterAWriteInVain) {
  open(folder_ / "segment", 64 * limits::kibibyte);
  write(2 * journal_block_bytes - 32);
  FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  std::swap(file, segment_.file);
  const std::string vain = draw(6000);
  EXPECT_FALSE(writer_.write(segment_, as_bytes(vain)));
  std::swap(file, segment_.file);
  ASSERT_TRUE(writer_.write(segment_, as_bytes(std::string(64, '\0'))));
  expect_told();
  write(1000);
  write(24);
  expect_told();
}

// As one that was made with another size of blocks, or lies where the page cache is all there is.
TEST_F(BlockWriterTest, WritesWhereWholeBlocksCannotBeHad) {
  open(folder_ / "segment", 2 * journal_block_bytes + 512 + 8);
  write(journal_block_bytes + 8);
  write(journal_block_bytes - 8);
  write(504);
  expect_told();
  if (!fs::is_directory("/dev/shm")) return;
  told_.clear();
  open("/dev/shm/almanac-block-writer-" + std::to_string(::getpid()), 64 * limits::kibibyte);
  write(5000);
  write(3000);
  expect_told();
  fs::remove(path_);
}

}  // namespace
}  // namespace almanac::test
