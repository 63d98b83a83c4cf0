// Every call to the disk fails once, and from then on: whoever appended is told the truth, the
// process lives, and the log opens again.
#include <almanac/log/log.h>
#include <almanac/log/verify.h>
#include <almanac/tests/disk/injector.h>
#include <almanac/tests/disk/log_check.h>
#include <almanac/tests/disk/log_oracle.h>
#include <almanac/tests/disk/state_folder.h>
#include <almanac/tests/support/test_log.h>

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>

namespace almanac::test {
namespace {

constexpr std::size_t usual_map_bytes = 64 * limits::mebibyte;
constexpr std::size_t spare_map_bytes = 192 * limits::kibibyte;
constexpr unsigned run_seconds_max = 30;
constexpr std::uint64_t calls_max = 2'000;  // of one use

enum class Outcome : std::uint8_t { acknowledged, refused, unknown };

// For planting a fault: a program that misunderstands what it is told.
enum class Mistake : std::uint8_t { none, takes_unknown_for_done };

// One event that was handed over, and what its program was told.
struct Told {
  std::uint64_t content = 0;
  Outcome outcome = Outcome::unknown;
};

// A program that goes on as well as it can when the disk fails.
class Program {
 public:
  // `told`: what was promised before, by the log in this folder.
  explicit Program(const std::filesystem::path& folder, std::vector<Told> told = {},
                   Mistake mistake = Mistake::none)
      : folder_(folder), told_(std::move(told)), mistake_(mistake) {}

  [[nodiscard]] const std::vector<Told>& told() const { return told_; }
  [[nodiscard]] const std::string& lie() const { return lie_; }

  bool open(std::size_t map_bytes = usual_map_bytes, Access access = Access::write) {
    log_.reset();
    auto opened = TestLog::open(folder_, {.access = access, .map_bytes = map_bytes});
    if (opened) log_ = std::move(*opened);
    return log_ != nullptr;
  }
  void close() { log_.reset(); }

  // Answers whether it makes sense to go on.
  bool append(std::size_t bytes) {
    if (log_ == nullptr) return false;
    const std::string data(bytes, static_cast<char>('a' + told_.size() % 26));
    const Event event{.at = Time(Duration(static_cast<std::int64_t>(told_.size()) + 1)),
                      .body = CustomEvent{"fault", as_bytes(data)}};
    told_.push_back({content_behind(0, event), Outcome::unknown});
    auto position = log_->append({event});
    const bool misunderstood = mistake_ == Mistake::takes_unknown_for_done && !position &&
                               position.error().code == ErrorCode::unknown_outcome;
    if (position || misunderstood) {
      told_.back().outcome = Outcome::acknowledged;
    } else if (position.error().code == ErrorCode::storage_full) {
      told_.back().outcome = Outcome::refused;
      log_->resume();
    } else if (position.error().code == ErrorCode::invalid) {
      lie_ = "append: " + describe(position.error());
    }
    return told_.back().outcome == Outcome::acknowledged;
  }

