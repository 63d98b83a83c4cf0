// Sixteen clients append to one log, with and without expected versions, while their process is
// killed again and again: what they were answered must be one story with what the log holds.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/support/child_process.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/linearizability.h>
#include <almanac/tests/support/temp_folder.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using CallOutcome = AppendCall::Outcome;

// A history that can be, one change away from many that cannot: three appends to stream 1, the
// second of them refused.
struct CallStory {
  std::vector<AppendCall> calls{
      {.id = 1,
       .stream = 1,
       .expected = 0,
       .invoked = 10,
       .answered = 20,
       .outcome = CallOutcome::stored,
       .position = Position(1)},
      {.id = 2,
       .stream = 1,
       .expected = 0,
       .invoked = 30,
       .answered = 40,
       .outcome = CallOutcome::conflict},
      {.id = 3,
       .stream = 1,
       .expected = 1,
       .invoked = 50,
       .answered = 60,
       .outcome = CallOutcome::stored,
       .position = Position(2)},
  };
  std::vector<StoredAppend> log{{1, 1, Position(1)}, {3, 1, Position(2)}};

  [[nodiscard]] std::string why_not() const { return why_not_linearizable(calls, log); }
};

TEST(Linearizability, AcceptsWhatCanHaveHappened) {
  CallStory story;
  EXPECT_EQ(story.why_not(), "");
  story.calls.push_back({.id = 4, .stream = 1, .expected = 2, .invoked = 70, .answered = 90});
  EXPECT_EQ(story.why_not(), "") << "an unknown one that was lost";
  story.log.push_back({4, 1, Position(3)});
  EXPECT_EQ(story.why_not(), "") << "or that is there";
  story.calls.push_back(
      {.id = 5, .stream = 2, .invoked = 70, .answered = 71, .outcome = CallOutcome::refused});
  EXPECT_EQ(story.why_not(), "") << "one that found the disk full";
  EXPECT_EQ(why_not_linearizable({}, {}), "");
}

TEST(Linearizability, AcceptsAConflictWithAnAppendOfTheSameTime) {
  CallStory story;
  story.calls[1].invoked = 15;  // beside the first
  story.calls[1].answered = 16;
  EXPECT_EQ(story.why_not(), "");
  story.calls[1].expected = 1;  // before or behind it
  EXPECT_EQ(story.why_not(), "");
  story.calls[1].answered = 55;
  EXPECT_EQ(story.why_not(), "");
}

TEST(Linearizability, AcceptsAConflictWithAnAppendThatWasLostInACrash) {
  CallStory story;
  story.calls.push_back({.id = 4, .stream = 1, .expected = 2, .invoked = 70, .answered = 90});
  story.calls.push_back({.id = 5,
                         .stream = 1,
                         .expected = 2,
                         .invoked = 75,
                         .answered = 80,
                         .outcome = CallOutcome::conflict});
  EXPECT_EQ(story.why_not(), "");
  story.calls.back().invoked = 91;
  story.calls.back().answered = 95;
  EXPECT_NE(story.why_not(), "") << "not once the process has died";
}

using Plant = void (*)(CallStory&);
void expect_rejected(const std::map<std::string, Plant>& planted) {
  for (const auto& [what, plant] : planted) {
    CallStory story;
    plant(story);
    EXPECT_NE(story.why_not(), "") << what;
  }
}

