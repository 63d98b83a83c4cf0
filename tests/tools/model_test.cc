// Models on the command line.
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/process_watch.h>
#include <almanac/tests/support/scripted_gpus.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <filesystem>
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

TEST_F(ModelCommandTest, ATaskThatIsSubmittedHasItsModelAndItsGpu) {
  ASSERT_EQ(almanac({"model", "add", "models.toml"}).code, 0);
  const auto submitted = almanac(
      {"submit", "--model", "small", "--", "sh", "-c", "echo $ALMANAC_MODEL $ALMANAC_GPU > asked"});
  ASSERT_EQ(submitted.code, 0) << submitted.errors;
  const auto ran = almanac({"run", "--models", "models.toml"});
  EXPECT_EQ(ran.code, 0) << ran.errors;
  EXPECT_EQ(read_file(folder_ / "asked"), "small " + ScriptedGpu{}.identity() + "\n");
  EXPECT_EQ(show("small")["uses"], 1);
  const auto refused = almanac({"submit", "--model", "nobody", "--", "true"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_NE(refused.errors.find("almanac model list"), std::string::npos) << refused.errors;
}

TEST_F(ModelCommandTest, ATaskThatAsksForMemoryIsToldWhereItHasIt) {
  const auto submitted = almanac({"submit", "--gpu-memory", "4GiB", "--", "sh", "-c",
                                  "echo $ALMANAC_GPU $ALMANAC_GPU_MEMORY > asked"});
  ASSERT_EQ(submitted.code, 0) << submitted.errors;
  const auto ran = almanac({"run", "--gpu-watch"});
  EXPECT_EQ(ran.code, 0) << ran.errors;
  EXPECT_EQ(read_file(folder_ / "asked"),
            ScriptedGpu{}.identity() + " " + std::to_string(4 * model_gib) + "\n");
  const auto large = almanac({"submit", "--gpu-memory", "11GiB", "--", "true"});
  EXPECT_EQ(large.code, 7);
  EXPECT_NE(large.errors.find("it asks for 11.0 GiB of a GPU, and the largest has 10.0 GiB"),
            std::string::npos)
      << large.errors;
  EXPECT_EQ(almanac({"submit", "--gpu", "one", "--", "true"}).code, 2);
  EXPECT_EQ(almanac({"submit", "--gpu-memory", "much", "--", "true"}).code, 2);
  EXPECT_EQ(almanac({"submit", "--gpu-memory", "1GiB", "--gpu", "one", "--", "true"}).code, 3);
}

// The first begins once somebody has looked at the GPU; the second never finds as much as it needs.
TEST_F(ModelCommandTest, WhySaysHowMuchMemoryIsMissing) {
  gpus.set({{.name = "Scripted", .heaps = {{.size = 10 * model_gib, .budget = 6 * model_gib}}}});
  write_file(folder_ / "work.toml",
             "[[task]]\nname = 'looks'\nshell = 'true'\ngpu_memory = '1 GiB'\n"
             "[[task]]\nname = 'large'\nshell = 'true'\ngpu_memory = '9.2 GiB'\n"
             "after = ['looks']\nexpires = '4s'\n");
  const auto ran = almanac({"run", "--gpu-watch", "work.toml"});
  const std::string why = almanac({"why", "2", "--json"}).output;
  EXPECT_NE(why.find("needs 9.2 GiB, device " + ScriptedGpu{}.identity().substr(0, 8) +
                     " has 6.0 free, 4.0 used by others, evictable 0"),
            std::string::npos)
      << why << ran.errors;
}

TEST_F(ModelCommandTest, WorkloadsSayWhatTheyNeedOfAGpu) {
  const auto refusal = [&](const std::string& text) {
    write_file(folder_ / "bad.toml", "[[task]]\nshell = 'true'\n" + text);
    const auto outcome = almanac({"run", "bad.toml"});
    EXPECT_EQ(outcome.code, 2) << text;
    return outcome.errors;
  };
  EXPECT_NE(refusal("gpu_memory = 'much'\n").find("'much' is not a size"), std::string::npos);
  EXPECT_NE(refusal("gpu = 'one'\n").find("'gpu' stands without 'gpu_memory'"), std::string::npos);
}

TEST_F(ModelCommandTest, WhatIfTriesModelsOnAGpuThatIsNotThere) {
  std::string models;
  for (const std::string name : {"a", "b"}) {
    models += "[" + name +
              "]\nbytes = '6GiB'\nload_time = '10s'\nresidency = '0s'\n"
              "load = ['true']\nunload = ['true']\n";
  }
  write_file(folder_ / "two.toml", models);
  std::string trace = "arrival,duration,model\n";
  for (int i = 0; i < 20; ++i) {
    trace += std::to_string(1'000 + i) + ",5," + (i % 2 == 0 ? "a" : "b") + "\n";
  }
  write_file(folder_ / "trace.csv", trace);
  const auto loads = [&](const std::string& order) {
    const auto tried =
        almanac({"whatif", "--trace", "trace.csv", "--slots", "2", "--models", "two.toml",
                 "--gpu-memory", "10GiB", "--model-order", order, "--json"});
    EXPECT_EQ(tried.code, 0) << tried.errors;
    return json::parse(tried.output)["models"]["loads"].get<int>();
  };
  EXPECT_EQ(loads("first_come"), 20);
  EXPECT_LE(loads("batched"), 4);
  const auto refused =
      almanac({"whatif", "--trace", "trace.csv", "--slots", "2", "--models", "two.toml"});
  EXPECT_EQ(refused.code, 2) << "nothing says how much memory there is";
}

// What was loaded when the program died may have gone with it: it is asked for, and not believed.
TEST_F(ModelCommandTest, AKilledProgramLeavesNothingThatIsThoughtToBeLoaded) {
  NamedPipe arrived(folder_ / "arrived");
  write_file(folder_ / "work.toml",
             "[[task]]\nname = 'one'\nmodel = 'llama'\nshell = 'if test ! -e tried; then touch "
             "tried; echo here > " +
                 arrived.path() + "; exec sleep 60; fi; cp .almanac/loaded seen'\n");
  std::vector<std::string> words = {"/usr/bin/env", "-C", folder_.path().string()};
  for (const auto& [name, value] : gpus.environment()) words.push_back(name + "=" + value);
  words.insert(words.end(), {almanac_path(), "run", "--models", "models.toml", "work.toml"});
  ChildProcess running(words);
  EXPECT_EQ(arrived.read_line(), "here");
  running.kill(SIGKILL);
  EXPECT_EQ(running.wait(), -SIGKILL);
  EXPECT_EQ(show("llama")["loads"], 1);
  std::filesystem::remove(folder_ / ".almanac" / "loaded");
  const auto again = almanac({"run", "--models", "models.toml", "work.toml"});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_EQ(show("llama")["loads"], 2) << "its check has said that it is gone";
  EXPECT_TRUE(std::filesystem::exists(folder_ / "seen")) << "its task ran with the model there";
}

}  // namespace
}  // namespace almanac::test