  // Reads everything there is: an error, or all that was acknowledged.
  void read() {
    if (log_ == nullptr) return;
    std::uint64_t count = 0;
    auto read = (*log_)->read(Position(1), [&](const RecordedEvent&) {
      ++count;
      return Result<bool>(true);
    });
    auto verified = verify(**log_);
    if (read && count < expected_) lie_ = "events are missing and reading gave no error";
    if (verified && verified->last < Position(expected_)) {
      lie_ = "events are missing and verifying gave no error";
    }
  }
  void expect(std::uint64_t events) { expected_ = events; }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<TestLog> log_;
  std::vector<Told> told_;
  Mistake mistake_;
  std::string lie_;
  std::uint64_t expected_ = 0;
};

void append_some(Program& program, int count) {
  for (int i = 0; i < count && program.append(100); ++i) {}
}

// To add one: a line in the table.
struct Use {
  std::string_view name;
  bool on_existing_log;
  void (*run)(Program& program, const std::filesystem::path& folder);
};
constexpr int events_before = 5;
constexpr std::array uses = {
    Use{"create, append, close", false,
        [](Program& program, const std::filesystem::path&) {
          if (!program.open() && !program.open()) return;  // and once more when it is refused
          append_some(program, 3);
          program.close();
          if (program.open()) append_some(program, 2);
          program.close();
        }},
    Use{"open, append, close", true,
        [](Program& program, const std::filesystem::path&) {
          if (!program.open() && !program.open()) return;
          append_some(program, 3);
          program.append(300 * limits::kibibyte);
          program.close();
          if (program.open()) append_some(program, 2);
          program.close();
        }},
    Use{"fill a small map", true,
        [](Program& program, const std::filesystem::path& folder) {
          auto size = std::filesystem::file_size(folder / "log" / "data.mdb");
          if (!program.open(size + spare_map_bytes)) return;
          for (int i = 0; i < 20 && program.append(16 * limits::kibibyte); ++i) {}
          program.append(10);
          program.close();
        }},
    Use{"read", true,
        [](Program& program, const std::filesystem::path&) {
          program.expect(events_before);
          if (program.open(usual_map_bytes, Access::read)) program.read();
          program.close();
        }},
};

const Use& use_called(std::string_view name) { return *std::ranges::find(uses, name, &Use::name); }

// Holds what is in the log against what the program was told. Answers what is wrong.
std::string judge(const std::vector<Told>& told, const std::vector<std::uint64_t>& found) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const bool there = next < found.size() && found[next] == told[i].content;
    if (there) ++next;
    if (there && told[i].outcome == Outcome::refused) {
      return "event " + std::to_string(i) + " was refused and is there";
    }
    if (!there && told[i].outcome == Outcome::acknowledged) {
      return "event " + std::to_string(i) + " was acknowledged and is not there";
    }
  }
  if (next == found.size()) return {};
  return "something is there that was not appended, or twice";
}

std::string judge_log(const std::filesystem::path& folder, const std::vector<Told>& told) {
  std::vector<std::uint64_t> found;
  {
    auto log = TestLog::open(folder, {.map_bytes = usual_map_bytes});
    if (!log) return "the log does not open: " + describe(log.error());
    auto read = (**log)->read(Position(1), [&](const RecordedEvent& recorded) {
      found.push_back(content_behind(0, recorded.event));
      return Result<bool>(true);
    });
    if (!read) return "the log cannot be read: " + describe(read.error());
  }
  if (auto wrong = judge(told, found); !wrong.empty()) return wrong;
  auto checked = check_log(folder);
  if (checked.problem == Problem::none) return {};
  return std::string(name(checked.problem)) + ": " + checked.text;
}

// What a run tells the process that watches it.
struct Slot {
  bool fired = false;
  std::array<char, 2048> finding{};
};

