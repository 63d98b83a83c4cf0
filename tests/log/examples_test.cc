// The programs that docs/guides/log.md is made of.
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

std::vector<std::string> lines_of(const std::string& example, const std::filesystem::path& folder) {
  ChildProcess program({program_path("example_" + example), folder});
  std::vector<std::string> lines;
  for (auto line = program.read_line(); line != "(end)"; line = program.read_line()) {
    lines.push_back(line);
  }
  EXPECT_EQ(program.wait(), 0) << example;
  return lines;
}

TEST(LogExamples, DoWhatTheGuideSays) {
  TempFolder folder;
  auto appended = lines_of("log_append", folder / "notes");
  EXPECT_EQ(appended, (std::vector<std::string>{"it ends at position 0",
                                                "read what was added meanwhile and decide again",
                                                "paid before, at 9"}));
  auto read = lines_of("log_read", folder / "notes");
  EXPECT_EQ(read.size(), 36U);
  EXPECT_EQ(std::ranges::count(read, "7 Visited"), 3) << "all, since an hour ago, and followed";
  EXPECT_EQ(std::ranges::count(read, "2 NoteRemoved"), 4) << "and among the newest notes";
  auto trimmed = lines_of("log_trim", folder / "orders");
  EXPECT_EQ(trimmed.back(), "0 events removed, the log begins at 1");
}

}  // namespace
}  // namespace almanac::test
