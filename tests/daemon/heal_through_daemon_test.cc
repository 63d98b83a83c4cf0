// `almanac heal` and `almanac component switch` in a folder that a daemon holds: it does what they
// ask for, with the components it keeps.
#include <almanac/tests/daemon/daemon_fixture.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/component_parts.h>

#include <filesystem>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using HealWords = std::vector<std::string>;

class HealThroughDaemon : public DaemonTest {
 protected:
  void serve_parts() {
    std::filesystem::create_directory(folder / "parts");
    write_file(folder / "parts.toml", parts_with_builtin());
    write_file(folder / "parts/source", "#!/bin/sh\necho 2.0\n");
    DaemonConfig config;
    config.components = (folder / "parts.toml").string();
    open(config);
  }
  [[nodiscard]] CommandOutput act(HealWords words, const std::string& file = "parts.toml") const {
    words.insert(words.end(), {"-c", file, "--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder.path(), .input = {}});
  }
  [[nodiscard]] std::string active() const {
    const auto json = client().ask("GET", "/v1/components/tool").json();
    return json["active"].is_string() ? json["active"].get<std::string>() : json.dump();
  }
};

TEST_F(HealThroughDaemon, LooksRepairsAndSwitches) {
  serve_parts();
  const CommandOutput checked = act({"heal", "check"});
  EXPECT_EQ(checked.code, 0) << checked.errors;
  EXPECT_NE(checked.output.find("tool is used by native"), std::string::npos) << checked.output;
  const CommandOutput switched = act({"component", "switch", "tool", "plain"});
  EXPECT_EQ(switched.code, 0) << switched.errors;
  EXPECT_NE(switched.output.find("tool is used by plain"), std::string::npos) << switched.output;
  EXPECT_EQ(active(), "plain");
  const CommandOutput back = act({"component", "switch", "tool"});
  EXPECT_EQ(back.code, 0) << back.errors;
  EXPECT_EQ(active(), "native");
}

TEST_F(HealThroughDaemon, BuildsAnewAndTellsOfIt) {
  serve_parts();
  const CommandOutput built = act({"heal", "clean-build", "tool", "native"});
  EXPECT_EQ(built.code, 0) << built.errors;
  EXPECT_NE(built.output.find("tool native: none: clean_build done\n"), std::string::npos)
      << built.output;
}

TEST_F(HealThroughDaemon, TriesAgainWhatWasGivenUp) {
  serve_parts();
  EXPECT_EQ(act({"heal", "check"}).code, 0);
  std::filesystem::remove(folder / "parts/tool");
  std::filesystem::rename(folder / "parts/source", folder / "parts/hidden");
  const CommandOutput given_up = act({"heal", "check", "tool", "native"});
  EXPECT_NE(given_up.output.find("tool is used by plain"), std::string::npos) << given_up.output;
  std::filesystem::rename(folder / "parts/hidden", folder / "parts/source");
  const CommandOutput fixed = act({"heal", "fix", "tool", "native"});
  EXPECT_EQ(fixed.code, 0) << fixed.errors;
  EXPECT_NE(fixed.output.find("build done"), std::string::npos) << fixed.output;
  EXPECT_NE(fixed.output.find("tool is used by native"), std::string::npos) << fixed.output;
}

TEST_F(HealThroughDaemon, SaysWhatTheDaemonDoesNotKeep) {
  serve_parts();
  std::string other = parts_with_builtin();
  for (auto at = other.find("tool"); at != other.npos; at = other.find("tool", at + 4)) {
    other.replace(at, 4, "else");
  }
  write_file(folder / "other.toml", other);
  const CommandOutput unknown = act({"component", "switch", "else"}, "other.toml");
  EXPECT_EQ(unknown.code, 3) << unknown.errors;
  EXPECT_NE(unknown.errors.find("no component of this name is kept"), std::string::npos)
      << unknown.errors;
  EXPECT_EQ(client().ask("POST", "/v1/heal", R"({"act": "pray"})").status, 400);
  EXPECT_EQ(client().ask("POST", "/v1/heal", R"({"act": "use"})").status, 400);
  const HttpClient::Headers reader = {
      {"Authorization", "Bearer " + make_token("r", "read,submit")}};
  EXPECT_EQ(tcp_client().ask("POST", "/v1/heal", "{}", reader).status, 403);
}

}  // namespace
}  // namespace almanac::test
