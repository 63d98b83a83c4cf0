#include <almanac/tests/support/case_run.h>

#include <almanac/log/error.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <new>

namespace almanac::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned workers_max = 64;
constexpr std::size_t findings_max = 100;
// A case takes less than a millisecond; one that takes this long goes on for ever.
constexpr unsigned hang_seconds = 60;

// Seen by all processes.
struct Shared {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> noticed{0};
  std::atomic<std::uint64_t> unharmed{0};
  std::atomic<std::uint64_t> skipped{0};
  std::atomic<std::uint64_t> wrong{0};
  std::array<std::atomic<std::uint64_t>, findings_max> wrong_cases{};
  std::array<std::atomic<std::uint64_t>, workers_max> current{};
};

class SharedMemory {
 public:
  SharedMemory() {
    memory_ =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ALMANAC_CHECK(memory_ != MAP_FAILED);
    shared_ = new (memory_) Shared;
  }
  ~SharedMemory() { ::munmap(memory_, sizeof(Shared)); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  Shared* operator->() const { return shared_; }
  Shared& operator*() const { return *shared_; }

 private:
  void* memory_;
  Shared* shared_;
};

void work(Shared& shared, unsigned worker, const CaseRunOptions& options, Clock::time_point end,
          const TryCase& try_case) {
  for (;;) {
    auto index = shared.next++;
    if (index >= options.cases) return;
    if (index >= options.cases_min && Clock::now() >= end) return;
    shared.current[worker] = index;
    ::alarm(hang_seconds);
    switch (try_case(worker, index)) {
      case CaseEnd::noticed: ++shared.noticed; break;
      case CaseEnd::unharmed: ++shared.unharmed; break;
      case CaseEnd::skipped: ++shared.skipped; break;
      case CaseEnd::wrong: {
        auto place = shared.wrong++;
        if (place >= findings_max) return;
        shared.wrong_cases[place] = index;
        break;
      }
    }
  }
}

std::string how_it_ended(int status) {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "exit " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

CaseRunReport run_cases(const CaseRunOptions& options, const TryCase& try_case) {
  ALMANAC_CHECK(options.workers > 0 && options.workers <= workers_max);
  SharedMemory shared;
  CaseRunReport report;
  std::map<pid_t, unsigned> workers;
  const auto end = Clock::now() + options.time_max;
  std::fflush(nullptr);
  auto start = [&](unsigned worker) {
    auto process = ::fork();
    ALMANAC_CHECK(process >= 0);
    if (process == 0) {
      work(*shared, worker, options, end, try_case);
      ::_exit(0);
    }
    workers[process] = worker;
  };
  for (unsigned worker = 0; worker < options.workers; ++worker) start(worker);
  while (!workers.empty()) {
    int status = 0;
    auto process = ::waitpid(workers.begin()->first, &status, 0);
    ALMANAC_CHECK(process > 0);
    auto worker = workers.at(process);
    workers.erase(process);
    if (status == 0) continue;
    report.findings.push_back({shared->current[worker], how_it_ended(status)});
    if (report.findings.size() < findings_max) start(worker);
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(shared->wrong, findings_max); ++i) {
    report.findings.push_back({shared->wrong_cases[i], "wrong"});
  }
  report.noticed = shared->noticed;
  report.unharmed = shared->unharmed;
  report.skipped = shared->skipped;
  return report;
}

}  // namespace almanac::test
