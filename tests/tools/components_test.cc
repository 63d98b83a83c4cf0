// Components and repairs on the command line.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/component_parts.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

// A folder with the file parts.toml and what it describes.
class ComponentCommands : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(parts());
    write_file(folder_ / "parts.toml", parts_with_builtin());
    write_file(parts() / "source", "#!/bin/sh\necho 2.0\n");
  }
  [[nodiscard]] fs::path parts() const { return folder_ / "parts"; }

  [[nodiscard]] CommandOutput almanac(Words words,
                                      std::map<std::string, std::string> variables = {}) {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = std::move(variables)});
  }
  // `almanac heal` or `almanac component switch` with what it is about.
  [[nodiscard]] CommandOutput act(Words words, Words on = {}) {
    words.insert(words.end(), {"-c", "parts.toml"});
    words.insert(words.end(), on.begin(), on.end());
    return almanac(std::move(words));
  }
  [[nodiscard]] std::vector<json> objects(Words words) {
    words.emplace_back("--json");
    std::vector<json> all;
    for (const std::string& line : lines_of(almanac(std::move(words)).output)) {
      all.push_back(json::parse(line));
    }
    return all;
  }
  [[nodiscard]] json shown() { return objects({"component", "show", "tool"}).at(0); }
  static void expect_refusal(const CommandOutput& outcome, int code, const Words& said) {
    EXPECT_EQ(outcome.code, code) << outcome.errors;
    EXPECT_EQ(outcome.output, "");
    for (const std::string& text : said) {
      EXPECT_NE(outcome.errors.find(text), std::string::npos) << outcome.errors;
    }
    EXPECT_EQ(lines_of(outcome.errors).size(), 2U) << "what is wrong, and what to do";
  }
  TempFolder folder_;
};

TEST_F(ComponentCommands, DiagnoseSaysWhatIsWrongAndTouchesNothing) {
  const CommandOutput seen = act({"heal", "diagnose"});
  EXPECT_EQ(seen.code, 1);
  EXPECT_EQ(seen.output, "tool native: not_built: there is no " + (parts() / "tool").string() +
                             "\n  build would be tried\ntool plain: healthy\n");
  const auto told = objects({"heal", "diagnose", "-c", "parts.toml"});
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0]["component"], "tool");
  EXPECT_EQ(told[0]["implementation"], "native");
  EXPECT_EQ(told[0]["issue_type"], "not_built");
  EXPECT_EQ(told[0]["recommended_fix"], "build");
  EXPECT_EQ(told[0]["can_auto_fix"], true);
  EXPECT_EQ(told[1]["issue_type"], "none");
  EXPECT_EQ(told[1]["recommended_fix"], nullptr);
  EXPECT_FALSE(fs::exists(folder_ / "log"));
  EXPECT_FALSE(fs::exists(parts() / "tool"));
}

