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

enum class Outcome : std::uint8_t { acknowledged, refused, unknown };

// One event that was handed over, and what its program was told.
struct Told {
  std::uint64_t content = 0;
  Outcome outcome = Outcome::unknown;
};

// A program that goes on as well as it can when the disk fails.
class Program {
 public:
  // `told`: what was promised before, by the log in this folder.
  explicit Program(const std::filesystem::path& folder, std::vector<Told> told = {})
      : folder_(folder), told_(std::move(told)) {}

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
    if (position) {
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

void run(const Use& use, const Injector::Options& options, Slot& slot) {
  MemoryFolder folder;
  const auto path = folder.path() / "log";
  std::vector<Told> told;
  if (use.on_existing_log) {
    Program before(path);
    before.open();
    append_some(before, events_before);
    told = before.told();
  }
  Program program(path, std::move(told));
  {
    Injector injector(folder.path(), options);
    Watching watching(injector);
    use.run(program, path);
    slot.fired = injector.fired();
  }
  auto finding = program.lie().empty() ? judge_log(path, program.told()) : program.lie();
  std::snprintf(slot.finding.data(), slot.finding.size(), "%s", finding.c_str());
}

// In a process of its own. Answers whether a call failed.
bool run_apart(const Use& use, const Injector::Options& options, Slot& slot) {
  slot = {};
  const pid_t id = ::fork();
  if (id == 0) {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::alarm(run_seconds_max);
    run(use, options, slot);
    ::_exit(0);
  }
  int status = 0;
  ALMANAC_CHECK(id > 0 && ::waitpid(id, &status, 0) == id);
  const bool lived = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  EXPECT_TRUE(lived && slot.finding[0] == '\0')
      << use.name << ", " << options.fault.name << " at call " << options.at
      << (options.sticky ? " and from then on: " : ": ")
      << (lived ? slot.finding.data() : ::strsignal(WTERMSIG(status)));
  return slot.fired || !lived;
}

TEST(FailingCall, LeavesALogThatHoldsWhatWasPromisedWhicheverItIs) {
  constexpr std::uint64_t floor = 300;
  void* memory =
      ::mmap(nullptr, sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  Slot& slot = *new (memory) Slot;
  std::uint64_t runs = 0;
  for (const Use& use : uses) {
    for (const InjectedFault& fault : injected_faults()) {
      for (bool sticky : {false, true}) {
        std::uint64_t at = 1;
        while (run_apart(use, {fault, at, sticky}, slot)) ++at;
        runs += at;
      }
    }
  }
  ::munmap(memory, sizeof(Slot));
  std::cout << runs << " runs with a failing call\n";
  EXPECT_GE(runs, floor) << "too little was done to count";
}

}  // namespace
}  // namespace almanac::test
