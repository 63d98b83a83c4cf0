// Logs written by every version of the format there has been: they open, verify and read the same
// for ever. See tests/programs/make_golden_log.cc.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/golden_rows.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

struct Golden {
  std::vector<std::string> events;
  std::string data_file;
};

Golden read_golden(const std::string& name) {
  std::istringstream text(read_file(source_path("tests/log/golden") / name));
  Golden golden;
  std::string line;
  while (std::getline(text, line) && !line.starts_with("data.mdb ")) golden.events.push_back(line);
  golden.data_file = read_rows(text, std::stoul(line.substr(line.find(' '))));
  return golden;
}

void restore(const Golden& golden, const fs::path& folder) {
  fs::create_directories(folder / "log");
  write_file(folder / "log/data.mdb", golden.data_file);
}

TEST(GoldenLog, OfFormat1IsReadForEver) {
  const Golden golden = read_golden("log_v1.txt");
  ASSERT_EQ(golden.events.size(), 17U);
  TempFolder folder;
  restore(golden, folder.path());
  auto log = Log::open(folder.path(), {.access = Access::read});
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_EQ(read_texts(**log), golden.events);
  auto report = verify(**log);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->last, Position(17));
  EXPECT_EQ(report->frames, 3U);
}

// As tests/projections/state_test.cc has it of stories, through every layer.
TEST(GoldenLog, OfFormat1FoldsToTheSameStateOnEveryBuild) {
  TempFolder folder;
  restore(read_golden("log_v1.txt"), folder.path());
  auto log = Log::open(folder.path(), {.access = Access::read});
  ASSERT_TRUE(log) << log.error().message;
  auto state = rebuild(**log);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(to_hex(digest(*state)),
            "21fa127b1db72247253a2c01e2af15a6f96501f561503ae6826a831ece594599");
}

TEST(GoldenLog, OfFormat1IsContinued) {
  const Golden golden = read_golden("log_v1.txt");
  TempFolder folder;
  restore(golden, folder.path());
  TestLog log(folder.path());
  const Event more{.at = log->opened_tail().time, .body = TaskReadied{TaskId(9)}};
  EXPECT_EQ(log.append({more}), Position(18));
  auto expected = golden.events;
  expected.push_back(texts_of({more}, Position(18)).front());
  EXPECT_EQ(read_texts(*log), expected);
  EXPECT_TRUE(verify(*log));
}

}  // namespace
}  // namespace almanac::test
