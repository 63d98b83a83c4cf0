// What the core acts on outside of itself, as narrow as it needs it. In the engine these are the
// log, the loop and the runner of backups; tests/simulation puts a world of its own behind them, in
// which time, the disk and all that fails is drawn from one seed.
#pragma once

#include <almanac/engine/advice.h>
#include <almanac/engine/advisor_spec.h>
#include <almanac/engine/effects.h>
#include <almanac/engine/steady_time.h>
#include <almanac/log/log.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace almanac {

// The calls of a Log that was opened with AfterRefusal::wait; log/log.h says what each promises.
class LogPort {
 public:
  virtual ~LogPort() = default;
  [[nodiscard]] virtual const Timeline& timeline() const = 0;
  [[nodiscard]] virtual Result<Position> append(std::shared_ptr<const EventBatch> batch,
                                                const AppendOptions& options) = 0;
  virtual void resume() = 0;
  virtual void set_reserve(std::size_t bytes) = 0;
  [[nodiscard]] virtual Result<void> read_one(
      Position position, const std::function<void(const Event&)>& visit) const = 0;
};

// Of a loop: its end, and the one timer.
class LoopPort {
 public:
  virtual ~LoopPort() = default;
  virtual void stop() = 0;
  virtual void arm(Duration wait) = 0;
  virtual void disarm() = 0;
};

class BackupPort {
 public:
  virtual ~BackupPort() = default;
  // The run before has reported its end.
  virtual void begin(const BeginBackup& run) = 0;
  // What runs ends soon, and reports that it was stopped.
  virtual void stop() = 0;
};

class HealerPort {
 public:
  virtual ~HealerPort() = default;
  // The repair before has reported its end.
  virtual void begin(const BeginRepair& repair) = 0;
  virtual void check(const CheckComponent& check) = 0;
  virtual void switched(const ComponentSwitch& change) = 0;
  // A repair that runs ends soon, and reports that it was interrupted.
  virtual void stop() = 0;
};

// How an advisor stands. Does not change once it can be seen.
struct AdvisorStanding {
  AdvisorMode mode = AdvisorMode::absent;
  AdviceFailure failure;       // of one that has fallen back: the last, …
  std::uint32_t attempts = 0;  // … and how many in a row
  std::vector<TaskId> order;   // what it advises
  SteadyTime valid_until;      // … and until when
};

class AdvisorPort {
 public:
  virtual ~AdvisorPort() = default;
  [[nodiscard]] virtual const AdvisorSpec& spec() const = 0;
  // Never waits. The core has a turn when the mode changes.
  [[nodiscard]] virtual std::shared_ptr<const AdvisorStanding> standing() const = 0;
  // It is not needed any more.
  virtual void stop() = 0;
};

// A log as the core sees it. Borrows it.
class CoreLog final : public LogPort {
 public:
  explicit CoreLog(Log& log) : log_(log) {}
  [[nodiscard]] const Timeline& timeline() const override { return log_.timeline(); }
  [[nodiscard]] Result<Position> append(std::shared_ptr<const EventBatch> batch,
                                        const AppendOptions& options) override {
    return log_.append(std::move(batch), options);
  }
  void resume() override { log_.resume(); }
  void set_reserve(std::size_t bytes) override { log_.set_reserve(bytes); }
  [[nodiscard]] Result<void> read_one(
      Position position, const std::function<void(const Event&)>& visit) const override {
    return log_.read_one(position, visit);
  }

 private:
  Log& log_;
};

}  // namespace almanac
