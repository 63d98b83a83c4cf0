// An engine in a process of its own, to be killed while a schedule fires:
// schedule_victim FOLDER SECONDS
// Its clock begins so many seconds behind the last event, or before it, and goes on by one whenever
// the engine has looked at it. Prints a line each time.
#include <almanac/engine/engine.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::atomic<std::int64_t> seconds = 1'800'000'000;
  almanac::EngineOptions options{.folder = argv[1], .slots = 2, .runs_commands = false};
  options.clock = [&] { return almanac::Time(std::chrono::seconds(seconds)); };
  if (auto log = almanac::Log::open(argv[1], {.access = almanac::Access::read})) {
    const auto last = std::chrono::floor<std::chrono::seconds>((*log)->opened_tail().time);
    seconds = last.time_since_epoch().count() + std::strtol(argv[2], nullptr, 10);
  }
  auto engine = almanac::Engine::open(std::move(options));
  if (!engine) return 1;
  (*engine)->handle("work", [](const almanac::Attempt&) { return almanac::Outcome::success(); });
  const almanac::ScheduleSpec schedule{.name = "tick",
                                       .recurrence = *almanac::Recurrence::parse("every 2s"),
                                       .task = {.kind = "work"},
                                       .missed = almanac::MissedPolicy::all,
                                       .window = std::chrono::hours(24),
                                       .overlap = almanac::OverlapPolicy::allow};
  if (!(*engine)->define_schedule(schedule)) return 1;
  while (true) {
    ++seconds;
    (void)(*engine)->cancel(almanac::TaskId(), "");  // lets it look at the clock
    std::puts("turned");
    std::fflush(stdout);
  }
}
