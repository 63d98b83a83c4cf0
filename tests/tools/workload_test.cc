// Workloads that are right: what they become. Those that are wrong are in workload_refusal_test.cc.
#include <almanac/tools/workload.h>

#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/engine/command_spec.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const Time now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 10h;

// Loads a workload of this content, called work.toml or the like.
Workload loaded(const TempFolder& folder, std::string_view content, std::string_view ending) {
  const auto path = folder / ("work" + std::string(ending));
  write_file(path, content);
  auto workload = load_workload(path, now);
  EXPECT_TRUE(workload) << describe(workload.error());
  return workload ? std::move(*workload) : Workload{};
}

CommandSpec command_of(const WorkloadTask& task) {
  auto spec = decode_command(as_bytes(task.spec.payload));
  EXPECT_TRUE(spec);
  return spec.value_or(CommandSpec{});
}

std::vector<std::string> names_of(const Workload& workload) {
  std::vector<std::string> names;
  for (const WorkloadTask& task : workload.tasks) names.push_back(task.name);
  return names;
}

std::vector<std::string> dependencies_of(const Workload& workload, std::size_t place) {
  std::vector<std::string> names;
  for (const Dependency& dependency : workload.tasks[place].spec.dependencies) {
    names.push_back(workload.tasks.at(std::get<InBatch>(dependency).index).name);
  }
  return names;
}

// ---- What the keys mean ------------------------------------------------------------------------

constexpr std::string_view every_key_toml = R"(name = "nightly"

[defaults]
queue = "slow"
priority = -3
timeout = "1h"
env = { LANG = "C", MODE = "default" }

[queues.slow]
slots = 2
[queues."with space"]
slots = 1

[[task]]
name = "fetch"
command = ["curl", "-o", "a b", "é"]
tags = ["network", "first"]
attempts = 5
backoff = "250ms"
backoff_max = "1m30s"
delay = "10m"

[[task]]
name = "count"
shell = "wc -l < \"$FILE\""
after = ["fetch"]
queue = "default"
priority = 7
timeout = "30s"
run_at = 2026-12-01T00:00:00+01:00
cwd = "data"
env = { FILE = "a b", MODE = "count" }
)";

constexpr std::string_view every_key_json =
    R"({"workload":{"name":"nightly","queues":{"slow":{"slots":2},"with space":{"slots":1}},)"
    R"("defaults":{"queue":"slow","priority":-3,"timeout":"1h",)"
    R"("env":{"LANG":"C","MODE":"default"}}}}
{"name":"fetch","command":["curl","-o","a b","\u00e9"],"tags":["network","first"],)"
    R"("attempts":5,"backoff":"250ms","backoff_max":"1m30s","delay":"10m"}
{"name":"count","shell":"wc -l < \"$FILE\"","after":["fetch"],"queue":"default","priority":7,)"
    R"("timeout":"30s","run_at":"2026-12-01T00:00:00+01:00","cwd":"data",)"
    R"("env":{"FILE":"a b","MODE":"count"}}
)";

