#include <almanac/tests/disk/log_oracle.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

// What stands for events from … to, of a log in which each one holds its number.
std::uint64_t content_of(std::uint64_t from, std::uint64_t to) {
  std::uint64_t content = 0;
  for (auto number = from; number <= to; ++number) {
    const auto text = std::to_string(number);
    content = content_behind(content, {.body = CustomEvent{"number", as_bytes(text)}});
  }
  return content;
}

// Batches that end at 2, 4 and 6; everything up to 4 was acknowledged.
LogOracle oracle() {
  LogOracle oracle;
  for (std::uint64_t end : {2, 4, 6}) {
    oracle.apply({Mark::Kind::appended, end, content_of(1, end)});
  }
  oracle.apply({Mark::Kind::acknowledged, 4});
  return oracle;
}

TEST(LogOracle, AcceptsWholeBatchesOfWhichNoneIsMissing) {
  EXPECT_EQ(oracle().judge({0, 4, content_of(1, 4)}), Verdict::right);
  EXPECT_EQ(oracle().judge({0, 6, content_of(1, 6)}), Verdict::right);
  EXPECT_EQ(oracle().judge({0, 2, content_of(1, 2)}), Verdict::lost);
  EXPECT_EQ(oracle().judge({0, 0, 0}), Verdict::lost);
}

TEST(LogOracle, RejectsWhatIsTornDoubledOrReordered) {
  EXPECT_EQ(oracle().judge({0, 5, content_of(1, 5)}), Verdict::wrong);
  EXPECT_EQ(oracle().judge({0, 4, content_of(2, 5)}), Verdict::wrong);
  EXPECT_EQ(oracle().judge({0, 6, content_of(1, 4)}), Verdict::wrong);
}

TEST(LogOracle, AcceptsAMissingFrontOnlyWhenItWasGivenUp) {
  auto trimmed = oracle();
  EXPECT_EQ(trimmed.judge({2, 6, content_of(3, 6)}), Verdict::wrong);
  trimmed.apply({Mark::Kind::removable, 3});
  EXPECT_EQ(trimmed.judge({2, 6, content_of(3, 6)}), Verdict::right);
  EXPECT_EQ(trimmed.judge({2, 6, content_of(2, 5)}), Verdict::wrong);
  EXPECT_EQ(trimmed.judge({4, 6, content_of(5, 6)}), Verdict::wrong);
  EXPECT_EQ(trimmed.judge({0, 6, content_of(1, 6)}), Verdict::right);
}

// Who opens a log that was trimmed knows only what is left of it.
TEST(LogOracle, GoesOnFromWhatWasFoundBehindAMissingFront) {
  auto trimmed = oracle();
  trimmed.apply({Mark::Kind::removable, 2});
  trimmed.apply({Mark::Kind::found, 4});
  trimmed.apply({Mark::Kind::appended, 5, content_of(3, 5), 2});
  EXPECT_EQ(trimmed.judge({2, 5, content_of(3, 5)}), Verdict::right);
  EXPECT_EQ(trimmed.judge({0, 5, content_of(1, 5)}), Verdict::right);
  EXPECT_EQ(trimmed.judge({0, 6, content_of(1, 6)}), Verdict::wrong);
}

}  // namespace
}  // namespace almanac::test
