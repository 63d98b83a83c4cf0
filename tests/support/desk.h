// Decides and folds with no disk, no thread and no clock but the one the test turns: the engine's
// thinking by itself.
#pragma once

#include <almanac/engine/decide.h>
#include <almanac/engine/dispatch.h>
#include <almanac/projections/state.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <vector>

namespace almanac::test {

inline bool can_run_all(std::string_view) { return true; }

struct DeskOptions {
  std::uint32_t slots = 4;
  std::uint64_t seed = 42;
};

// Begins with a started engine. What the events point at lives as long as the desk.
class Desk {
 public:
  explicit Desk(const DeskOptions& options = {});
  // Goes on from a state, some time later.
  explicit Desk(State state, const DeskOptions& options = {});

  Time now{std::chrono::seconds(1'000'000)};
  const Advice* advice = nullptr;  // whom to begin with
  Duration model_patience = std::chrono::seconds(30);
  Timeline timeline{std::byte{7}};
  UserKeyRing keys;  // of users whose memories are stored and changed
  [[nodiscard]] FencingToken token(Lease lease) const { return {timeline, lease}; }

  // Decides a command and folds its events; last() gives them. A refusal changes nothing.
  Result<Answer> ask(Command command);
  // What decide_due(), decide_circuits(), decide_starts(), decide_backups(), decide_firings() and
  // decide_reasons() give, folded.
  const std::vector<Event>& come_due();
  const std::vector<Event>& move_circuits();
  // What decide_repair() and then decide_switches() give, folded.
  const std::vector<Event>& keep_components();
  std::vector<TaskId> start(const CanRun& can_run = can_run_all,
                            const LeaseWaits* workers = nullptr);
  // What the last start() gave to workers.
  [[nodiscard]] const std::vector<Starts::Grant>& granted() const { return granted_; }
  // As the last start() said.
  [[nodiscard]] std::optional<Time> next_start() const { return next_start_; }
  const std::vector<Event>& begin_backup();
  const std::vector<Event>& fire();
  const std::vector<Event>& record_reasons(const CanRun& can_run = can_run_all,
                                           const LeaseWaits* workers = nullptr);

  // Those below stop the test program when they are refused.
  TaskId submit(TaskSpec spec);
  std::vector<Submitted> submit_all(std::vector<TaskSpec> specs);
  void finish(TaskId id, AttemptStatus status);
  void cancel(TaskId id);

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] const Task& task(TaskId id) const;
  // The events of the last decision.
  [[nodiscard]] const std::vector<Event>& last() const { return last_; }

 private:
  void begin(const DeskOptions& options);
  void fold_all(std::vector<Event> events);

  State state_;
  Arena memory_;
  std::deque<Command> commands_;
  std::vector<Event> last_;
  std::optional<Time> next_start_;
  std::vector<Starts::Grant> granted_;
};

// The error of an answer; empty code and text when there was none.
[[nodiscard]] Error error_of(const Result<Answer>& answer);

}  // namespace almanac::test