TEST_F(ComponentCommands, CheckRepairsWhatIsBrokenAndListShowAndStatusTellOfIt) {
  const CommandOutput checked = act({"heal", "check"});
  EXPECT_EQ(checked.code, 0) << checked.errors;
  EXPECT_EQ(checked.output,
            "tool native: not_built: build done\n"
            "tool is used by native\n");
  EXPECT_EQ(act({"heal", "diagnose"}).output, "tool native: healthy\ntool plain: healthy\n");

  const auto rows = lines_of(almanac({"component", "list"}).output);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_TRUE(rows[0].starts_with("COMPONENT"));
  for (const char* cell : {"tool", "native", "program", "healthy", "none", "yes"}) {
    EXPECT_NE(rows[1].find(cell), std::string::npos) << rows[1];
  }
  EXPECT_NE(rows[2].find("builtin"), std::string::npos) << rows[2];
  EXPECT_EQ(rows[2].find("yes"), std::string::npos) << rows[2];

  const json tool = shown();
  EXPECT_EQ(tool["active"], "native");
  EXPECT_EQ(tool["pinned"], nullptr);
  EXPECT_EQ(tool["attempts_max"], 3);
  EXPECT_EQ(tool["backoff_us"], 10'000);
  EXPECT_EQ(tool["check_interval_us"], 300'000'000);
  EXPECT_EQ(tool["implementations"][0]["state"], "healthy");
  EXPECT_EQ(tool["implementations"][0]["traits"], "program:build,clean_build");
  EXPECT_EQ(objects({"component", "list"}), std::vector{tool});
  EXPECT_NE(almanac({"component", "show", "tool"}).output.find("\n  used by    native\n"),
            std::string::npos);

  const json status = objects({"heal", "status"}).at(0);
  EXPECT_EQ(status["running"], false);
  EXPECT_EQ(status["fix_attempts"], 1);
  EXPECT_EQ(status["helped"], 1);
  EXPECT_EQ(status["strategies"][0]["strategy"], "build");
  EXPECT_EQ(status["recent_fixes"][0]["issue"], "not_built");
  EXPECT_EQ(status["recent_fixes"][0]["outcome"], "done");
  EXPECT_NE(almanac({"heal", "status"}).output.find("not_built  build"), std::string::npos);
}

TEST_F(ComponentCommands, CleanBuildBuildsAnewAlsoWhatIsHealthy) {
  ASSERT_EQ(act({"heal", "check"}).code, 0);
  write_file(parts() / "source", "#!/bin/sh\necho 2.1\n");
  const CommandOutput built = act({"heal", "clean-build"}, {"tool", "native"});
  EXPECT_EQ(built.code, 0) << built.errors;
  EXPECT_NE(built.output.find("clean_build done"), std::string::npos) << built.output;
  EXPECT_EQ(read_file(parts() / "tool"), "#!/bin/sh\necho 2.1\n");
  expect_refusal(act({"heal", "clean-build"}, {"tool", "plain"}), 7, {"does not allow", "allow"});
  EXPECT_EQ(act({"heal", "clean-build"}).code, 0) << "of all, those that allow it";
}

TEST_F(ComponentCommands, SwitchUsesOneAsLongAsAnOperatorWants) {
  ASSERT_EQ(act({"heal", "check"}).code, 0);
  EXPECT_EQ(act({"component", "switch"}, {"tool", "plain"}).output, "tool is used by plain\n");
  EXPECT_EQ(act({"heal", "check"}).output, "tool is used by plain\n") << "also by the next engine";
  EXPECT_EQ(shown()["pinned"], "plain");
  EXPECT_NE(almanac({"component", "show", "tool"}).output.find("\n  wanted     plain\n"),
            std::string::npos);
  EXPECT_EQ(act({"component", "switch"}, {"tool"}).output, "tool is used by native\n");
  EXPECT_EQ(shown()["pinned"], nullptr);
}

TEST_F(ComponentCommands, FixTriesAgainWhatWasGivenUp) {
  write_file(folder_ / "parts.toml", native_parts());
  fs::remove(parts() / "source");
  const CommandOutput failed = act({"heal", "check"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_NE(failed.output.find("tool is used by nothing\n"), std::string::npos) << failed.output;
  EXPECT_EQ(shown()["implementations"][0]["state"], "given_up");
  EXPECT_EQ(shown()["implementations"][0]["attempts"], 3);
  const std::string text = almanac({"component", "show", "tool"}).output;
  EXPECT_NE(text.find("build_failed: "), std::string::npos) << text;
  EXPECT_NE(text.find("source"), std::string::npos) << "what the build has said: " << text;

  write_file(parts() / "source", "#!/bin/sh\necho 2.0\n");
  EXPECT_EQ(act({"heal", "check"}).code, 1) << "an operator is asked";
  const CommandOutput fixed = act({"heal", "fix"}, {"tool"});
  EXPECT_EQ(fixed.code, 0) << fixed.output << fixed.errors;
  EXPECT_NE(fixed.output.find("tool is used by native\n"), std::string::npos) << fixed.output;
}

TEST_F(ComponentCommands, SayWhereNothingIsKnown) {
  ASSERT_EQ(act({"heal", "check"}).code, 0);
  EXPECT_EQ(almanac({"component", "list", "--at", "1"}).output, "no components\n");
  EXPECT_EQ(almanac({"heal", "status", "--at", "1"}).output, "nothing was repaired\n");
  expect_refusal(almanac({"component", "show", "parser"}), 3,
                 {"'parser'", "`almanac component list`"});
  expect_refusal(act({"heal", "fix"}, {"parser"}), 3, {"of that name", "as the file does"});
  expect_refusal(act({"heal", "check"}, {"tool", "fast"}), 3, {"of that name"});
  expect_refusal(act({"component", "switch"}, {"tool", "fast"}), 3, {"of that name"});
}

TEST_F(ComponentCommands, RefuseAFileThatMakesNoSenseAndWriteNothing) {
  const auto refused = [&](const std::string& toml, int code, const Words& said) {
    write_file(folder_ / "parts.toml", toml);
    expect_refusal(act({"heal", "check"}), code, said);
    expect_refusal(act({"heal", "diagnose"}), code, said);
  };
  const std::string native = native_parts();
  const auto with = [&](const std::string& text, const std::string& instead) {
    std::string changed = native;
    return changed.replace(changed.find(text), text.size(), instead);
  };
  refused(with("kind = \"program\"", "kind = \"script\""), 2, {"parts.toml:7", "plugin, program"});
  refused(with("\"build\",", "\"pray\","), 2, {"'pray'", "clean_build"});
  refused(with("artifact", "artefact"), 2, {"'artefact'", "artifact"});
  refused(with("\"tool\"\nprobe", "\"../tool\"\nprobe"), 2, {"outside", "stay in it"});
  refused(with("clean = [\"rm\", \"-f\", \"tool\"]\n", ""), 2, {"no command to clean"});
  refused(with("10ms", "1ms"), 2, {"too short", "10 ms"});
  refused("[tool]\nfolder = \"parts\"\n", 2, {"no implementation"});
  fs::remove(folder_ / "parts.toml");
  expect_refusal(act({"heal", "check"}), 3, {"parts.toml"});
  EXPECT_FALSE(fs::exists(folder_ / "log"));
}

TEST_F(ComponentCommands, B3TakesSettingsOfTheEnvironmentAboveTheFile) {
  const auto checked =
      almanac({"heal", "check", "-c", "parts.toml"}, {{"ALMANAC_HEAL_CHECK_INTERVAL", "7"},
                                                      {"ALMANAC_HEAL_BUILD_TIMEOUT", "2m"},
                                                      {"ALMANAC_HEAL_MAX_RETRIES", "5"}});
  ASSERT_EQ(checked.code, 0) << checked.errors;
  EXPECT_EQ(shown()["check_interval_us"], 7'000'000);
  EXPECT_EQ(shown()["build_timeout_us"], 120'000'000);
  EXPECT_EQ(shown()["attempts_max"], 5);
  for (const char* variable :
       {"ALMANAC_HEAL_CHECK_INTERVAL", "ALMANAC_HEAL_BUILD_TIMEOUT", "ALMANAC_HEAL_MAX_RETRIES"}) {
    expect_refusal(almanac({"heal", "check", "-c", "parts.toml"}, {{variable, "soon"}}), 2,
                   {variable, "'soon'"});
  }
}

}  // namespace
}  // namespace almanac::test
