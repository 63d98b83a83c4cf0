// GPUs on the command line.
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

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;

class GpuCommandTest : public testing::Test {
 protected:
  [[nodiscard]] CommandOutput almanac(std::vector<std::string> words) const {
    return run_almanac({.arguments = std::move(words),
                        .folder = folder_.path(),
                        .environment = gpus.environment()});
  }
  // A run whose only task waits until the log tells of a GPU.
  void watch() const {
    const std::string list =
        almanac_path() + " gpu list --json --dir " + (folder_ / ".almanac").string();
    write_file(folder_ / "wait.toml", "[[task]]\nname = 'wait'\nshell = 'until " + list +
                                          " | grep -q present; do :; done'\n");
    const auto outcome = almanac({"run", "--gpu-watch", "wait.toml"});
    ASSERT_EQ(outcome.code, 0) << outcome.errors << outcome.output;
  }
  ScriptedGpus gpus;
  TempFolder folder_;
};

TEST_F(GpuCommandTest, ShowsWhatAWatchHasSeen) {
  gpus.set(
      {{.name = "Scripted", .heaps = {{.size = 10 * gib, .own = 2 * gib, .budget = 3 * gib}}}});
  watch();
  const auto listed = json::parse(almanac({"gpu", "list", "--json"}).output);
  EXPECT_EQ(listed["presence"], "present");
  EXPECT_EQ(listed["heaps"][0]["used"], 9 * gib);
  EXPECT_EQ(listed["heaps"][0]["others"], 7 * gib);
  EXPECT_EQ(listed["heaps"][0]["level"], "critical");
  const std::string list = almanac({"gpu", "list"}).output;
  EXPECT_NE(list.find("90%"), std::string::npos) << list;
  const auto shown = json::parse(almanac({"gpu", "show", "01a1", "--json"}).output);
  EXPECT_EQ(shown["heaps"][0]["samples"][0]["own"], 2 * gib);
  const std::string text = almanac({"gpu", "show", "01a1"}).output;
  EXPECT_NE(text.find("critical since"), std::string::npos) << text;
  EXPECT_EQ(almanac({"gpu", "list", "--at", "1"}).output,
            "no GPUs; `almanac run --gpu-watch` watches them\n");
  EXPECT_EQ(almanac({"gpu", "show", "02"}).code, 3);
}

// Of the one that gave it, and of the heap that is its own; the first is of the machine.
TEST_F(GpuCommandTest, ShowsWhatTasksHaveOfEachGpu) {
  const ScriptedHeap host{.size = 40 * gib, .own = 0, .budget = 40 * gib, .is_local = false};
  gpus.set(
      {{.name = "Scripted", .heaps = {host, {.size = 10 * gib, .own = 0, .budget = 10 * gib}}},
       {.number = 2, .name = "Small", .heaps = {{.size = 3 * gib, .own = 0, .budget = 3 * gib}}}});
  const std::string list = almanac_path() + " gpu list --dir " + (folder_ / ".almanac").string();
  write_file(folder_ / "one.toml", "[[task]]\nname = 'one'\ngpu_memory = '4 GiB'\nshell = '" +
                                       list + " > table; " + list + " --json > json'\n");
  const auto outcome = almanac({"run", "--gpu-watch", "one.toml"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const std::vector<std::string> table = lines_of(read_file(folder_ / "table"));
  ASSERT_EQ(table.size(), 4U);
  EXPECT_NE(table[1].find("40.0 GiB  -"), std::string::npos) << table[1];
  EXPECT_NE(table[2].find("10.0 GiB  4.0 GiB"), std::string::npos)
      << "free, and with tasks: " << table[2];
  EXPECT_NE(table[3].find("3.0 GiB   -"), std::string::npos) << table[3];
  const std::vector<std::string> listed = lines_of(read_file(folder_ / "json"));
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(json::parse(listed[0])["held_by_tasks"], 4 * gib);
  EXPECT_EQ(json::parse(listed[1])["held_by_tasks"], 0U);
  const std::string later = almanac({"gpu", "list", "--json"}).output;
  EXPECT_EQ(json::parse(lines_of(later).at(0))["held_by_tasks"], 0U);
}

TEST_F(GpuCommandTest, LooksWithoutALog) {
  gpus.set({{.name = "Scripted", .has_budget = false, .heaps = {{.size = 10 * gib}}}});
  const auto probed = almanac({"gpu", "probe"});
  EXPECT_EQ(probed.code, 0) << probed.errors;
  EXPECT_NE(probed.output.find("~8.0 GiB"), std::string::npos)
      << "marked as an estimate: " << probed.output;
  const std::vector<std::string> rows = lines_of(probed.output);
  ASSERT_EQ(rows.size(), 2U) << probed.output;
  ASSERT_TRUE(rows[0].ends_with("TROUBLE")) << rows[0];
  EXPECT_EQ(rows[1].substr(rows[0].size() - 7), "-") << rows[1];
  gpus.set({});
  EXPECT_EQ(almanac({"gpu", "probe"}).output, "no GPUs: no driver has a device\n");
}

}  // namespace
}  // namespace almanac::test
