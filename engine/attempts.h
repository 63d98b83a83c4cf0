// The attempts that are running in this process: which handler each went to, when its time is up,
// and why it was told to stop.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/effects.h>
#include <almanac/engine/handler.h>
#include <almanac/engine/probes.h>
#include <almanac/engine/processes.h>
#include <almanac/engine/workers.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// The end of an attempt whose deadline has passed, whatever else came of it.
[[nodiscard]] AttemptOutcome timed_out(AttemptOutcome outcome);

struct AttemptOptions {
  ProcessOptions processes;
  Duration kill_grace{0};  // between SIGTERM and SIGKILL
  bool runs_commands = true;
  Timeline timeline{};  // of the log, for the tokens of attempts
  // Runs C++ handlers and reports how they ended; empty = on threads of its own.
  std::function<void(std::vector<WorkerJob>)> run_handlers = {};
};

// Owned by the core; used on the loop's thread alone, but for workers that finish.
class Attempts {
 public:
  // What an attempt comes to: FinishAttempt or HandBackAttempt. Called on any thread.
  using Report = std::function<void(Command)>;
  struct Surroundings {
    const LogPort& log;  // in which an attempt finds what others have come to
    Loop& loop;
    const Guard& guard;
    Report report;
  };
  Attempts(const Surroundings& surroundings, AttemptOptions options);
  // Tells what still runs to stop, kills commands and waits for handlers.
  ~Attempts();
  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  // What runs the tasks of a kind that have one of these versions from now on: one handler without
  // a name, or several with one each.
  void set_handlers(const std::string& kind, const std::vector<Implementation>& implementations,
                    VersionRange versions, Time now);
  [[nodiscard]] bool can_run(std::string_view kind) const;

  // What an attempt is given of the tasks that its own depends on.
  struct Inputs {
    std::vector<EndedDependency> dependencies;
    std::string json;  // the same for a command; empty = it depends on nothing
  };
  // `enqueued` is the task as it was submitted; it is read before this returns. What is a C++
  // handler's is only made ready.
  void begin(const BeginAttempt& effect, const TaskEnqueued& enqueued, Inputs inputs, Time now);
  // One may begin in a moment.
  void expect_handler() { workers_.expect_job(); }
  // Lets the handlers run that were begun since the last time, all at once.
  void run_begun();
  void cancel(Lease lease, Time now) { stop(lease, StopReason::cancel, now); }
  // Tells all that run to stop and hands them back; with `at_once` commands get no time to end.
  void hand_back_all(Time now, bool at_once);
  // Enforces what is due: deadlines, the end of the time given after SIGTERM, the sweep behind
  // commands that have ended, and probes.
  void advance(Time now);
  // When advance() has something to do next.
  [[nodiscard]] std::optional<Time> next_due() const;
  // Forgets the attempt a report speaks of and answers what is to be decided: an attempt that
  // failed because the engine stops is handed back instead. Other commands pass as they are.
  [[nodiscard]] Command settle(Command report, Time now);
  // Say what came of an attempt that was never begun.
  void hand_back(TaskId id, Lease lease) const { report_(HandBackAttempt{id, token(lease)}); }
  void finish(TaskId id, Lease lease, AttemptOutcome outcome) const {
    report_(FinishAttempt{id, token(lease), std::move(outcome)});
  }
  [[nodiscard]] bool empty() const { return running_.empty(); }

 private:
  enum class StopReason : std::uint8_t { none, timeout, cancel, stopping };
  struct Running {
    TaskId id;
    bool is_command = false;
    std::string kind;  // these where its kind has several implementations
    std::string implementation;
    StopReason stop = StopReason::none;
    Time due;  // its deadline or, when it was told to stop, when it is ended; not set = never
    std::stop_source stop_source;
  };

  [[nodiscard]] FencingToken token(Lease lease) const { return {options_.timeline, lease}; }
  void begin_command(const BeginAttempt& effect, const TaskEnqueued& enqueued, std::string inputs);
  Running& add(const BeginAttempt& effect, bool is_command);
  // Takes out of what runs.
  Running remove(std::map<Lease, Running>::iterator entry);
  void set_due(Lease lease, Running& running, Time due);
  void stop(Lease lease, StopReason reason, Time now);
  void give_up(Lease lease, Time now);
  void sweep(Time now);
  void command_ended(Lease lease, AttemptOutcome outcome);

  Report report_;
  AttemptOptions options_;
  struct Known {
    std::string name;  // of one that is alone ""
    VersionRange versions;
    std::shared_ptr<const Handler> handler;
  };
  // The newest first; those that were replaced stay behind them.
  std::map<std::string, std::vector<Known>, std::less<>> handlers_;
  std::map<Lease, Running> running_;
  std::set<std::pair<Time, Lease>> due_;  // of those that are
  Time sweep_at_;                         // not set = nothing to sweep
  std::vector<WorkerJob> begun_;
  Processes processes_;
  Workers workers_;
  Probes probes_;
};

}  // namespace almanac