TEST(Linearizability, RejectsALogThatHoldsAnythingButWhatWasAnswered) {
  expect_rejected({
      {"an acknowledged event is lost", [](CallStory& story) { story.log.pop_back(); }},
      {"the first event is lost and the others moved up",
       [](CallStory& story) { story.log = {{3, 1, Position(1)}}; }},
      {"an event nobody appended",
       [](CallStory& story) { story.log.push_back({9, 1, Position(3)}); }},
      {"an event is there twice",
       [](CallStory& story) {
         story.calls.push_back({.id = 4, .stream = 2, .invoked = 70});
         story.log.push_back({4, 2, Position(3)});
         story.log.push_back({4, 2, Position(4)});
       }},
      {"an acknowledged event is elsewhere",
       [](CallStory& story) { story.calls[2].position = Position(3); }},
      {"two acknowledged at one position",
       [](CallStory& story) { story.calls[2].position = Position(1); }},
      {"a position is missing", [](CallStory& story) { story.log[1].position = Position(3); }},
      {"an event is in another stream", [](CallStory& story) { story.log[1].stream = 2; }},
      {"a conflict was stored all the same",
       [](CallStory& story) { story.log.push_back({2, 1, Position(3)}); }},
      {"a refused append was stored all the same",
       [](CallStory& story) {
         story.calls.push_back({.id = 4,
                                .stream = 2,
                                .invoked = 70,
                                .answered = 71,
                                .outcome = CallOutcome::refused});
         story.log.push_back({4, 2, Position(3)});
       }},
      {"one identity for two appends",
       [](CallStory& story) { story.calls.push_back(story.calls.front()); }},
  });
}

TEST(Linearizability, RejectsAnOrderThatCannotBe) {
  expect_rejected({
      {"the order is not that of the clock",
       [](CallStory& story) {
         story.calls.push_back({.id = 4,
                                .stream = 2,
                                .invoked = 1,
                                .answered = 2,
                                .outcome = CallOutcome::stored,
                                .position = Position(3)});
         story.log.push_back({4, 2, Position(3)});
       }},
      {"an unknown one took effect after its process had died and others were answered",
       [](CallStory& story) {
         story.calls.push_back({.id = 4, .stream = 2, .invoked = 1, .answered = 5});
         story.log.push_back({4, 2, Position(3)});
       }},
      {"stored behind a version that was not there yet",
       [](CallStory& story) { story.calls[2].expected = 2; }},
      {"a stream was begun twice", [](CallStory& story) { story.calls[2].expected = 0; }},
  });
}

