// `almanac log repair` and `almanac log compact` as one types them.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/bad_place.h>
#include <almanac/tests/support/file_bytes.h>

#include <almanac/log/log.h>
#include <almanac/tools/exit_code.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

class LogUpkeepTest : public testing::Test {
 protected:
  LogUpkeepTest() { log_of_three_tasks(place_); }

  [[nodiscard]] CommandOutput almanac(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--dir", "log"});
    return run_almanac(
        {.arguments = std::move(arguments), .folder = place_.root.path(), .input = {}});
  }
  void zero_metas() const {
    auto bytes = read_file(place_.data_file());
    zero_page(bytes, 0);
    zero_page(bytes, 1);
    write_file(place_.data_file(), bytes);
  }

  Place place_;
};

TEST_F(LogUpkeepTest, RepairsWhatCannotBeOpenedAnyMore) {
  const auto tasks = almanac({"list", "--json"}).output;
  zero_metas();
  EXPECT_EQ(almanac({"list"}).code, static_cast<int>(ExitCode::corrupt));
  auto dry = almanac({"log", "repair", "--dry-run"});
  EXPECT_EQ(dry.code, 0) << dry.errors;
  EXPECT_NE(dry.output.find("would keep"), std::string::npos) << dry.output;
  EXPECT_NE(dry.output.find("nothing would be cut"), std::string::npos) << dry.output;
  EXPECT_EQ(almanac({"list"}).code, static_cast<int>(ExitCode::corrupt));
  auto repaired = almanac({"log", "repair"});
  EXPECT_EQ(repaired.code, 0) << repaired.errors;
  EXPECT_NE(repaired.output.find("the old files are in log/log.damaged-1"), std::string::npos)
      << repaired.output;
  EXPECT_EQ(almanac({"list", "--json"}).output, tasks);
}

TEST_F(LogUpkeepTest, SaysWhatARepairCut) {
  const auto tail = Log::open(place_.root / "log", {.access = Access::read}).value()->tail();
  auto bytes = read_file(place_.data_file());
  const std::string digest(as_text(tail->digest));
  for (auto at = bytes.find(digest); at != std::string::npos; at = bytes.find(digest)) {
    bytes[at] ^= 1;
  }
  write_file(place_.data_file(), bytes);
  fs::remove_all(place_.root / "log/log/journal");  // a repair would find the frame there
  auto repaired = almanac({"log", "repair"});
  EXPECT_EQ(repaired.code, 0) << repaired.errors;
  EXPECT_NE(repaired.output.find("\ncut position"), std::string::npos) << repaired.output;
  EXPECT_NE(repaired.output.find(std::to_string(tail->last.value) + ", 0 of them still readable"),
            std::string::npos)
      << repaired.output;
  EXPECT_EQ(almanac({"log", "verify"}).code, 0);
}

TEST_F(LogUpkeepTest, RepairsNothingThatIsWhole) {
  auto refused = almanac({"log", "repair"});
  EXPECT_EQ(refused.code, static_cast<int>(ExitCode::refused));
  EXPECT_EQ(refused.output, "");
  EXPECT_NE(refused.errors.find("nothing to repair"), std::string::npos) << refused.errors;
}

TEST_F(LogUpkeepTest, CompactsAndSaysTheSizes) {
  const auto tasks = almanac({"list", "--json"}).output;
  // A file may be longer than LMDB needs it.
  write_file(place_.data_file(), read_file(place_.data_file()) + std::string(1 << 20, '\0'));
  auto compacted = almanac({"log", "compact"});
  EXPECT_EQ(compacted.code, 0) << compacted.errors;
  EXPECT_NE(compacted.output.find(" before\n"), std::string::npos) << compacted.output;
  EXPECT_LT(fs::file_size(place_.data_file()), std::uintmax_t{1} << 20);
  EXPECT_EQ(almanac({"list", "--json"}).output, tasks);
  auto again = almanac({"log", "compact"});
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.output.find("nothing to gain"), std::string::npos) << again.output;
  zero_metas();
  EXPECT_EQ(almanac({"log", "compact", "--json"}).code, static_cast<int>(ExitCode::corrupt));
}

}  // namespace
}  // namespace almanac::test
