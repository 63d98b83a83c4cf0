// An engine in a process of its own, to be killed while it makes a snapshot:
// backup_victim FOLDER REPOSITORY
// Its clock lets one go by, and then holds the job that asks it. Prints a line when it does.
#include <almanac/engine/engine.h>
#include <almanac/tests/support/backup_thread.h>

#include <unistd.h>

#include <atomic>
#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::atomic<std::int64_t> seconds = 1'699'999'000;
  almanac::EngineOptions options{.folder = argv[1], .slots = 4, .runs_commands = false};
  options.clock = [&] {
    if (almanac::test::is_backup_thread()) {
      std::puts("running");
      std::fflush(stdout);
      while (true) ::pause();
    }
    return almanac::Time(std::chrono::seconds(seconds));
  };
  options.backups.repository = argv[2];
  options.backups.jobs.push_back({.action = almanac::BackupAction::snapshot,
                                  .recurrence = *almanac::Recurrence::parse("every 15 minutes")});
  auto engine = almanac::Engine::open(std::move(options));
  if (!engine) return 1;
  seconds += 15 * 60;
  (void)(*engine)->cancel(almanac::TaskId(), "");  // lets it look at the clock
  while (true) ::pause();
}
