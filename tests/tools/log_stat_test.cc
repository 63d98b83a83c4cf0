// `almanac log stat`: what it tells is what is there.
#include <almanac/tests/support/any_event.h>
#include <almanac/tests/support/contains.h>
#include <almanac/tests/support/log_commands.h>
#include <almanac/tests/support/test_log.h>

#include <almanac/tools/bar_plot.h>
#include <almanac/tools/text.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class LogStat : public LogCommands {
 protected:
  [[nodiscard]] json stat() const { return json::parse(output({"stat", "--json"})); }
};

TEST_F(LogStat, CountsEventsByTypeAndFramesAndBytes) {
  write_frames(log_folder(), sample_frames());
  auto found = stat();
  EXPECT_EQ(found.at("events"), 10);
  EXPECT_EQ(found.at("frames"), 4);
  auto verified = json::parse(output({"verify", "--json"}));
  EXPECT_EQ(found.at("frame_bytes"), verified.at("bytes"));
  EXPECT_EQ(found.at("first"), (json{{"position", 1}, {"time", "2026-11-21T10:00:00.000000Z"}}));
  EXPECT_EQ(found.at("last"), (json{{"position", 10}, {"time", "2026-11-21T10:09:00.000000Z"}}));
  ASSERT_EQ(found.at("types").size(), 10U);
  json paid{{"type", "custom"}, {"custom_type", "invoice.paid"}, {"events", 1}};
  // type 12, data 14, key 3, stream 9
  paid["bytes"] = 38;
  EXPECT_EQ(found.at("types").at(0), paid);
  auto carries_nothing = json{{"type", "EngineStopped"}, {"events", 1}, {"bytes", 0}};
  EXPECT_EQ(found.at("types").back(), carries_nothing);
}

TEST_F(LogStat, PutsTheMostFrequentTypeFirst) {
  std::vector<Event> events(5, {.at = sample_time(0), .body = TaskReadied{TaskId(1)}});
  events.push_back({.at = sample_time(1), .body = CustomEvent{"a", {}}});
  events.push_back({.at = sample_time(1), .body = CustomEvent{"b", {}}});
  events.push_back({.at = sample_time(1), .body = CustomEvent{"b", {}}});
  write_frames(log_folder(), {events});
  std::vector<std::pair<std::string, int>> found;
  auto told = stat();
  for (const auto& type : told.at("types")) {
    found.emplace_back(type.value("custom_type", type.at("type").get<std::string>()),
                       type.at("events"));
  }
  EXPECT_EQ(found,
            (std::vector<std::pair<std::string, int>>{{"TaskReadied", 5}, {"b", 2}, {"a", 1}}));
}

TEST_F(LogStat, TellsTheSizeOfEachFileAndTheSlack) {
  write_frames(log_folder(), sample_frames());
  auto found = stat();
  std::vector<std::string> names;
  for (const auto& file : found.at("files")) {
    auto name = file.at("name").get<std::string>();
    names.push_back(name);
    EXPECT_EQ(file.at("bytes"), fs::file_size(log_folder() / name)) << name;
    EXPECT_GE(file.at("on_disk"), 0) << name;
  }
  std::erase_if(names, [](const auto& name) { return name.starts_with("log/journal/"); });
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"lock", "log/commits", "log/data.mdb", "log/durable",
                                             "log/lock.mdb"}));
  EXPECT_EQ(found.at("slack").get<std::uint64_t>() + found.at("frame_bytes").get<std::uint64_t>(),
            fs::file_size(log_folder() / "log/data.mdb"));
}

TEST_F(LogStat, CountsEveryEventInSomeStepOfTheRate) {
  write_frames(log_folder(), sample_frames());
  auto rate = stat().at("rate");
  auto events = rate.at("events").get<std::vector<int>>();
  EXPECT_EQ(std::accumulate(events.begin(), events.end(), 0), 10);
  EXPECT_LE(events.size(), 60U);
  auto step = std::chrono::microseconds(rate.at("step_us").get<std::int64_t>());
  EXPECT_EQ(events.at(static_cast<std::size_t>(std::chrono::minutes(5) / step)), 1);
}

TEST_F(LogStat, IsAPageOfEightyColumns) {
  write_frames(log_folder(), sample_frames());
  auto text = output({"stat"});
  for (const auto& line : lines_of(text)) EXPECT_LE(columns(line), 80U) << line;
  EXPECT_TRUE(contains(text, "events    10 in 4 frames\na frame   2.5 events and ")) << text;
  EXPECT_TRUE(contains(text, "last      2026-11-21T10:09:00.000000Z at position 10, 9m00s later"))
      << text;
  EXPECT_TRUE(contains(text, "\nTaskFailed           1       10.0%  15 B\n")) << text;
  EXPECT_TRUE(contains(text, "\nevents per 9.00s\n1 |#")) << text;
  for (char c : text) EXPECT_GE(c, 0) << "ASCII only, as it is no terminal";
}

TEST_F(LogStat, DrawsBlocksOnATerminalThatShowsThem) {
  write_frames(log_folder(), sample_frames());
  auto on_terminal = [&](const std::string& locale) {
    return run_on_terminal({.arguments = {"log", "stat", "--dir", "log"},
                            .folder = folder_.path(),
                            .environment = {{"LC_ALL", locale}}},
                           80)
        .output;
  };
  EXPECT_TRUE(contains(on_terminal("en_US.UTF-8"), "█"));
  EXPECT_FALSE(contains(on_terminal("C"), "█"));
  EXPECT_TRUE(contains(on_terminal("C"), "#"));
}

TEST_F(LogStat, TellsOfAnEmptyLogAndOfOneMoment) {
  { TestLog empty(log_folder()); }
  EXPECT_TRUE(contains(output({"stat"}), "events    none\n"));
  EXPECT_EQ(stat().at("events"), 0);
  write_frames(log_folder(), {{{.at = sample_time(0), .body = EngineStopped{}}}});
  EXPECT_FALSE(stat().contains("rate"));
  EXPECT_FALSE(contains(output({"stat"}), "events per"));
}

TEST(BarPlot, IsAsHighAsItsCounts) {
  const std::vector<std::uint64_t> counts = {0, 1, 50, 100};
  EXPECT_EQ(bar_plot(counts, 1, Glyphs::blocks), (std::vector<std::string>{" ▁▄█"}));
  EXPECT_EQ(bar_plot(counts, 2, Glyphs::blocks), (std::vector<std::string>{"   █", " ▁██"}));
  EXPECT_EQ(bar_plot(counts, 2, Glyphs::ascii), (std::vector<std::string>{"   #", " .##"}));
  EXPECT_EQ(bar_plot({}, 1, Glyphs::ascii), std::vector<std::string>{""});
  EXPECT_EQ(bar_plot(std::vector<std::uint64_t>{0}, 1, Glyphs::ascii),
            std::vector<std::string>{" "});
}

}  // namespace
}  // namespace almanac::test