// Memory that a child process shares.
class SharedSlot {
 public:
  SharedSlot() {
    memory_ =
        ::mmap(nullptr, sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ALMANAC_CHECK(memory_ != MAP_FAILED);
  }
  ~SharedSlot() { ::munmap(memory_, sizeof(Slot)); }
  SharedSlot(const SharedSlot&) = delete;
  SharedSlot& operator=(const SharedSlot&) = delete;
  [[nodiscard]] Slot& fresh() { return *new (memory_) Slot; }

 private:
  void* memory_;
};

struct Case {
  const Use& use;
  Injector::Options options;
  Mistake mistake = Mistake::none;
};

void run(const Case& one, const std::filesystem::path& folder, Slot& slot) {
  const auto path = folder / "log";
  std::vector<Told> told;
  if (one.use.on_existing_log) {
    Program before(path);
    before.open();
    append_some(before, events_before);
    told = before.told();
  }
  Program program(path, std::move(told), one.mistake);
  {
    Injector injector(folder, one.options);
    Watching watching(injector);
    one.use.run(program, path);
    slot.fired = injector.fired();
  }
  auto finding = program.lie().empty() ? judge_log(path, program.told()) : program.lie();
  std::snprintf(slot.finding.data(), slot.finding.size(), "%s", finding.c_str());
}

struct Ran {
  bool fired = false;   // a call failed
  std::string finding;  // what is wrong, if anything
};

// In a process of its own.
Ran run_apart(const Case& one, SharedSlot& shared) {
  MemoryFolder folder;
  Slot& slot = shared.fresh();
  const pid_t id = ::fork();
  if (id == 0) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::alarm(run_seconds_max);
    run(one, folder.path(), slot);
    ::_exit(0);
  }
  int status = 0;
  ALMANAC_CHECK(id > 0 && ::waitpid(id, &status, 0) == id);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {slot.fired, slot.finding.data()};
  auto how = WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "an exit";
  return {true, std::string("the process ended by ") + how};
}

struct Findings {
  std::uint64_t runs = 0;
  std::vector<std::string> texts;
};

// Every call that a use makes fails in turn, until there is none left to fail.
Findings fail_each_call(const Use& use, Mistake mistake = Mistake::none) {
  SharedSlot shared;
  Findings findings;
  for (const InjectedFault& fault : injected_faults()) {
    for (bool sticky : {false, true}) {
      bool fired = true;
      for (std::uint64_t at = 1; fired; ++at, ++findings.runs) {
        auto ran = run_apart({use, {fault, at, sticky}, mistake}, shared);
        fired = ran.fired && at < calls_max;
        if (ran.finding.empty()) continue;
        findings.texts.push_back(std::string(use.name) + ", " + std::string(fault.name) +
                                 " at call " + std::to_string(at) +
                                 (sticky ? " and from then on: " : ": ") + ran.finding);
      }
    }
  }
  return findings;
}

void expect_the_promised_log(std::string_view name) {
  constexpr std::uint64_t floor = 30;
  auto findings = fail_each_call(use_called(name));
  for (const auto& text : findings.texts) ADD_FAILURE() << text;
  std::cout << name << ": " << findings.runs << " runs with a failing call\n";
  EXPECT_GE(findings.runs, floor) << "too little was done to count";
}

TEST(FailingCall, LeavesTheLogThatWasPromisedWhenItIsCreated) {
  expect_the_promised_log("create, append, close");
}

TEST(FailingCall, LeavesTheLogThatWasPromisedWhenItIsOpened) {
  expect_the_promised_log("open, append, close");
}

TEST(FailingCall, LeavesTheLogThatWasPromisedWhenItsMapIsFull) {
  expect_the_promised_log("fill a small map");
}

TEST(FailingCall, GivesAReaderAnErrorOrAllThereIs) { expect_the_promised_log("read"); }

TEST(FailingCall, IsSeenToBeMisunderstood) {
  EXPECT_FALSE(fail_each_call(use_called("open, append, close"), Mistake::takes_unknown_for_done)
                   .texts.empty());
}

TEST(FailingCall, IsJudgedByWhatTheProgramWasTold) {
  const std::vector<Told> told = {
      {1, Outcome::acknowledged}, {2, Outcome::unknown}, {3, Outcome::refused}};
  EXPECT_EQ(judge(told, {1}), "");
  EXPECT_EQ(judge(told, {1, 2}), "");
  EXPECT_EQ(judge(told, {2}), "event 0 was acknowledged and is not there");
  EXPECT_EQ(judge(told, {1, 2, 3}), "event 2 was refused and is there");
  EXPECT_EQ(judge(told, {1, 2, 2}), "something is there that was not appended, or twice");
  EXPECT_EQ(judge(told, {1, 4}), "something is there that was not appended, or twice");
}

}  // namespace
}  // namespace almanac::test
