// Does what a backup job is for, on a thread of its own beside the engine.
#pragma once

#include <almanac/engine/backup_spec.h>
#include <almanac/engine/command.h>
#include <almanac/engine/core_ports.h>
#include <almanac/log/log.h>

#include <filesystem>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

namespace almanac {

// Owned by the engine, used by its loop. A job's thread reports its end, whatever it is, and no
// repository that fails does more than that; the first failure of a job in a row is a warning.
class BackupRunner final : public BackupPort {
 public:
  struct Surroundings {
    const Log& log;
    std::filesystem::path folder;  // the one the log was opened in
    std::function<Time()> clock;
    std::uint64_t seed = 0;               // of the moments that drills restore
    std::function<void(Command)> report;  // takes FinishBackup on the job's thread
  };
  BackupRunner(Surroundings surroundings, BackupOptions options);
  // Ends what runs, and waits for it.
  ~BackupRunner() override = default;
  BackupRunner(const BackupRunner&) = delete;
  BackupRunner& operator=(const BackupRunner&) = delete;

  void begin(const BeginBackup& run) override;
  void stop() override;

 private:
  using Outcome = FinishBackup::Outcome;
  [[nodiscard]] Result<Repository> open(Access access) const;
  [[nodiscard]] Result<Repository> open_there_is() const;
  void run(const BeginBackup& run, const std::stop_token& stop);
  [[nodiscard]] Result<Outcome> make_snapshot(const BeginBackup& run, const std::stop_token& stop);
  [[nodiscard]] Result<Outcome> drill(const BeginBackup& run, const std::stop_token& stop) const;
  [[nodiscard]] Result<Outcome> prune(const std::stop_token& stop) const;

  const Surroundings surroundings_;
  const BackupOptions options_;
  std::set<std::string> failing_;  // jobs whose last run failed; of the job's thread
  std::jthread thread_;            // the last: it ends before what it uses
};

}  // namespace almanac
