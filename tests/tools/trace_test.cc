// The recorded requests of a production service, each a task: examples/genai_workload.sh on
// genai_requests.csv. Without the recording, requests of the same shape that are made up here.
#include <almanac/engine/engine.h>
#include <almanac/snapshots/checkpoints.h>
#include <almanac/snapshots/rebuild.h>
#include <almanac/snapshots/state_at.h>
#include <almanac/tests/support/almanac_command.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/recorded_traces.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tools/workload.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace almanac::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

// What is known of the whole recording, from outside.
constexpr std::size_t recorded_requests = 26'823;
constexpr std::size_t recorded_failures = 398;
// A sanitizer's build takes its time: the front of the recording has to do.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_slow_build = true;
#else
constexpr bool is_slow_build = false;
#endif
constexpr std::size_t requests_of_slow_build = 2'000;
// The past is looked at through fewer, but in a campaign.
constexpr std::size_t requests_looked_at = 1'000;
constexpr std::size_t moments_looked_at = 1'000;
constexpr std::size_t checkpoints_kept = 8;
constexpr int requests_made_up = 500;

bool is_campaign() {
  const char* campaign = std::getenv("ALMANAC_CAMPAIGN");
  return campaign != nullptr && campaign != std::string_view("0");
}

std::optional<std::filesystem::path> recording() {
  auto traces = recorded_traces();
  if (!traces) return std::nullopt;
  return *traces / "genai_requests.csv";
}

std::string made_up_requests() {
  std::string csv = "gmt_create,predict_type,predict_status,checkpoint_model_version_id\n";
  for (int i = 0; i < requests_made_up; ++i) {
    auto second = std::to_string(10 + (i * 7) % 50);
    csv += "2024-11-15 16:57:" + second + (i % 3 == 0 ? ",IMG_2_IMG," : ",TXT_2_IMG,") +
           (i % 60 == 0 ? "FAILED" : "SUCCEED") + ",M000" + std::to_string(i % 9) + "\n";
  }
  return csv;
}

std::vector<json> parse_lines(const std::string& text) {
  std::vector<json> values;
  for (const auto& line : lines_of(text)) values.push_back(json::parse(line));
  return values;
}

class Trace : public testing::Test {
 protected:
  // Writes w.jsonl, of all requests in a campaign. Answers its tasks in order.
  std::vector<json> make_workload(std::optional<std::size_t> requests) {
    auto source = recording();
    is_whole_ = source && (is_campaign() || !requests);
    if (!source) {
      source = folder_ / "requests.csv";
      write_file(*source, made_up_requests());
    }
    auto count = is_whole_ ? "" : " " + std::to_string(requests.value_or(requests_of_slow_build));
    auto script = source_path("examples/genai_workload.sh").string();
    ChildProcess shell({"/bin/sh", "-c",
                        "'" + script + "' '" + source->string() + "'" + count + " > '" +
                            (folder_ / "w.jsonl").string() + "'"});
    EXPECT_EQ(shell.wait(), 0);
    auto lines = parse_lines(read_file(folder_ / "w.jsonl"));
    lines.erase(lines.begin());  // what it says about itself
    return lines;
  }
  [[nodiscard]] CommandOutput almanac(Words words) const {
    words.insert(words.end(), {"--dir", "log"});
    return run_almanac({.arguments = std::move(words), .folder = folder_.path()});
  }

  TempFolder folder_;
  bool is_whole_ = false;
};

// Those that fail on their first attempt.
std::set<std::string> failing_ones(const std::vector<json>& tasks) {
  std::set<std::string> names;
  for (const json& task : tasks) {
    if (task.contains("attempts")) names.insert(task.at("name"));
  }
  return names;
}

// The n-th task is the n-th request, in its kind's queue, and took the attempts it had to.
void expect_as_recorded(const std::vector<json>& listed, const std::vector<json>& tasks) {
  auto failing = failing_ones(tasks);
  ASSERT_EQ(listed.size(), tasks.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    int attempts = failing.contains(tasks[i].at("name")) ? 2 : 1;
    bool right = listed[i].at("label") == tasks[i].at("name") &&
                 listed[i].at("queue") == tasks[i].at("queue") &&
                 listed[i].at("state") == "succeeded" && listed[i].at("attempts") == attempts &&
                 listed[i].at("failures") == attempts - 1;
    if (!right && ++wrong < 4) ADD_FAILURE() << listed[i] << " is not " << tasks[i];
  }
  EXPECT_EQ(wrong, 0U);
}

