#include <almanac/tests/support/kill_workload.h>
#include <almanac/tests/support/recorded_traces.h>

#include <almanac/log/error.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>

#include <nlohmann/json.hpp>

#include <array>
#include <cstdlib>
#include <random>
#include <sstream>
#include <string_view>

namespace almanac::test {
namespace {

using nlohmann::ordered_json;

// Of a hundred tasks so many behave so; the others only work.
struct Share {
  int percent;
  std::string_view behaviour;
};
constexpr std::array shares = {Share{6, "child"},          Share{4, "child_in_own_group"},
                               Share{4, "child_of_shell"}, Share{4, "talk"},
                               Share{1, "talk_too_much"},  Share{2, "fail_first"},
                               Share{1, "fail"},           Share{1, "hang"}};

std::vector<ordered_json> recorded_tasks(const std::filesystem::path& traces, std::size_t count) {
  auto made = run_command({"/bin/sh", source_path("examples/genai_workload.sh"),
                           std::string(traces) + "/genai_requests.csv", std::to_string(count)});
  ALMANAC_CHECK(made.code == 0);
  std::vector<ordered_json> tasks;
  std::istringstream lines(made.output);
  for (std::string line; std::getline(lines, line);) {
    auto task = ordered_json::parse(line);
    if (task.contains("name")) tasks.push_back(std::move(task));
  }
  return tasks;
}

std::vector<ordered_json> invented_tasks(std::size_t count, std::mt19937_64& random) {
  std::vector<ordered_json> tasks;
  for (std::size_t i = 1; i <= count; ++i) {
    ordered_json task{{"name", "request-" + std::to_string(i)},
                      {"queue", random() % 4 == 0 ? "IMG_2_IMG" : "TXT_2_IMG"},
                      {"tags", {"M" + std::to_string(random() % 87)}}};
    if (random() % 67 == 0) task["attempts"] = 3;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

std::string draw_behaviour(std::mt19937_64& random) {
  auto drawn = static_cast<int>(random() % 100);
  for (const Share& share : shares) {
    drawn -= share.percent;
    if (drawn < 0) return std::string(share.behaviour);
  }
  return "work";
}

// Most are done at once, some are certain to be running when the engine is killed.
int draw_work_microseconds(std::mt19937_64& random) {
  auto range = random() % 20 == 0 ? 200'000 : 10'000;
  return static_cast<int>(random() % static_cast<std::uint64_t>(range));
}

void give_work(ordered_json& task, const KillWorkload& workload, std::mt19937_64& random) {
  auto behaviour = draw_behaviour(random);
  auto microseconds = draw_work_microseconds(random);
  if (task.contains("attempts")) behaviour = "fail_first";
  if (behaviour == "fail_first" || behaviour == "fail") {
    task["attempts"] = 3;
    task["backoff"] = "10ms";
    task["backoff_max"] = "50ms";
  }
  if (behaviour == "hang") {
    task["timeout"] = "50ms";
    microseconds = 600'000'000;
  }
  task["crashes"] = 1'000;  // the engine dies more often than a task may bring it down
  task.erase("shell");
  task["command"] = {program_path("kill_worker"), workload.record, behaviour,
                     std::to_string(microseconds)};
}

}  // namespace

std::set<std::string> write_kill_workload(const KillWorkload& workload) {
  std::mt19937_64 random(workload.seed);
  auto traces = recorded_traces();
  auto tasks =
      traces ? recorded_tasks(*traces, workload.tasks) : invented_tasks(workload.tasks, random);
  std::set<std::string> names;
  std::string text = R"({"workload":{"name":"killed"}})"
                     "\n";
  std::string before;
  for (ordered_json& task : tasks) {
    give_work(task, workload, random);
    if (random() % 20 == 0 && !before.empty()) task["after"] = {before};
    before = task["name"];
    names.insert(before);
    text += task.dump() + "\n";
  }
  write_file(workload.file, text);
  return names;
}

}  // namespace almanac::test
