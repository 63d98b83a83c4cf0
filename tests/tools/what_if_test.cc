#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/recorded_traces.h>

#include <almanac/tools/trace_file.h>
#include <almanac/tools/what_if_settings.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

class WhatIfCommand : public PastCommands {
 protected:
  void write_trace(const std::string& text) const { write_file(folder_ / "trace.csv", text); }
  Result<RecordedWork> read(const std::vector<std::string>& columns = {}) const {
    return read_trace((folder_ / "trace.csv").string(), columns);
  }
};

TEST_F(WhatIfCommand, ReadsRowsInAnyOrderByTheNamesOfTheirColumns) {
  write_trace(
      "kind,gmt_create,exec_time_seconds,predict_status,priority\r\n"
      "\"a,\"\"b\"\"\",2024-11-15 16:57:50,32.5,SUCCEED,7\r\n"
      "c,2024-11-15 16:57:49,1m,FAILED,\r\n"
      "d,2024-11-15 16:57:51,,,\r\n");
  const auto work = read();
  ASSERT_TRUE(work) << work.error().message;
  ASSERT_EQ(work->tasks.size(), 3U);
  EXPECT_EQ(work->tasks[0].spec.kind, "c");
  EXPECT_EQ(work->tasks[0].attempts[0].took, 1min);
  EXPECT_EQ(work->tasks[0].attempts[0].status, AttemptStatus::error);
  EXPECT_EQ(work->tasks[1].spec.kind, "a,\"b\"");
  EXPECT_EQ(work->tasks[1].spec.priority, 7);
  EXPECT_EQ(work->tasks[1].attempts[0].took, 32'500ms);
  EXPECT_EQ(work->tasks[1].arrived - work->tasks[0].arrived, 1s);
  EXPECT_TRUE(work->tasks[2].attempts.empty());
}

TEST_F(WhatIfCommand, TakesColumnsByOtherNames) {
  write_trace("t,model,length\n3,M1,4\n1.5,M2,4\n");
  const auto work = read({"arrival=t", "queue=model", "duration=length"});
  ASSERT_TRUE(work) << work.error().message;
  EXPECT_EQ(work->tasks[0].spec.queue, "M2");
  EXPECT_EQ(work->tasks[1].arrived - work->tasks[0].arrived, 1'500ms);
}

TEST_F(WhatIfCommand, ReadsForWhomATaskIsWhenItIsDueAndHowLongItIsThoughtToTake) {
  write_trace("arrival,groupId,due,estimate\n5,G7,1m05s,2m\n");
  EXPECT_FALSE(read({"deadline=due"})) << "a moment, as the arrival";
  write_trace("arrival,groupId,due,estimate\n5,G7,65,2m\n6,,,\n");
  const auto work = read({"deadline=due"});
  ASSERT_TRUE(work) << work.error().message;
  EXPECT_EQ(work->tasks[0].spec.owner, "G7");
  EXPECT_EQ(work->tasks[0].spec.deadline - work->tasks[0].arrived, 1min);
  EXPECT_EQ(work->tasks[0].spec.estimate, 2min);
  EXPECT_EQ(work->tasks[1].spec.deadline, Time());
}

TEST_F(WhatIfCommand, SaysWhatIsWrongWithATraceAndWhere) {
  const auto said = [&](const std::string& text, const std::vector<std::string>& columns = {}) {
    write_trace(text);
    const auto work = read(columns);
    return work ? "nothing" : describe(work.error());
  };
  EXPECT_NE(said("").find("line 1: there is no line that names"), std::string::npos);
  EXPECT_NE(said("a,b\n").find("--columns arrival=NAME"), std::string::npos);
  EXPECT_NE(said("arrival\nnoon\n").find("line 2"), std::string::npos);
  EXPECT_NE(said("arrival,duration\n1,-4\n").find("line 2"), std::string::npos);
  EXPECT_NE(said("arrival,priority\n1,high\n").find("'high' is no priority"), std::string::npos);
  EXPECT_NE(said("arrival\n", {"queue=model"}).find("no column 'model'"), std::string::npos);
  EXPECT_NE(said("arrival\n", {"colour=red"}).find("'colour=red'"), std::string::npos);
}

TEST_F(WhatIfCommand, ComparesEachNumberOfSlotsInATableAPlotAndJson) {
  const auto text = output({"whatif", "--slots", "1,2", "--deadline", "5m"});
  const auto lines = lines_of(text);
  EXPECT_EQ(lines[0], "4 tasks, 1 of which take what their kind usually does");
  EXPECT_EQ(lines[1].substr(0, 22), "SLOTS  POLICY    WAIT ");
  EXPECT_TRUE(std::ranges::all_of(lines, [](const auto& line) { return line.size() <= 80; }));
  EXPECT_NE(text.find("2 slots, recorded: at most 1 wait for one"), std::string::npos);
  const auto json = output_json({"whatif", "--json", "--price", "2"});
  EXPECT_EQ(json["slots"], 2);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["cost"], 2 * json["slot_hours"].get<double>());
  EXPECT_EQ(output({"whatif", "--slots", "1,2", "--deadline", "5m"}), text);
}

TEST_F(WhatIfCommand, TakesPartOfTheTimeAndSetsEveryQueueToAPolicy) {
  write_trace("arrival,duration\n1970-01-01 00:00:05,9\n1970-01-01 00:00:10,9\n");
  const auto json = output_json({"whatif", "--trace", "trace.csv", "--slots", "1", "--from",
                                 "1970-01-01 00:00:07", "--policy", "priority", "--json"});
  EXPECT_EQ(json["succeeded"], 1);
  EXPECT_EQ(json["policy"], "priority");
}

// The slots of web are recorded: 1.
TEST_F(WhatIfCommand, ComparesPoliciesOfAllQueuesAndOfOne) {
  const auto policies = [&](const std::string& typed) {
    std::vector<std::string> labels;
    for (const std::string& line : lines_of(output({"whatif", "--policy", typed, "--json"}))) {
      labels.push_back(nlohmann::json::parse(line)["policy"]);
    }
    return labels;
  };
  using Labels = std::vector<std::string>;
  EXPECT_EQ(policies("all"), (Labels{"priority", "fifo", "urgency", "deadline", "fair"}));
  EXPECT_EQ(policies("fifo,web=fair"), (Labels{"fifo,web=fair"}));
  EXPECT_EQ(policies("web=fair"), (Labels{"web=fair"}));
}

TEST_F(WhatIfCommand, KeepsWhatWasRecordedOfAQueueButForWhatIsTyped) {
  RecordedWork work;
  work.slots = 4;
  work.settings = {
      {Time(), {.queue = "web", .slots = 1, .policy = QueuePolicy::fair, .weights = {{"a", 300}}}},
      {Time(), {.queue = "mail", .slots = 2}}};
  const auto queues = [&](const WhatIfChoices& choices) {
    const auto cases = cases_of(choices, work);
    EXPECT_TRUE(cases) << cases.error().message;
    return cases->front().settings.queues;
  };
  EXPECT_TRUE(queues({}).empty());
  const auto slots = queues({.queue_slots = {"web=3"}});
  ASSERT_EQ(slots.size(), 1U);
  EXPECT_EQ(slots[0].slots, 3U);
  EXPECT_EQ(slots[0].policy, QueuePolicy::fair);
  EXPECT_EQ(slots[0].weights.at("a"), 300);
  const auto policies = queues({.policies = "fifo,mail=urgency"});
  ASSERT_EQ(policies.size(), 2U);
  EXPECT_EQ(policies[0].queue, "mail");
  EXPECT_EQ(policies[0].policy, QueuePolicy::urgency);
  EXPECT_EQ(policies[0].slots, 2U);
  EXPECT_EQ(policies[1].policy, QueuePolicy::fifo);
  EXPECT_TRUE(policies[1].weights.empty()) << "they mean nothing to fifo";
}

TEST_F(WhatIfCommand, TriesOtherLimits) {
  write_trace("arrival,duration,kind\n0,9,a\n0,9,a\n0,9,a\n");
  const auto span = [&](const std::string& limit) {
    return output_json({"whatif", "--trace", "trace.csv", "--slots", "9", "--limit", limit,
                        "--json"})["make_span_seconds"]
        .get<double>();
  };
  EXPECT_EQ(span("kind:a=3"), 9);
  EXPECT_EQ(span("kind:a=1"), 27);
  EXPECT_EQ(span("kind:a=1/min"), 129);
  EXPECT_EQ(span("kind:a=1/min:2"), 69);
}

TEST_F(WhatIfCommand, SaysHowManyTasksAreRefused) {
  write_trace("arrival,duration,deadline,estimate\n0,9,60,2m\n0,9,60,\n");
  const auto text =
      output({"whatif", "--trace", "trace.csv", "--slots", "1", "--policy", "fifo,deadline"});
  EXPECT_NE(text.find("1 slot, fifo: at most 1 wait for one\n"), std::string::npos) << text;
  EXPECT_NE(text.find("deadline: at most 0 wait for one, 1 task refused\n"), std::string::npos);
}

TEST_F(WhatIfCommand, RefusesWhatItCannotTry) {
  write_trace("arrival\n1\n");
  const auto refused = [&](Words words, const std::string& reason) {
    words.insert(words.begin(), "whatif");
    const auto outcome = run(words);
    EXPECT_NE(outcome.code, 0) << reason;
    EXPECT_EQ(outcome.output, "");
    EXPECT_NE(outcome.errors.find(reason), std::string::npos) << outcome.errors;
  };
  refused({"--slots", "4,x"}, "'x' is no number of slots");
  refused({"--slots", "0"}, "write numbers from 1 to 4096");
  refused({"--queue-slots", "web"}, "write QUEUE=NUMBER");
  refused({"--policy", "lottery"}, "there is no policy 'lottery'");
  refused({"--policy", "fifo,"}, "there is no policy ''");
  refused({"--policy", "wbe=fifo"}, "no task is in a queue 'wbe'");
  refused({"--limit", "gpu"}, "'gpu' does not say what a limit is");
  refused({"--limit", "gpu=0"}, "write --limit gpu=2");
  refused({"--limit", "gpu=6/h"}, "mail=60/min for a rate");
  refused({"--limit", "gpu=2"}, "no task asks for the limit 'gpu'");
  refused({"--price", "free"}, "'free' is no price");
  refused({"--deadline", "soon"}, "soon");
  refused({"--trace", "trace.csv"}, "say how many to try");
  refused({"--trace", "missing.csv", "--slots", "1"}, "missing.csv");
  refused({"--from", "99"}, "99");
}

TEST_F(WhatIfCommand, ComparesSlotsForTheRecordedRequests) {
  const auto traces = recorded_traces();
  if (!traces) {
    std::puts("not checked: ALMANAC_TRACE_DIR does not say where the recorded requests are");
    return;
  }
  const auto file = (*traces / "genai_requests.csv").string();
  const auto lines = lines_of(output({"whatif", "--trace", file, "--slots", "2,4,8", "--json"}));
  ASSERT_EQ(lines.size(), 3U);
  double before = 1e9;
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["succeeded"].get<int>() + json["failed"].get<int>(), 26'823);
    EXPECT_EQ(json["failed"], 398);
    EXPECT_LE(json["wait_seconds"]["p95"], before);
    before = json["wait_seconds"]["p95"];
  }
}

