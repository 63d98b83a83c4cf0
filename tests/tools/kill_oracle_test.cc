// Does the oracle of the kill tests see? A sound history passes, and every kind of broken promise,
// planted into it, is found.
#include <almanac/tests/support/kill_oracle.h>
#include <almanac/tests/support/kill_workload.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

// Two tasks, one retried: what the log, the workers and the run said, a line each.
struct History {
  std::vector<std::string> log = {
      R"({"position":1,"type":"EngineStarted"})",
      R"({"position":2,"type":"TaskEnqueued","task":1,"label":"one"})",
      R"({"position":3,"type":"TaskEnqueued","task":2,"label":"two"})",
      R"({"position":4,"type":"TaskStarted","task":1,"attempt":1})",
      R"({"position":5,"type":"TaskStarted","task":2,"attempt":1})",
      R"({"position":6,"type":"TaskSucceeded","task":1,"lease":4,"status":"succeeded"})",
      R"({"position":7,"type":"TaskAttemptFailed","task":2,"lease":5,"status":"exited"})",
      R"({"position":8,"type":"TaskReadied","task":2})",
      R"({"position":9,"type":"TaskStarted","task":2,"attempt":2})",
      R"({"position":10,"type":"TaskSucceeded","task":2,"lease":9,"status":"succeeded"})"};
  std::vector<std::string> record = {"start 1 1 4 100 0", "start 2 1 5 101 0", "end 1 1 4 100 0",
                                     "end 2 1 5 101 3",   "start 2 2 9 102 0", "end 2 2 9 102 0"};
  std::vector<std::string> said = {
      R"({"task":1,"label":"one","state":"succeeded","attempt":1,"position":6})",
      R"({"task":2,"label":"two","state":"retrying","attempt":1,"position":7})",
      R"({"task":2,"label":"two","state":"succeeded","attempt":2,"position":10})",
      R"({"tasks":2,"succeeded":2})"};
};

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string record_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + std::string(63 - line.size(), ' ') + "\n";
  return text;
}

std::string position(std::size_t number, std::string_view rest) {
  return R"({"position":)" + std::to_string(number) + "," + std::string(rest) + "}";
}

class Oracle : public ::testing::Test {
 protected:
  // One kill, after all of it.
  std::string judge(const History& history) {
    KillOracle oracle({"one", "two"});
    for (const auto& line : history.said) oracle.acknowledge(line, 6 * 64);
    oracle.check({.log = text_of(history.log), .record = record_of(history.record)});
    oracle.expect_all_ended();
    return text_of(oracle.violations());
  }
  // A kill after the whole history, and what was there after another run.
  std::string judge_second(const History& first, const History& second) {
    KillOracle oracle({"one", "two"});
    oracle.check({.log = text_of(first.log), .record = record_of(first.record)});
    EXPECT_EQ(text_of(oracle.violations()), "");
    oracle.check({.log = text_of(second.log), .record = record_of(second.record)});
    return text_of(oracle.violations());
  }
  void expect_found(std::string_view what) {
    auto found = judge(history);
    EXPECT_NE(found.find(what), std::string::npos) << "found instead: " << found;
  }
  void expect_found_second(const History& second, std::string_view what) {
    auto found = judge_second(History{}, second);
    EXPECT_NE(found.find(what), std::string::npos) << "found instead: " << found;
  }

  History history;
};

// A folder that is not named is none, however that is said.
TEST(KillWorkload, IsInventedWhereTheFolderOfTracesIsSetToNothing) {
  const char* set = std::getenv("ALMANAC_TRACE_DIR");
  const auto before = set == nullptr ? std::optional<std::string>() : set;
  ::setenv("ALMANAC_TRACE_DIR", "", 1);
  TempFolder folder;
  auto names = write_kill_workload(
      {.file = folder / "w.jsonl", .record = folder / "record", .tasks = 20, .seed = 1});
  if (before) ::setenv("ALMANAC_TRACE_DIR", before->c_str(), 1);
  if (!before) ::unsetenv("ALMANAC_TRACE_DIR");
  EXPECT_EQ(names.size(), 20U);
}

TEST_F(Oracle, AcceptsASoundHistory) {
  EXPECT_EQ(judge(history), "");
  EXPECT_EQ(judge_second(history, history), "");
}

TEST_F(Oracle, CountsEndsThatNobodyWasTold) {
  KillOracle oracle({"one", "two"});
  oracle.acknowledge(history.said[0], 0);
  oracle.check({.log = text_of(history.log), .record = record_of({})});
  EXPECT_EQ(oracle.figures().ends, 3U);
  EXPECT_EQ(oracle.figures().unacknowledged, 2U);
}

TEST_F(Oracle, FindsAnAcknowledgementThatWasLost) {
  history.log.pop_back();
  expect_found("acknowledged and lost: TaskSucceeded of task 2 at position 10");
}