TEST(Linearizability, RejectsConflictsThatCannotBe) {
  expect_rejected({
      {"a conflict with nothing",
       [](CallStory& story) {
         story.calls[1].invoked = 1;
         story.calls[1].answered = 2;
       }},
      {"a conflict with the version that was there all the time",
       [](CallStory& story) { story.calls[1].expected = 1; }},
      {"a conflict with any version", [](CallStory& story) { story.calls[1].expected.reset(); }},
      {"two conflicts that each deny the other",
       [](CallStory& story) {  // the first saw event 1, the second, later, did not
         story.calls[0].answered = 45;
         story.calls[1] = {.id = 2,
                           .stream = 1,
                           .expected = 0,
                           .invoked = 11,
                           .answered = 12,
                           .outcome = CallOutcome::conflict};
         story.calls.push_back({.id = 4,
                                .stream = 1,
                                .expected = 1,
                                .invoked = 13,
                                .answered = 14,
                                .outcome = CallOutcome::conflict});
       }},
  });
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// What all clients of all processes have said.
class Record {
 public:
  void add(const std::string& line) {
    std::istringstream words(line);
    char kind = 0;
    std::uint64_t id = 0;
    words >> kind >> id;
    if (kind == 'i') return invoke(id, words);
    AppendCall& call = calls_.at(id - 1);
    if (kind == 's') {
      words >> call.position.value;
      call.outcome = CallOutcome::stored;
    }
    if (kind == 'c') call.outcome = CallOutcome::conflict;
    if (kind == 'r') {
      call.outcome = CallOutcome::refused;
      ADD_FAILURE() << line;
    }
    if (kind != 'u') words >> call.answered;
    ++answers_;
    ++counts_[call.outcome];
  }
  // Nothing can be appended any more by those who said no more.
  void end_process(std::uint64_t time) {
    for (auto i = begin_; i < calls_.size(); ++i) {
      if (calls_[i].outcome == CallOutcome::unknown) calls_[i].answered = time;
    }
    begin_ = calls_.size();
  }
  [[nodiscard]] std::vector<AppendCall> calls() const {
    std::vector<AppendCall> invoked;
    std::ranges::copy_if(calls_, std::back_inserter(invoked),
                         [](const AppendCall& call) { return call.id != 0; });
    return invoked;
  }
  [[nodiscard]] std::uint64_t next_id() const { return calls_.size() + 1; }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  [[nodiscard]] std::uint64_t count(CallOutcome outcome) const {
    auto found = counts_.find(outcome);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  void invoke(std::uint64_t id, std::istringstream& words) {
    AppendCall call{.id = id};
    std::string expected;
    words >> call.stream >> expected >> call.invoked;
    if (expected != "any") call.expected = std::stoull(expected);
    if (calls_.size() < id) calls_.resize(id);
    calls_[id - 1] = call;
  }

  std::vector<AppendCall> calls_;  // by identity, from 1; those never said have none
  std::size_t begin_ = 0;          // of this process
  std::uint64_t answers_ = 0;
  std::map<CallOutcome, std::uint64_t> counts_;
};

// One process of clients, killed once it has answered so often.
void run_and_kill(const std::filesystem::path& folder, Record& record, std::uint64_t answers,
                  std::uint64_t seed) {
  ChildProcess clients({program_path("log_clients"), folder, "16", std::to_string(record.next_id()),
                        std::to_string(seed)});
  ASSERT_EQ(clients.read_line(), "open");
  const auto until = record.answers() + answers;
  while (record.answers() < until) {
    const auto line = clients.read_line();
    ASSERT_NE(line, "(end)");
    record.add(line);
  }
  clients.kill(SIGKILL);
  for (auto line = clients.read_line(); line != "(end)"; line = clients.read_line()) {
    record.add(line);
  }
  EXPECT_EQ(clients.wait(), -SIGKILL);
  record.end_process(std::chrono::steady_clock::now().time_since_epoch().count());
}

std::vector<StoredAppend> stored_in(const Log& log) {
  std::vector<StoredAppend> stored;
  constexpr std::string_view prefix = "stream ";
  auto read = log.read(Position(1), [&](const RecordedEvent& recorded) -> Result<bool> {
    const std::string number(recorded.event.stream.substr(prefix.size()));
    stored.push_back({recorded.event.correlation.value, std::stoull(number), recorded.position});
    return true;
  });
  EXPECT_TRUE(read) << read.error().message;
  return stored;
}

TEST(LinearizableLog, AnswersSixteenClientsAsIfOneAfterTheOtherWhileItIsKilled) {
  const bool campaign = std::getenv("ALMANAC_CAMPAIGN") != nullptr;
  const auto operations =
      number_from_environment("ALMANAC_LOG_OPERATIONS", campaign ? 2'000'000 : 60'000);
  const auto kills = number_from_environment("ALMANAC_LOG_KILLS", campaign ? 200 : 20);
  const auto seed = number_from_environment("ALMANAC_LOG_SEED", std::random_device()());
  SCOPED_TRACE("ALMANAC_LOG_SEED=" + std::to_string(seed));
  TempFolder folder;
  Record record;
  std::mt19937_64 random(seed);
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    auto answers = operations / kills + random() % 64;  // the kill falls anywhere in a commit
    run_and_kill(folder / "log", record, answers, random() % 1'000'000);
    if (HasFatalFailure()) return;
  }
  auto log = Log::open(folder / "log");
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_TRUE(verify(**log));
  const auto calls = record.calls();
  const auto stored = stored_in(**log);
  EXPECT_EQ(why_not_linearizable(calls, stored), "");
  const auto unknown = std::ranges::count(calls, CallOutcome::unknown, &AppendCall::outcome);
  std::cout << calls.size() << " appends of 16 clients: " << record.count(CallOutcome::stored)
            << " stored, " << record.count(CallOutcome::conflict) << " conflicts, "
            << record.count(CallOutcome::refused) << " refused, " << unknown
            << " unknown, of which " << stored.size() - record.count(CallOutcome::stored)
            << " are there; " << kills << " kills; seed " << seed << "\n";
  EXPECT_GE(record.answers(), operations);
  EXPECT_GE(record.count(CallOutcome::stored), operations / 4);
  EXPECT_GE(record.count(CallOutcome::conflict), operations / 50);
  EXPECT_GE(unknown, kills);
}

}  // namespace
}  // namespace almanac::test
