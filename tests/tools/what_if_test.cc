#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/past_commands.h>
#include <almanac/tests/support/recorded_traces.h>

#include <almanac/tools/trace_file.h>

#include <gtest/gtest.h>

#include <algorithm>

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

}  // namespace
}  // namespace almanac::test
