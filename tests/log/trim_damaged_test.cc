// Trimming a file whose pages are damaged where reading does not look.
#include <almanac/log/limits.h>
#include <almanac/log/log.h>
#include <almanac/tests/support/code_of.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <string>

namespace almanac::test {
namespace {

constexpr std::size_t damaged_page_bytes = 4096;
constexpr std::size_t first_frame_at = 16;  // in the first of a value's own pages
constexpr std::size_t page_count_at = 12;

// LMDB asks the head of a value's pages how many of them it gives free: one that lies would give
// away the pages of other values, which the next commits write over.
TEST(TrimDamaged, RefusesWhereThePagesOfAValueAreNotWhatTheyShouldBe) {
  TempFolder folder;
  const std::string text(20'000, 'x');
  for (std::uint64_t number = 1; number <= 20; ++number) {
    TestLog log(folder / "log");
    ASSERT_TRUE(
        log.append({{.at = Time(Duration(number)), .body = CustomEvent{"large", as_bytes(text)}}}));
    if (number == 20) {
      ASSERT_TRUE(log->set_checkpoint(Position(19)));
    }
  }
  const auto data = folder / "log/log/data.mdb";
  const auto whole = read_file(data);
  const auto magic = whole.find("ALMF");
  ASSERT_EQ(magic % damaged_page_bytes, first_frame_at + 8);
  const auto page = magic / damaged_page_bytes * damaged_page_bytes;
  const auto commits = read_file(folder / "log/log/commits");
  for (char pages : {'\x02', '\x07', 'd'}) {
    auto bytes = whole;
    ASSERT_NE(bytes[page + page_count_at], pages);
    bytes[page + page_count_at] = pages;
    write_file(data, bytes);
    write_file(folder / "log/log/commits", commits);
    TestLog log(folder / "log");
    EXPECT_TRUE(read_texts(*log)) << "reading does not look there";
    EXPECT_EQ(code_of(log->trim({.before = Position(15)})), "corrupt");
    EXPECT_EQ(log->first(), Position(1)) << "nothing was removed";
  }
  write_file(data, whole);
  write_file(folder / "log/log/commits", commits);
  TestLog log(folder / "log");
  EXPECT_TRUE(log->trim({.before = Position(15)}));
  EXPECT_EQ(log->first(), Position(15));
}

}  // namespace
}  // namespace almanac::test