TEST_F(Trace, EveryRequestSucceedsAndTheLogReplaysToTheDigestOfTheRun) {
  auto tasks = make_workload(is_slow_build ? std::optional(requests_of_slow_build) : std::nullopt);
  if (is_whole_) {
    EXPECT_EQ(tasks.size(), recorded_requests);
    EXPECT_EQ(failing_ones(tasks).size(), recorded_failures);
  }
  EXPECT_GT(failing_ones(tasks).size(), 0U);
  auto run = almanac({"run", "w.jsonl", "--slots", "8", "--json"});
  ASSERT_EQ(run.code, 0) << run.errors;
  EXPECT_EQ(run.errors, "");
  auto lines = lines_of(run.output);
  EXPECT_EQ(lines.size(), tasks.size() + failing_ones(tasks).size() + 1);
  auto closing = json::parse(lines.back());
  EXPECT_EQ(closing.at("tasks"), tasks.size());
  EXPECT_EQ(closing.at("succeeded"), tasks.size());

  expect_as_recorded(parse_lines(almanac({"list", "--limit", "0", "--json"}).output), tasks);
  auto verified = almanac({"log", "verify", "--json"});
  ASSERT_EQ(verified.code, 0) << verified.errors;
  EXPECT_EQ(json::parse(verified.output).at("events"), closing.at("position"));
  auto replayed = json::parse(almanac({"state", "digest", "--json"}).output);
  EXPECT_EQ(replayed.at("position"), closing.at("position"));
  EXPECT_EQ(replayed.at("digest"), closing.at("digest"));

  auto again = almanac({"run", "w.jsonl", "--slots", "8", "--json"});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_EQ(lines_of(again.output).size(), 1U) << "it did something twice";
}

std::string hex(const State& state) { return to_hex(digest(state)); }

std::set<Position> drawn_positions(std::size_t count, std::uint64_t last, std::mt19937_64& random) {
  std::set<Position> drawn;
  while (drawn.size() < count) drawn.insert(Position(1 + random() % last));
  return drawn;
}

// What an engine came to, kept where it is wanted: its own state behind each turn, and from there
// on the events it told of.
class Witness {
 public:
  explicit Witness(const std::set<Position>& wanted) {
    for (Position position : wanted) states_.try_emplace(position);
  }
  void see(const State& after, std::span<const RecordedEvent> events) {
    EXPECT_EQ(after.position, events.back().position);
    for (const RecordedEvent& event : events) {
      fold_into(state_, event);
      if (event.position == after.position) state_ = after;
      if (auto wanted = states_.find(event.position); wanted != states_.end()) {
        wanted->second = state_;
      }
    }
  }
  [[nodiscard]] const State& at(Position position) const { return states_.at(position); }

 private:
  State state_;
  std::map<Position, State> states_;
};

TEST_F(Trace, TheStateAtAnyPositionIsThatOfTheRunFromACheckpointAndFromTheFirstEvent) {
  const auto tasks = make_workload(requests_looked_at).size();
  const auto workload = load_workload(folder_ / "w.jsonl", system_time());
  ASSERT_TRUE(workload) << describe(workload.error());
  std::mt19937_64 random(20'261'121);
  // Each task has three events or more.
  const auto moments = drawn_positions(moments_looked_at, 3 * tasks, random);
  const auto checkpoints = drawn_positions(checkpoints_kept, 3 * tasks, random);
  auto wanted = moments;
  wanted.insert(checkpoints.begin(), checkpoints.end());
  Witness run(wanted);
  const auto place = folder_ / "log";
  {
    auto engine =
        Engine::open({.folder = place, .slots = 8, .on_events = [&](auto& after, auto events) {
                        run.see(after, events);
                      }});
    ASSERT_TRUE(engine) << describe(engine.error());
    for (const WorkloadTask& task : workload->tasks) {
      (*engine)->submit({task.spec}, [](const auto& answer) { EXPECT_TRUE(answer); });
    }
    EXPECT_TRUE((*engine)->wait(
        [&](const State& state) { return state.tasks.count(TaskState::succeeded) == tasks; }));
  }
  const auto log = Log::open(place, {.access = Access::read});
  ASSERT_TRUE(log) << describe(log.error());
  for (Position position : checkpoints) {
    ASSERT_TRUE(keep_checkpoint(**log, place, run.at(position)));
  }
  auto compare = [&](const State& rebuilt) {
    if (!moments.contains(rebuilt.position)) return;
    const auto expected = hex(rebuilt);
    EXPECT_EQ(hex(run.at(rebuilt.position)), expected) << rebuilt.position.value;
    const auto from_checkpoint = state_at(**log, place, rebuilt.position);
    ASSERT_TRUE(from_checkpoint) << describe(from_checkpoint.error());
    EXPECT_EQ(hex(*from_checkpoint), expected) << rebuilt.position.value;
  };
  const auto end = rebuild(**log, {.visit = compare});
  ASSERT_TRUE(end) << describe(end.error());
  for (Position position : checkpoints) {
    auto from = newest_checkpoint(**log, place, position);
    ASSERT_TRUE(from.refused.empty() && from.state && from.state->position == position);
    EXPECT_EQ(hex(*rebuild(**log, {.start = std::move(*from.state)})), hex(*end));
  }
}

}  // namespace
}  // namespace almanac::test