void expect_every_key(const Workload& workload, const fs::path& folder) {
  EXPECT_EQ(workload.name, "nightly");
  ASSERT_EQ(workload.queues.size(), 2U);
  EXPECT_EQ(workload.queues[0].queue, "slow");
  EXPECT_EQ(workload.queues[0].slots, 2U);
  EXPECT_EQ(workload.queues[1].queue, "with space");
  EXPECT_EQ(workload.queues[1].slots, 1U);
  ASSERT_EQ(names_of(workload), (std::vector<std::string>{"fetch", "count"}));

  const TaskSpec& fetch = workload.tasks[0].spec;
  EXPECT_EQ(fetch.kind, "command");
  EXPECT_EQ(fetch.label, "fetch");
  EXPECT_EQ(fetch.idempotency_key, "nightly/fetch");
  EXPECT_EQ(fetch.queue, "slow");
  EXPECT_EQ(fetch.priority, -3);
  EXPECT_EQ(fetch.attempts_max, 5);
  EXPECT_EQ(fetch.backoff, (Backoff{250ms, 90s}));
  EXPECT_EQ(fetch.timeout, Duration(1h));
  EXPECT_EQ(fetch.run_at, now + 10min);
  EXPECT_EQ(fetch.tags, (std::vector<std::string>{"network", "first"}));
  const auto fetch_command = command_of(workload.tasks[0]);
  EXPECT_EQ(fetch_command.arguments, (std::vector<std::string>{"curl", "-o", "a b", "é"}));
  EXPECT_EQ(fetch_command.working_folder, folder);
  EXPECT_EQ(fetch_command.environment,
            (std::map<std::string, std::string>{{"LANG", "C"}, {"MODE", "default"}}));

  const TaskSpec& count = workload.tasks[1].spec;
  EXPECT_EQ(count.queue, "default");
  EXPECT_EQ(count.priority, 7);
  EXPECT_EQ(count.timeout, Duration(30s));
  EXPECT_EQ(count.run_at, Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 30) + 23h));
  EXPECT_EQ(dependencies_of(workload, 1), (std::vector<std::string>{"fetch"}));
  const auto count_command = command_of(workload.tasks[1]);
  EXPECT_EQ(count_command.arguments,
            (std::vector<std::string>{"/bin/sh", "-c", "wc -l < \"$FILE\""}));
  EXPECT_EQ(count_command.working_folder, folder / "data");
  EXPECT_EQ(count_command.environment, (std::map<std::string, std::string>{
                                           {"FILE", "a b"}, {"LANG", "C"}, {"MODE", "count"}}));
}

TEST(Workload, OfTomlHasEveryKey) {
  TempFolder folder;
  const auto workload = loaded(folder, every_key_toml, ".toml");
  expect_every_key(workload, folder.path());
  EXPECT_EQ(workload.tasks[0].line, 14);
  EXPECT_EQ(workload.tasks[1].line, 23);
}

TEST(Workload, OfJsonLinesHasEveryKey) {
  TempFolder folder;
  const auto workload = loaded(folder, every_key_json, ".jsonl");
  expect_every_key(workload, folder.path());
  EXPECT_EQ(workload.tasks[0].line, 2);
  EXPECT_EQ(workload.tasks[1].line, 3);
}

TEST(Workload, LeavesOutWhatHasADefault) {
  TempFolder folder;
  const auto workload = loaded(folder, R"({"command":["true"]})", ".jsonl");
  ASSERT_EQ(workload.tasks.size(), 1U);
  const TaskSpec& spec = workload.tasks[0].spec;
  EXPECT_EQ(workload.name, "work");
  EXPECT_EQ(workload.tasks[0].name, "line-1");
  EXPECT_EQ(spec.idempotency_key, "work/line-1");
  EXPECT_EQ(spec.queue, "default");
  EXPECT_EQ(spec.priority, 0);
  EXPECT_EQ(spec.attempts_max, 1);
  EXPECT_EQ(spec.backoff, Backoff{});
  EXPECT_EQ(spec.timeout, Duration(0));
  EXPECT_EQ(spec.run_at, Time());
  EXPECT_TRUE(spec.tags.empty());
  EXPECT_TRUE(spec.dependencies.empty());
}

TEST(Workload, OverridesADefaultByItsAlternative) {
  TempFolder folder;
  const auto workload = loaded(folder,
                               R"({"workload":{"defaults":{"shell":"exit 1","delay":"1h"}}}
{"command":["true"],"run_at":"2027-01-01T00:00:00Z"}
{})",
                               ".jsonl");
  ASSERT_EQ(workload.tasks.size(), 2U);
  EXPECT_EQ(command_of(workload.tasks[0]).arguments, std::vector<std::string>{"true"});
  EXPECT_EQ(workload.tasks[0].spec.run_at,
            Time(std::chrono::sys_days(std::chrono::year(2027) / 1 / 1)));
  EXPECT_EQ(command_of(workload.tasks[1]).arguments.at(2), "exit 1");
  EXPECT_EQ(workload.tasks[1].spec.run_at, now + 1h);
}

