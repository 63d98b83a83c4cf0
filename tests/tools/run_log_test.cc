// `almanac run --log-file`: what a run writes of itself.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

class RunLogFile : public ::testing::Test {
 protected:
  [[nodiscard]] CommandOutput run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"run", "-", "--dir", "log"});
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .input = R"({"shell":"echo canary $SECRET","env":{"SECRET":"canary"}})"
                                 "\n"});
  }
  TempFolder folder_;
};

TEST_F(RunLogFile, HasWhatTheEngineDoesAlsoWhereTheTerminalShowsNothing) {
  const CommandOutput ran =
      run({"--log-file", "run.log", "--log-format", "json", "--log-level", "debug"});
  EXPECT_EQ(ran.code, 0) << ran.errors;
  EXPECT_EQ(ran.errors, "");
  std::istringstream lines(read_file(folder_ / "run.log"));
  std::vector<std::string> messages;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_EQ(line.find("canary"), std::string::npos) << line;
    const auto object = nlohmann::json::parse(line);
    messages.push_back(object["message"]);
    if (messages.back().find("attempt") == std::string::npos) continue;
    EXPECT_EQ(object["task"], 1);
    EXPECT_EQ(object["attempt"], 1);
    EXPECT_EQ(object["operation"], "command");
  }
  EXPECT_EQ(messages,
            (std::vector<std::string>{"the engine has started", "the attempt begins",
                                      "the attempt has ended", "the engine has stopped"}));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run.errors.log"));
}

TEST_F(RunLogFile, IsRefusedBeforeAnythingIsDone) {
  const auto refused = [&](std::vector<std::string> words, int code, std::string_view why) {
    const CommandOutput ran = run(std::move(words));
    EXPECT_EQ(ran.code, code);
    EXPECT_NE(ran.errors.find(why), std::string::npos) << ran.errors;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "log"));
  };
  refused({"--log-file", "run.log", "--log-format", "xml"}, 2, "there is no format of a log 'xml'");
  refused({"--log-file", "run.log", "--log-level", "off"}, 2, "there is no level of a log 'off'");
  refused({"--log-format", "json"}, 2, "name it with --log-file");
  refused({"--log-file", "missing/run.log"}, 1, "cannot open the log file missing/run.log");
}

}  // namespace
}  // namespace almanac::test
