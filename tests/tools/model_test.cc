// Models on the command line.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/scripted_gpus.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;

constexpr std::uint64_t model_gib = std::uint64_t{1} << 30U;

class ModelCommandTest : public testing::Test {
 protected:
  ModelCommandTest() {
    gpus.set({{.name = "Scripted", .heaps = {{.size = 10 * model_gib, .budget = 10 * model_gib}}}});
    write_file(folder_ / "models.toml",
               "[llama]\n"
               "bytes = \"9.5 GiB\"\n"
               "alternative = \"small\"\n"
               "priority = -2\n"
               "residency = \"0s\"\n"
               "load = [\"sh\", \"-c\", \"echo $ALMANAC_MODEL $ALMANAC_BYTES > loaded\"]\n"
               "unload = [\"rm\", \"loaded\"]\n"
               "check = [\"test\", \"-e\", \"loaded\"]\n"
               "[small]\n"
               "bytes = \"1GiB\"\n"
               "pinned = true\n"
               "load = [\"true\"]\n"
               "unload = [\"true\"]\n");
  }
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words) const {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = gpus.environment()});
  }
  [[nodiscard]] json show(const std::string& model) const {
    return json::parse(almanac({"model", "show", model, "--json"}).output);
  }
  ScriptedGpus gpus;
  TempFolder folder_;
};

TEST_F(ModelCommandTest, RegistersShowsChangesAndRemovesThem) {
  EXPECT_EQ(almanac({"model", "add", "models.toml"}).code, 0);
  const json llama = show("llama");
  EXPECT_EQ(llama["state"], "absent");
  EXPECT_EQ(llama["bytes"], 9 * model_gib + model_gib / 2);
  EXPECT_EQ(llama["alternative"], "small");
  EXPECT_EQ(llama["priority"], -2);
  EXPECT_EQ(show("small")["pinned"], true);
  const std::string list = almanac({"model", "list"}).output;
  EXPECT_NE(list.find("9.5 GiB"), std::string::npos) << list;
  EXPECT_NE(list.find("pinned"), std::string::npos) << list;
  EXPECT_EQ(almanac({"model", "unpin", "small"}).code, 0);
  EXPECT_EQ(show("small")["pinned"], false);
  EXPECT_EQ(almanac({"model", "pin", "llama"}).code, 0);
  const std::string shown = almanac({"model", "show", "llama"}).output;
  EXPECT_NE(shown.find("gives way    never"), std::string::npos) << shown;
  EXPECT_EQ(almanac({"model", "remove", "llama"}).code, 0);
  EXPECT_EQ(almanac({"model", "show", "llama"}).code, 3);
  EXPECT_EQ(almanac({"model", "remove", "llama"}).code, 3);
  EXPECT_NE(almanac({"log", "cat"}).output.find("ModelRemoved"), std::string::npos);
}

TEST_F(ModelCommandTest, LoadsAndUnloadsByTheirCommands) {
  ASSERT_EQ(almanac({"model", "add", "models.toml"}).code, 0);
  const auto loaded = almanac({"model", "load", "llama"});
  ASSERT_EQ(loaded.code, 0) << loaded.errors;
  EXPECT_EQ(read_file(folder_ / ".almanac" / "loaded"),
            "llama " + std::to_string(9 * model_gib + model_gib / 2) + "\n");
  const auto again = almanac({"model", "load", "llama"});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_EQ(show("llama")["loads"], 1) << "it was found to be there";
  EXPECT_EQ(show("llama")["uses"], 2);
  EXPECT_EQ(almanac({"model", "remove", "llama"}).code, 4) << "while it is loaded";
  const auto unloaded = almanac({"model", "unload", "llama"});
  EXPECT_EQ(unloaded.code, 0) << unloaded.errors;
  EXPECT_EQ(show("llama")["state"], "absent");
  EXPECT_FALSE(std::filesystem::exists(folder_ / ".almanac" / "loaded"));
}

TEST_F(ModelCommandTest, RunRegistersWhatAFileDescribes) {
  write_file(folder_ / "work.toml", "[[task]]\nname = 'one'\nshell = 'true'\n");
  const auto outcome = almanac({"run", "--models", "models.toml", "work.toml"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(show("llama")["state"], "absent");
}

TEST_F(ModelCommandTest, SaysWhereAFileIsWrong) {
  const auto refusal = [&](const std::string& text) {
    write_file(folder_ / "bad.toml", text);
    const auto outcome = almanac({"model", "add", "bad.toml"});
    EXPECT_EQ(outcome.code, 2) << text;
    return outcome.errors;
  };
  EXPECT_NE(refusal("[a]\nbytes = \"much\"\n").find("bad.toml:2"), std::string::npos);
  EXPECT_NE(refusal("[a]\nsize = 3\n").find("size"), std::string::npos);
  EXPECT_NE(refusal("[a]\nbytes = \"1GiB\"\nload = [\"true\"]\n").find("one way"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / ".almanac")) << "nothing was written";
}

}  // namespace
}  // namespace almanac::test