TEST(Workload, RunsEachTaskWhereItsFolderLies) {
  TempFolder folder;
  fs::create_directories(folder / "real/inner");
  fs::create_directory_symlink("real/inner", folder / "link");
  const auto workload = loaded(folder, R"({"cwd":"/","command":["a"]}
{"cwd":"..","command":["a"]}
{"cwd":"./x/../y//z/.","command":["a"]}
{"cwd":"link/..","command":["a"]})",
                               ".jsonl");
  std::vector<std::string> folders;
  for (const auto& task : workload.tasks) folders.push_back(command_of(task).working_folder);
  EXPECT_EQ(folders, (std::vector<std::string>{"/", folder.path().parent_path(), folder / "y/z",
                                               folder / "link/.."}));
}

// ---- How files are written ---------------------------------------------------------------------

std::string with_windows_ends(std::string_view text) {
  std::string result = "\xEF\xBB\xBF";
  for (char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return result;
}

TEST(Workload, MayHaveAByteOrderMarkAndWindowsLineEnds) {
  TempFolder folder;
  expect_every_key(loaded(folder, with_windows_ends(every_key_toml), ".toml"), folder.path());
  expect_every_key(loaded(folder, with_windows_ends(every_key_json), ".jsonl"), folder.path());
}

TEST(Workload, MayHaveBlankLinesAndNoLastLineEnd) {
  TempFolder folder;
  const auto workload =
      loaded(folder, "\n  \t\n{\"command\":[\"a\"]}\n\r\n{\"command\":[\"b\"]}", ".ndjson");
  EXPECT_EQ(names_of(workload), (std::vector<std::string>{"line-3", "line-5"}));
}

TEST(Workload, MayEndInJsonAndInCapitals) {
  TempFolder folder;
  EXPECT_EQ(loaded(folder, R"({"command":["a"]})", ".json").tasks.size(), 1U);
  EXPECT_EQ(loaded(folder, R"({"command":["a"]})", ".JSONL").tasks.size(), 1U);
}

TEST(Workload, ComesFromStandardInputAsJsonLines) {
  TempFolder folder;
  write_file(folder / "input", R"({"command":["a"]})");
  const int saved = ::dup(STDIN_FILENO);
  const int input = ::open((folder / "input").c_str(), O_RDONLY);
  ASSERT_GE(saved, 0);
  ASSERT_GE(input, 0);
  ASSERT_EQ(::dup2(input, STDIN_FILENO), STDIN_FILENO);
  const auto workload = load_workload("-", now);
  ::close(input);
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
  ASSERT_TRUE(workload) << describe(workload.error());
  EXPECT_EQ(workload->name, "stdin");
  EXPECT_EQ(workload->tasks.at(0).spec.idempotency_key, "stdin/line-1");
  EXPECT_EQ(command_of(workload->tasks[0]).working_folder, fs::current_path());
}

// ---- Order -------------------------------------------------------------------------------------

TEST(Workload, PutsEveryTaskBehindItsDependenciesAndElseKeepsTheOrder) {
  TempFolder folder;
  const auto workload = loaded(folder, R"({"name":"a","command":["x"]}
{"name":"b","command":["x"],"after":["e","a"]}
{"name":"c","command":["x"]}
{"name":"d","command":["x"],"after":["b"]}
{"name":"e","command":["x"]}
{"name":"f","command":["x"]})",
                               ".jsonl");
  EXPECT_EQ(names_of(workload), (std::vector<std::string>{"a", "c", "e", "b", "d", "f"}));
  EXPECT_EQ(dependencies_of(workload, 3), (std::vector<std::string>{"e", "a"}));
  EXPECT_EQ(dependencies_of(workload, 4), (std::vector<std::string>{"b"}));
}

struct DrawnTask {
  std::string name;
  std::vector<std::string> after;
  std::vector<std::string> arguments;
};

