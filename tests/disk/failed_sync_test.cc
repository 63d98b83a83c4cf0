// A sync fails once, and the kernel takes what it could not write for written: it may be lost at
// the next power loss, and no later sync of the same file brings it back. Whoever appended is told,
// goes on with the log opened anew, and what is acknowledged from then on outlives a power loss at
// any moment all the same.
#include <almanac/log/log.h>
#include <almanac/tests/disk/explorer.h>
#include <almanac/tests/support/temp_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace almanac::test {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t map_bytes = 64 * limits::mebibyte;
constexpr std::uint64_t syncs_max = 500;
// By each test; a campaign has the time of the other tests of the disk.
constexpr std::chrono::seconds usual_time{20};

// For planting a fault: a program that takes an unknown outcome for a good one.
enum class Mistake : std::uint8_t { none, takes_unknown_for_done };

// A program that opens its log anew when it is told of an unknown outcome, and goes on.
class Program {
 public:
  Program(std::filesystem::path folder, Recorder& recorder, Mistake mistake)
      : folder_(std::move(folder)), recorder_(recorder), mistake_(mistake) {}

  // Once more when that fails. One sync fails at most.
  void open() {
    log_.reset();
    auto opened = TestLog::open(folder_, {.map_bytes = map_bytes});
    if (!opened) opened = TestLog::open(folder_, {.map_bytes = map_bytes});
    ALMANAC_CHECK(opened.has_value());
    log_ = std::move(*opened);
    end_ = {};
    auto read = (*log_)->read(Position(1), [&](const RecordedEvent& recorded) {
      end_ = {Mark::Kind::found, recorded.position.value,
              content_behind(end_.content, recorded.event)};
      return Result<bool>(true);
    });
    ALMANAC_CHECK(read.has_value());
    number_ = std::max(number_, end_.position);
    mark(Mark::Kind::found);
    mark(Mark::Kind::shown);
  }
  void append(std::size_t bytes) {
    const std::string data(bytes, static_cast<char>('a' + ++number_ % 26));
    const Event event{.at = Time(Duration(static_cast<std::int64_t>(number_))),
                      .body = CustomEvent{"sync", as_bytes(data)}};
    end_ = {Mark::Kind::appended, end_.position + 1, content_behind(end_.content, event)};
    mark(Mark::Kind::appended);
    auto done = log_->append({event});
    if (done || mistake_ == Mistake::takes_unknown_for_done) mark(Mark::Kind::acknowledged);
    if (!done) open();
  }
  void run() {
    open();
    for (int i = 0; i < 3; ++i) append(100);
    append(40 * limits::kibibyte);  // digested beside its sync
    for (int i = 0; i < 2; ++i) append(100);
    open();                          // and all of it is brought to the store
    append(300 * limits::kibibyte);  // a new segment
    for (int i = 0; i < 3; ++i) append(100);
    log_.reset();
  }

 private:
  void mark(Mark::Kind kind) {
    end_.kind = kind;
    recorder_.mark(end_);
  }

  std::filesystem::path folder_;
  Recorder& recorder_;
  Mistake mistake_;
  std::unique_ptr<TestLog> log_;
  Mark end_{};
  std::uint64_t number_ = 0;
};

// At which step, if it came to that.
std::optional<std::size_t> step_that_fails(const Recording& recording) {
  for (std::size_t i = 0; i < recording.steps.size(); ++i) {
    const auto* call = std::get_if<RecordedCall>(&recording.steps[i]);
    if (call != nullptr && call->failed) return i;
  }
  return std::nullopt;
}

// A log with a few events; answers what it holds.
Mark write_before(const std::filesystem::path& folder) {
  TestLog log(folder, {.map_bytes = map_bytes});
  Mark end{Mark::Kind::appended};
  for (const Event& event : numbered_events(1, 3)) {
    ALMANAC_CHECK(log.append({event}).has_value());
    end.content = content_behind(end.content, event);
    ++end.position;
  }
  return end;
}

RecordedScenario record_with_failing(std::uint64_t sync, Start start, SectorPool& pool,
                                     Mistake mistake) {
  TempFolder folder;
  Recorder recorder(folder.path());
  if (start == Start::closed) {
    auto held = write_before(folder / "log");
    recorder.mark(held);
    held.kind = Mark::Kind::acknowledged;
    recorder.mark(held);
  }
  RecordedScenario recorded{read_image(folder.path(), pool), {}};
  recorder.fail_sync(sync);
  {
    Watching watching(recorder);
    Program(folder / "log", recorder, mistake).run();
  }
  recorded.recording = recorder.take();
  ALMANAC_CHECK(is_complete(recorded, folder.path(), pool));
  return recorded;
}

struct Explored {
  Tally tally;
  std::vector<std::string> examples;
  std::uint64_t failed = 0;  // syncs, each in a recording of its own
};

// Every sync fails in turn, until there is none left to fail or the time is up.
Explored explore_each_sync(Start start, Mistake mistake = Mistake::none) {
  const char* campaign = std::getenv("ALMANAC_CAMPAIGN");
  const char* seconds = std::getenv("ALMANAC_DISK_SECONDS");
  const auto time = seconds != nullptr    ? std::chrono::seconds(std::atoi(seconds))
                    : campaign != nullptr ? 60 * usual_time
                                          : usual_time;
  const auto deadline = steady_clock::now() + time;
  Explored all;
  for (std::uint64_t sync = 1; sync < syncs_max && steady_clock::now() < deadline; ++sync) {
    SectorPool pool;
    auto recorded = record_with_failing(sync, start, pool, mistake);
    auto failing = step_that_fails(recorded.recording);
    if (!failing) break;
    auto report = explore({"sync " + std::to_string(sync) + " fails", start, {}}, recorded, pool,
                          {.limits = {.family_max = 4, .random_states = 4, .all_subsets_of_max = 2},
                           .seed = sync,
                           .point_every = campaign == nullptr ? std::uint64_t{6} : 1,
                           .first_step = *failing,
                           .second_level_every = 0,
                           .kill_every = campaign == nullptr ? std::uint64_t{80} : 10,
                           .deadline = deadline,
                           .keeps_findings = mistake == Mistake::none});
    all.tally += report.tally;
    std::ranges::copy(report.examples, std::back_inserter(all.examples));
    ++all.failed;
    if (mistake != Mistake::none && all.tally.lost > 0) break;  // it was seen
  }
  return all;
}

void expect_nothing_lost(Start start) {
  constexpr std::uint64_t floor = 5;
  auto all = explore_each_sync(start);
  for (const auto& example : all.examples) ADD_FAILURE() << example;
  std::cout << all.failed << " syncs fail: " << describe(all.tally) << "\n";
  EXPECT_EQ(all.tally.findings(), 0U);
  EXPECT_GE(all.failed, floor) << "too little was done to count";
}

TEST(FailedSync, LosesNothingAcknowledgedOfALogThatIsMade) { expect_nothing_lost(Start::nothing); }

TEST(FailedSync, LosesNothingAcknowledgedOfALogThatIsThere) { expect_nothing_lost(Start::closed); }

TEST(FailedSync, IsSeenToBeMisunderstood) {
  EXPECT_GT(explore_each_sync(Start::closed, Mistake::takes_unknown_for_done).tally.lost, 0U);
}

}  // namespace
}  // namespace almanac::test
