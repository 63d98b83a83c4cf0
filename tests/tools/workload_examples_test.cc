// The workloads in examples/, the one that reports on the project and the one a script makes of
// recorded requests, and those the guide shows.
#include <almanac/tools/workload.h>

#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/recorded_traces.h>
#include <almanac/tests/support/temp_folder.h>

#include <almanac/engine/command_spec.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {
namespace {

namespace fs = std::filesystem;

CommandSpec decoded(const WorkloadTask& task) {
  auto spec = decode_command(as_bytes(task.spec.payload));
  EXPECT_TRUE(spec);
  return spec.value_or(CommandSpec{});
}

std::map<std::string, std::uint32_t> slots_of(const Workload& workload) {
  std::map<std::string, std::uint32_t> slots;
  for (const ConfigureQueue& queue : workload.queues) slots[queue.queue] = queue.slots.value_or(0);
  return slots;
}

bool has_shell(const WorkloadTask& task) { return decoded(task).arguments.front() == "/bin/sh"; }

// ---- project_report.toml -----------------------------------------------------------------------

TEST(ProjectReport, IsAWorkloadThatShowsWhatThereIs) {
  auto workload = load_workload(source_path("examples/project_report.toml"), Time());
  ASSERT_TRUE(workload) << describe(workload.error());
  const auto& tasks = workload->tasks;
  EXPECT_GE(tasks.size(), 20U);
  EXPECT_EQ(workload->queues.size(), 2U);
  EXPECT_EQ(tasks.front().name, "prepare");
  EXPECT_EQ(tasks.back().name, "verify-report");
  const auto any = [&](auto wanted) { return std::ranges::any_of(tasks, wanted); };
  EXPECT_TRUE(any([](const auto& task) { return task.spec.attempts_max > 1; }));
  EXPECT_TRUE(any([](const auto& task) { return task.spec.priority > 0; }));
  EXPECT_TRUE(any([](const auto& task) { return task.spec.dependencies.size() > 2; }));
  EXPECT_TRUE(any([](const auto& task) { return !task.spec.tags.empty(); }));
  for (const auto& task : tasks) {
    EXPECT_EQ(fs::path(decoded(task).working_folder),
              fs::absolute(source_path(".")).lexically_normal().parent_path());
    EXPECT_TRUE(slots_of(*workload).contains(task.spec.queue)) << task.name;
    EXPECT_GT(task.spec.timeout, Duration(0)) << task.name;
  }
}

// ---- docs/guides/workloads.md ------------------------------------------------------------------

// What the guide shows in its first block of this language.
std::string shown(const std::string& guide, const std::string& language) {
  const auto fence = "```" + language + "\n";
  const auto begin = guide.find(fence) + fence.size();
  return guide.substr(begin, guide.find("```", begin) - begin);
}

TEST(WorkloadGuide, ShowsOneWorkloadInBothFormats) {
  const auto guide = read_file(source_path("docs/guides/workloads.md"));
  TempFolder folder;
  write_file(folder / "work.toml", shown(guide, "toml"));
  write_file(folder / "work.jsonl", shown(guide, "json"));
  const auto toml = load_workload(folder / "work.toml", Time());
  const auto json = load_workload(folder / "work.jsonl", Time());
  ASSERT_TRUE(toml) << describe(toml.error());
  ASSERT_TRUE(json) << describe(json.error());
  EXPECT_EQ(toml->name, json->name);
  EXPECT_EQ(slots_of(*toml), slots_of(*json));
  ASSERT_EQ(toml->tasks.size(), json->tasks.size());
  for (std::size_t i = 0; i < toml->tasks.size(); ++i) {
    const TaskSpec& one = toml->tasks[i].spec;
    const TaskSpec& other = json->tasks[i].spec;
    EXPECT_EQ(one.idempotency_key, other.idempotency_key);
    EXPECT_EQ(one.payload, other.payload);
    EXPECT_EQ(one.queue, other.queue);
    EXPECT_EQ(one.attempts_max, other.attempts_max);
    EXPECT_EQ(one.backoff, other.backoff);
    EXPECT_EQ(one.timeout, other.timeout);
    EXPECT_EQ(one.dependencies, other.dependencies);
  }
}

TEST(WorkloadGuide, HasARowForEveryKey) {
  const auto guide = read_file(source_path("docs/guides/workloads.md"));
  TempFolder folder;
  write_file(folder / "work.jsonl", R"({"unheard-of":1})");
  const auto refused = load_workload(folder / "work.jsonl", Time());
  ASSERT_FALSE(refused);
  std::istringstream known(refused.error().next_step.substr(std::string("known here: ").size()));
  int keys = 0;
  for (std::string key; std::getline(known >> std::ws, key, ',');) {
    EXPECT_NE(guide.find("\n| `" + key + "` |"), std::string::npos) << key;
    ++keys;
  }
  EXPECT_EQ(keys, 30);
}

// ---- genai_workload.sh -------------------------------------------------------------------------

struct Ended {
  std::string output;
  int status = 0;
};

Ended run_script(const std::string& arguments) {
  const auto script = source_path("examples/genai_workload.sh").string();
  std::FILE* pipe = ::popen(("sh '" + script + "' " + arguments + " 2>&1").c_str(), "r");
  ALMANAC_CHECK(pipe != nullptr);
  Ended ended;
  std::vector<char> buffer(1 << 16);
  while (auto count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    ended.output.append(buffer.data(), count);
  }
  ended.status = ::pclose(pipe);
  return ended;
}

// The workload the script makes.
Workload made(const std::string& arguments) {
  TempFolder folder;
  const auto ended = run_script(arguments);
  EXPECT_EQ(ended.status, 0) << ended.output;
  write_file(folder / "genai.jsonl", ended.output);
  auto workload = load_workload(folder / "genai.jsonl", Time());
  EXPECT_TRUE(workload) << describe(workload.error());
  return workload ? std::move(*workload) : Workload{};
}

constexpr std::string_view heading =
    "gmt_create,predict_type,predict_status,exec_time_seconds,checkpoint_model_version_id\n";

TEST(GenaiWorkload, HasOneTaskForEachRequestInOrderOfArrival) {
  TempFolder folder;
  write_file(folder / "small.csv", std::string(heading) +
                                       "2024-11-15 10:00:02,TXT,SUCCEED,1,M2\n"
                                       "2024-11-15 10:00:01,IMG,FAILED,1,M\"\\1\r\n"
                                       "2024-11-15 10:00:02,TXT,PENDING,,\n"
                                       "2024-11-15 10:00:00,IMG,SUCCEED,1,M4\n");
  const auto workload = made("'" + (folder / "small.csv").string() + "'");
  ASSERT_EQ(workload.tasks.size(), 4U);
  EXPECT_EQ(workload.name, "genai_requests");
  std::vector<std::vector<std::string>> tags;
  for (const auto& task : workload.tasks) tags.push_back(task.spec.tags);
  EXPECT_EQ(tags, (std::vector<std::vector<std::string>>{{"M4"}, {"M\"\\1"}, {"M2"}, {}}));
  const WorkloadTask& fails_first = workload.tasks[1];
  EXPECT_EQ(fails_first.name, "request-2");
  EXPECT_EQ(fails_first.spec.queue, "IMG");
  EXPECT_EQ(fails_first.spec.attempts_max, 3);
  EXPECT_EQ(fails_first.spec.backoff.max, std::chrono::milliseconds(50));
  EXPECT_EQ(decoded(fails_first).arguments.at(2), "test \"$ALMANAC_ATTEMPT\" -gt 1");
  EXPECT_EQ(decoded(workload.tasks[2]).arguments, std::vector<std::string>{"/bin/true"});
}

TEST(GenaiWorkload, MayBeOfTheFirstRequestsOnly) {
  TempFolder folder;
  write_file(folder / "small.csv",
             std::string(heading) + "3,A,SUCCEED,1,M\n1,B,SUCCEED,1,M\n" + "2,C,SUCCEED,1,M\n");
  const auto workload = made("'" + (folder / "small.csv").string() + "' 2");
  ASSERT_EQ(workload.tasks.size(), 2U);
  EXPECT_EQ(workload.tasks[0].spec.queue, "B");
  EXPECT_EQ(workload.tasks[1].spec.queue, "C");
}

TEST(GenaiWorkload, ExplainsItsArguments) {
  for (const std::string arguments : {"", "a b c", "a 0", "a ''", "a -1", "a 1x"}) {
    const auto ended = run_script(arguments);
    EXPECT_EQ(WEXITSTATUS(ended.status), 2) << arguments;
    EXPECT_TRUE(ended.output.starts_with("usage: ")) << ended.output;
  }
  TempFolder folder;
  EXPECT_EQ(run_script(folder / "none.csv").output,
            "genai_workload.sh: cannot read '" + (folder / "none.csv").string() + "'\n");
  write_file(folder / "other.csv", "a,b\n1,2\n");
  const auto other = run_script(folder / "other.csv");
  EXPECT_EQ(WEXITSTATUS(other.status), 1);
  EXPECT_EQ(other.output, "genai_workload.sh: '" + (folder / "other.csv").string() +
                              "' has no column 'gmt_create'\n");
}

struct Request {
  std::string arrival;
  std::string kind;
  bool has_failed;
  std::vector<std::string> tags;
};

// The trace, sorted without the script's help.
std::vector<Request> requests_of(const fs::path& trace) {
  std::istringstream text(read_file(trace));
  std::vector<Request> requests;
  std::string line;
  std::getline(text, line);
  while (std::getline(text, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    requests.push_back({cells.at(0), cells.at(1), cells.at(2) == "FAILED", {}});
    if (!cells.at(9).empty()) requests.back().tags.push_back(cells.at(9));
  }
  std::ranges::stable_sort(requests, {}, &Request::arrival);
  return requests;
}

TEST(GenaiWorkload, OfTheWholeTraceHasEveryRequest) {
  const auto traces = recorded_traces();
  if (!traces) return;  // the tests above do the same with a small file
  const auto trace = *traces / "genai_requests.csv";
  const auto requests = requests_of(trace);
  const auto workload = made("'" + trace.string() + "'");
  ASSERT_EQ(workload.tasks.size(), 26'823U);
  ASSERT_EQ(requests.size(), workload.tasks.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const WorkloadTask& task = workload.tasks[i];
    ASSERT_EQ(task.name, "request-" + std::to_string(i + 1));
    ASSERT_EQ(task.spec.queue, requests[i].kind);
    ASSERT_EQ(task.spec.tags, requests[i].tags);
    ASSERT_EQ(has_shell(task), requests[i].has_failed);
  }
  EXPECT_EQ(std::ranges::count_if(workload.tasks, has_shell), 398);
}

}  // namespace
}  // namespace almanac::test