// Texts of any character, those that must be escaped among them.
std::string draw_text() {
  static const std::vector<std::string> characters = {
      "a", "B", " ", "\"", "\\", "\n", "\t", "\r", "é", "…", "𝄞", "\x01", "\x1f", "'", "$"};
  std::string text;
  for (const auto& character :
       *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(characters))) {
    text += character;
  }
  return text;
}

// Tasks that depend on each other along some order that is not the file's.
std::vector<DrawnTask> draw_tasks() {
  const auto count = *rc::gen::inRange<std::size_t>(1, 24);
  std::vector<DrawnTask> tasks(count);
  std::vector<std::size_t> ranks(count);
  for (std::size_t i = 0; i < count; ++i) {
    tasks[i].name = "task-" + std::to_string(i);
    tasks[i].arguments = {"program", draw_text()};
    ranks[i] = *rc::gen::inRange<std::size_t>(0, count);
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      if (ranks[j] < ranks[i] && *rc::gen::inRange(0, 4) == 0) {
        tasks[i].after.push_back(tasks[j].name);
      }
    }
  }
  return tasks;
}

// What the order should be, found the slow way.
std::vector<std::string> naive_order(std::vector<DrawnTask> tasks) {
  std::vector<std::string> placed;
  while (!tasks.empty()) {
    auto next = std::ranges::find_if(tasks, [&](const DrawnTask& task) {
      return std::ranges::all_of(task.after, [&](const std::string& name) {
        return std::ranges::find(placed, name) != placed.end();
      });
    });
    placed.push_back(next->name);
    tasks.erase(next);
  }
  return placed;
}

std::string as_json_lines(const std::vector<DrawnTask>& tasks) {
  std::string text;
  for (const DrawnTask& task : tasks) {
    const nlohmann::json line{
        {"name", task.name}, {"command", task.arguments}, {"after", task.after}};
    text += line.dump() + "\n";
  }
  return text;
}

// The lists and texts of JSON mean the same in TOML.
std::string as_toml(const std::vector<DrawnTask>& tasks) {
  std::string text;
  for (const DrawnTask& task : tasks) {
    text += "[[task]]\nname = " + nlohmann::json(task.name).dump() +
            "\ncommand = " + nlohmann::json(task.arguments).dump() +
            "\nafter = " + nlohmann::json(task.after).dump() + "\n";
  }
  return text;
}

RC_GTEST_PROP(Workload, KeepsWhatWasWrittenInBothFormats, ()) {
  const auto tasks = draw_tasks();
  std::map<std::string, DrawnTask> by_name;
  for (const DrawnTask& task : tasks) by_name[task.name] = task;
  TempFolder folder;
  for (const auto& workload :
       {loaded(folder, as_json_lines(tasks), ".jsonl"), loaded(folder, as_toml(tasks), ".toml")}) {
    RC_ASSERT(names_of(workload) == naive_order(tasks));
    for (std::size_t place = 0; place < workload.tasks.size(); ++place) {
      const DrawnTask& drawn = by_name.at(workload.tasks[place].name);
      RC_ASSERT(dependencies_of(workload, place) == drawn.after);
      RC_ASSERT(command_of(workload.tasks[place]).arguments == drawn.arguments);
      for (const Dependency& dependency : workload.tasks[place].spec.dependencies) {
        RC_ASSERT(std::get<InBatch>(dependency).index < place);
      }
    }
  }
}

TEST(Workload, MayBeAChainInReverseOfManyThousandTasks) {
  TempFolder folder;
  constexpr int count = 26'823;
  std::string text;
  for (int i = 1; i <= count; ++i) {
    text += R"({"command":["true"],"name":"t)" + std::to_string(i) + "\"";
    if (i < count) text += R"(,"after":["t)" + std::to_string(i + 1) + "\"]";
    text += "}\n";
  }
  const auto workload = loaded(folder, text, ".jsonl");
  ASSERT_EQ(workload.tasks.size(), std::size_t{count});
  EXPECT_EQ(workload.tasks.front().name, "t26823");
  EXPECT_EQ(workload.tasks.back().name, "t1");
}

}  // namespace
}  // namespace almanac::test
