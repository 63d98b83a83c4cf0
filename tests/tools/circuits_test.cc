// Circuits on the command line.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class CircuitCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(Words words) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }
  void succeed(Words words) const {
    const auto outcome = almanac(std::move(words));
    ASSERT_EQ(outcome.code, 0) << outcome.errors;
  }
  [[nodiscard]] json show(const std::string& at = "") const {
    Words words = {"circuit", "show", "search", "--json"};
    if (!at.empty()) words.insert(words.end(), {"--at", at});
    return json::parse(almanac(words).output);
  }
  TempFolder folder_;
};

TEST_F(CircuitCommandTest, HoldsTasksBackUntilAnOperatorResetsIt) {
  succeed({"circuit", "set", "search", "--cooldown", "5s", "--probes", "2"});
  succeed({"circuit", "open", "search", "--reason", "it is being moved"});
  EXPECT_EQ(show()["state"], "forced_open");
  EXPECT_EQ(show()["setting"]["cooldown_us"], 5'000'000);
  EXPECT_EQ(show("2")["state"], "closed");
  EXPECT_NE(almanac({"circuit", "show", "search"}).output.find("it is being moved"),
            std::string::npos);
  const auto waits =
      run_almanac({.arguments = {"submit", "--dir", "log", "--needs", "search", "--", "true"},
                   .folder = folder_.path()});
  ASSERT_EQ(waits.code, 0) << waits.errors;
  EXPECT_EQ(show()["waiting"], 1);
  succeed({"circuit", "reset", "search"});
  succeed({"run"});
  EXPECT_EQ(show()["state"], "closed");
  EXPECT_EQ(show()["successes"], 1);
  EXPECT_EQ(show()["waiting"], 0);
}

TEST_F(CircuitCommandTest, OpensWhenTasksFail) {
  succeed({"circuit", "set", "search", "--consecutive", "2", "--cooldown", "1h", "--cooldown-max",
           "1h"});
  for (int i = 0; i < 2; ++i) {
    const auto submitted =
        run_almanac({.arguments = {"submit", "--dir", "log", "--needs", "search", "--", "false"},
                     .folder = folder_.path()});
    ASSERT_EQ(submitted.code, 0) << submitted.errors;
  }
  (void)almanac({"run"});
  const json shown = show();
  EXPECT_EQ(shown["state"], "open");
  EXPECT_EQ(shown["failures"], 2);
  EXPECT_EQ(shown["trips"], 1);
  EXPECT_NE(almanac({"circuit", "list"}).output.find("search   open"), std::string::npos);
  succeed({"circuit", "close", "search"});
  EXPECT_EQ(show()["state"], "forced_closed");
}

TEST_F(CircuitCommandTest, RefusesWhatMakesNoSenseAndWritesNothing) {
  EXPECT_EQ(almanac({"circuit", "set", "search", "--failure-rate", "120%"}).code, 2);
  EXPECT_EQ(almanac({"circuit", "set", "search", "--failure-rate", "0"}).code, 2);
  EXPECT_EQ(almanac({"circuit", "set", "search", "--window", "1ms"}).code, 2);
  EXPECT_EQ(almanac({"circuit", "open", "search:*"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  succeed({"circuit", "set", "search"});
  EXPECT_EQ(almanac({"circuit", "show", "mail"}).code, 3);
}

}  // namespace
}  // namespace almanac::test
