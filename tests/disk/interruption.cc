#include <almanac/tests/disk/interruption.h>

#include <almanac/log/error.h>
#include <almanac/tests/disk/injector.h>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

namespace almanac::test {
namespace {

constexpr std::uint64_t calls_max = 2'000;

// The process dies before the call it is told, or behind it.
class Killer final : public FolderWatcher {
 public:
  Killer(const std::filesystem::path& folder, std::uint64_t at, bool done_first)
      : FolderWatcher(folder), left_(at), done_first_(done_first) {}

 private:
  long on_seen(const Seen& seen, const RealCall& real) override {
    const bool last = --left_ == 0;
    if (last && !done_first_) ::raise(SIGKILL);
    const long result = real(seen.call.bytes);
    if (last) ::raise(SIGKILL);
    return result;
  }

  std::atomic<std::uint64_t> left_;
  bool done_first_;
};

// Minus the signal that ended it, or 0 when it succeeded.
int run_apart(const std::function<bool()>& work) {
  const pid_t id = ::fork();
  if (id == 0) ::_exit(work() ? 0 : 1);
  int status = 0;
  ALMANAC_CHECK(id > 0 && ::waitpid(id, &status, 0) == id);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// Ever more of them come where a call is made again whenever it fails.
bool is_one_too_many(std::uint64_t at) {
  EXPECT_LT(at, calls_max);
  return at >= calls_max;
}

// What the test says of it is with the place.
bool holds(const Interruption& interruption, const std::string& place) {
  const ::testing::ScopedTrace trace(__FILE__, __LINE__, place);
  interruption.check();
  return !::testing::Test::HasFailure();
}

}  // namespace

std::uint64_t kill_at_every_call(const Interruption& interruption) {
  std::uint64_t kills = 0;
  for (bool done_first : {false, true}) {
    for (std::uint64_t at = 1; !is_one_too_many(at); ++at) {
      interruption.prepare();
      const int end = run_apart([&] {
        Killer killer(interruption.folder, at, done_first);
        const Watching watching(killer);
        return interruption.run();
      });
      EXPECT_TRUE(end == 0 || end == -SIGKILL) << end;
      const std::string when = done_first ? "killed behind call " : "killed before call ";
      if (!holds(interruption, when + std::to_string(at))) return kills;
      if (end == 0) break;
      ++kills;
    }
  }
  return kills;
}

std::uint64_t fail_every_call(const Interruption& interruption) {
  std::uint64_t runs = 0;
  for (const InjectedFault& fault : injected_faults()) {
    for (bool sticky : {false, true}) {
      for (std::uint64_t at = 1; !is_one_too_many(at); ++at) {
        interruption.prepare();
        Injector injector(interruption.folder, {fault, at, sticky});
        {
          const Watching watching(injector);
          (void)interruption.run();
        }
        const std::string when = sticky ? " from call " : " at call ";
        if (!holds(interruption, std::string(fault.name) + when + std::to_string(at))) return runs;
        if (!injector.fired()) break;
        ++runs;
      }
    }
  }
  return runs;
}

}  // namespace almanac::test