TEST_F(Oracle, FindsAnAcknowledgementOfSomethingElse) {
  history.said[0] = R"({"task":1,"label":"one","state":"failed","attempt":1,"position":6})";
  expect_found("acknowledged TaskFailed of task 1 at position 6, but there stands TaskSucceeded");
  history.said[0] = R"({"task":2,"label":"two","state":"succeeded","attempt":1,"position":6})";
  expect_found("but there stands TaskSucceeded of task 1");
  history.said[0] = R"({"task":1,"label":"two","state":"succeeded","attempt":1,"position":6})";
  expect_found("acknowledged two, which is not task 1");
  history.said[0] = R"({"task":1,"label":"one","state":"succeeded","attempt":2,"position":6})";
  expect_found("acknowledged a wrong attempt");
  history.said[1] = history.said[2];
  expect_found("position 10 was acknowledged twice");
}

TEST_F(Oracle, FindsThatThePastHasChanged) {
  History second;
  second.log[4] = position(5, R"("type":"TaskStarted","task":2,"attempt":7)");
  expect_found_second(second, "changed or lost what stood at position 5");
  second.log.resize(4);
  expect_found_second(second, "changed or lost what stood at position 5");
}

TEST_F(Oracle, FindsAGap) {
  history.log.erase(history.log.begin() + 7);
  expect_found("position 8 is missing");
}

TEST_F(Oracle, FindsATaskThatIsSubmittedTwiceOrByNobody) {
  history.log[2] = position(3, R"("type":"TaskEnqueued","task":2,"label":"one")");
  expect_found("one was submitted twice");
  expect_found("two was never submitted");
  history.log[2] = position(3, R"("type":"TaskEnqueued","task":2,"label":"three")");
  expect_found("nobody submitted three");
}

TEST_F(Oracle, FindsTwoLeasesOfOneTask) {
  history.log[4] = position(5, R"("type":"TaskStarted","task":1,"attempt":2)");
  expect_found("task 1 holds lease 4 and got 5");
}

TEST_F(Oracle, FindsAnEndUnderALeaseThatWasLost) {
  history.log[9] = position(10, R"("type":"TaskSucceeded","task":2,"lease":5)");
  expect_found("position 10 ends lease 5 of task 2, which holds 9");
}

TEST_F(Oracle, FindsThatATaskGoesOnAfterItsEnd) {
  history.log.push_back(position(11, R"("type":"TaskSucceeded","task":1,"lease":4)"));
  expect_found("task 1 had ended, then came");
}

TEST_F(Oracle, FindsATaskThatNeverEnds) {
  history.log.pop_back();
  history.said.erase(history.said.begin() + 2);
  expect_found("task 2 (two) has not ended");
}

TEST_F(Oracle, FindsAFinishedTaskThatRunsAgainUnderAnAcknowledgement) {
  history.record.push_back("start 1 2 11 103 0");
  expect_found("attempt 2 of task 1 ran although the task was known to have ended");
}

TEST_F(Oracle, FindsAFinishedTaskThatRunsAgainAfterAKill) {
  History second;
  second.record.push_back("start 2 3 12 103 0");
  expect_found_second(second, "attempt 3 of task 2 ran although the task was known to have ended");
}

TEST_F(Oracle, FindsAnAttemptThatRanBeforeItsStartWasDurable) {
  history.record.push_back("start 2 3 11 103 0");
  expect_found("attempt 3 of task 2 ran without its start in the log");
  history.record.back() = "start 1 1 5 103 0";
  expect_found("attempt 1 of task 1 ran without its start in the log");
}

TEST_F(Oracle, FindsAnAttemptThatRanTwice) {
  history.record.insert(history.record.begin(), history.record.front());
  expect_found("attempt 1 of task 1 ran twice");
}

TEST_F(Oracle, FindsAnEndThatNoWorkerCameTo) {
  history.record[2] = "child 1 1 4 100 0";
  expect_found("position 6 says succeeded of task 1, its worker does not");
  history.record[2] = "end 1 1 4 100 3";
  expect_found("position 6 says succeeded of task 1, its worker does not");
  history = {};
  history.record[3] = "end 2 1 5 101 0";
  expect_found("position 7 says exited of task 2, its worker does not");
}

TEST_F(Oracle, FindsAnAttemptThatEndedInAWayNobodyAskedFor) {
  history.log[6] = position(7, R"("type":"TaskAttemptFailed","task":2,"lease":5,"status":"error")");
  expect_found("position 7 has the status error");
}

TEST_F(Oracle, FindsThatItsOwnEyesAreBroken) {
  history.record[0] = "start";
  expect_found("the workers' record cannot be read");
  history.said.push_back("not JSON");
  expect_found("printed what is not JSON");
}

}  // namespace
}  // namespace almanac::test