TEST_F(WhatIfCommand, ComparesAllPoliciesForTheRecordedRequests) {
  const auto traces = recorded_traces();
  if (!traces) {
    std::puts("not checked: ALMANAC_TRACE_DIR does not say where the recorded requests are");
    return;
  }
  const auto file = (*traces / "genai_requests.csv").string();
  const auto lines =
      lines_of(output({"whatif", "--trace", file, "--slots", "2", "--policy", "all", "--columns",
                       "priority=num_images_per_prompt", "--columns",
                       "estimate=num_inference_steps", "--deadline", "10m", "--json"}));
  ASSERT_EQ(lines.size(), 5U);
  std::map<std::string, nlohmann::json> by;
  for (const std::string& line : lines) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["succeeded"].get<int>() + json["failed"].get<int>(), 26'823);
    EXPECT_EQ(json["busy_seconds"], nlohmann::json::parse(lines[0])["busy_seconds"]);
    by.emplace(json["policy"], json);
  }
  EXPECT_EQ(by["deadline"]["missed"], by["fifo"]["missed"])
      << "all have as long, so it is the same";
  EXPECT_LT(by["fifo"]["wait_seconds"]["max"], by["priority"]["wait_seconds"]["max"]);
  EXPECT_LT(by["fair"]["missed"], by["fifo"]["missed"]) << "few owners ask for most";
}

}  // namespace
}  // namespace almanac::test
