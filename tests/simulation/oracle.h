// Judges a simulated run, event by event, from what is on the disk and from what was seen outside:
// it has its own record of every task and asks no fold what may happen.
#pragma once

#include <almanac/engine/command.h>
#include <almanac/engine/task_retention.h>
#include <almanac/projections/state.h>
#include <almanac/tests/simulation/circuit_record.h>
#include <almanac/tests/simulation/coverage.h>
#include <almanac/tests/simulation/fair_record.h>
#include <almanac/tests/simulation/gpu_record.h>
#include <almanac/tests/simulation/implementation_record.h>
#include <almanac/tests/simulation/limit_record.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace almanac::test {

// A promise that was broken.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};
inline void require(bool holds, const std::string& what) {
  if (!holds) throw Violation(what);
}
// For what a violation says.
[[nodiscard]] inline std::string text(TaskId id) { return "task " + std::to_string(id.value); }

class Oracle {
 public:
  explicit Oracle(Coverage& coverage) : coverage_(coverage), circuits_(coverage), gpus_(coverage) {}

  // What is on the disk, in order.
  void see(const RecordedEvent& recorded);

  // What happens outside.
  void engine_begins(const State& recovered);
  void engine_runs(std::string kind) { runnable_.insert(std::move(kind)); }
  void stop_is_asked() { stopping_ = true; }
  void engine_keeps(TaskRetention retention) { retention_ = retention; }
  void log_is_restored() { restored_through_ = durable_.position; }
  void is_published(const State& state);
  void attempt_begins(TaskId id, Lease lease, Time deadline) const;
  void attempt_ends(Lease lease, const AttemptOutcome& outcome);
  // The clock that nobody sets.
  void steady_clock_shows(Duration time) { steady_ = time; }
  // Of workers elsewhere: what they are given, what they say, and what is answered.
  void lease_is_answered(const LeaseSpec& asked, const LeasedTask& leased) const;
  void is_heard_of(TaskId id, Lease lease);
  void give_back_is_asked(Lease lease) { given_back_.insert(lease); }
  void end_is_accepted(TaskId id, Lease lease) const;
  // The engine has read the clock, which may go back before anything is written.
  void clock_shows(Time time) { latest_ = std::max(latest_, time); }
  void cancel_is_asked(TaskId id) { cancels_.insert(id); }
  void retry_is_asked(TaskId id) { retries_.insert(id); }
  void pause_is_asked(TaskId id) { pauses_.insert(id); }
  // By the task with this label, where there is one in its way.
  void replacing_is_asked(const std::string& label) { replacing_.insert(label); }
  void cancel_is_accepted(TaskId id) const;
  void take_is_answered(const std::string& limit);
  // Of models, by what loads them and by programs.
  void model_work_begins(ModelWork::Kind kind, const std::string& model, const std::string& gpu);
  void model_work_ends(const std::string& model) { gpus_.work_ends(model); }
  void model_is_leased(const std::string& model, std::uint64_t lease);
  void model_is_given_back(const std::string& model, std::uint64_t lease) {
    gpus_.is_given_back(model, lease);
  }
  // `labels` name each task of one submission alone.
  void submission_is_accepted(const std::vector<std::string>& labels,
                              const std::vector<Submitted>& submitted) const;
  void submission_is_refused(const std::vector<std::string>& labels);
  // Nothing is on its way, and the engine has had its turn at this time.
  void is_idle(Time now) const;
  // Everything was healed and has had all the time it needs.
  void is_over() const;

  [[nodiscard]] bool holds(TaskId id, Lease lease) const;
  [[nodiscard]] bool all_have_ended() const;
  // What is on the disk, folded.
  [[nodiscard]] const State& durable() const { return durable_; }

 private:
  // How a dependency must end, and whether one of its ends was that.
  struct Awaited {
    DependencyCondition condition = DependencyCondition::success;
    bool met = false;
  };
  struct AwaitedGroup {
    GroupId group;
    Awaited awaited;
  };
  struct GroupRecord {
    bool is_open = true;
    std::set<TaskId> members;
  };
  // What was said of an attempt by its worker.
  struct Reports {
    std::set<AttemptStatus> ends;
    bool permanent = false;
    bool crashed = false;
    bool snoozed = false;
  };
  struct Record {
    std::string kind;
    std::string queue;
    std::string label;
    std::string owner;
    std::map<TaskId, Awaited> dependencies;
    Time not_before;
    Time expires_at;   // not set = never
    Time deadline;     // of the attempt that runs
    Time must_end_by;  // its own; not set = whenever
    Duration estimate{0};
    std::int32_t priority = 0;
    std::map<std::string, std::uint32_t> demands;  // of limits, whether they are set or not
    std::uint32_t version = 0;
    Backoff backoff;
    RetryPolicy retry_policy = RetryPolicy::exponential_jitter;
    std::uint32_t attempts_max = 1;
    std::uint32_t crashes_max = 1;
    std::uint32_t begun = 0;
    std::uint32_t failures = 0;
    std::uint32_t crashes = 0;
    Lease lease;
    std::string implementation;  // by which the attempt runs
    Duration lease_time{0};      // of a worker elsewhere
    Duration heard{0};           // when that was heard of for the last time
    std::string gpu;             // of which the attempt has memory, …
    Position begun_at;           // … since then
    bool must_be_cancelled = false;
    bool held = false;
    bool forgotten = false;
    Uniqueness unique;
    GroupId group;
    std::optional<AwaitedGroup> after_group;
    Time enqueued_at;
    std::optional<TaskState> ended;  // how
    Time ended_at;
    TaskState state = TaskState::ready;  // as it was last seen, for the coverage

    // The attempt, or the last one.
    [[nodiscard]] bool is_remote() const { return lease_time > Duration(0); }
    // They wait for the same.
    [[nodiscard]] bool is_in_lane_of(const Record& other) const {
      return queue == other.queue && kind == other.kind && demands == other.demands &&
             version == other.version;
    }
  };
  struct Queue {
    std::uint32_t slots = 0;  // 0 = as many as the engine has
    QueuePolicy policy = QueuePolicy::priority;
    Duration ageing{0};
    Duration window{0};
    Duration short_work{0};
    std::map<std::string, std::int64_t, std::less<>> weights;
    QueueRetention retention;
  };

  Record& record(TaskId id);
  void end(TaskId id, TaskState how);
  void await(Record& task, TaskId dependency);
  void crash(Record& task, Lease lease, HandBackReason reason, std::uint32_t crashes);
  [[nodiscard]] bool is_paused(const Record& task) const;
  void judge_doomed(const Record& task, TaskId dependency);
  void judge_start(TaskId id, const Record& task) const;
  void end_attempt(Record& task, Lease lease);
  void end_badly(Record& task, Lease lease, const AttemptEnd& end);
  void judge_failure(const Record& task, Lease lease, const AttemptEnd& end);

  // oracle_remote.cc
  [[nodiscard]] std::uint64_t running_here() const;
  void judge_place(const TaskStarted& event, const Record& task) const;

  // oracle_gpu.cc
  [[nodiscard]] GpuUses gpu_uses() const;
  void judge_gpu(const TaskStarted& event, Record& task);
  [[nodiscard]] bool may_wait_for_gpu(const Record& task) const;

  // oracle_unique.cc
  [[nodiscard]] bool is_replaced(TaskId id, std::string_view reason);
  void judge_unique(const TaskEnqueued& event);
  void judge_alone(TaskId id, const Record& task) const;
  void judge_retry(TaskId id, const Record& task) const;

  // oracle_retention.cc
  [[nodiscard]] std::optional<Duration> kept_for(const Record& task) const;

  // oracle_groups.cc
  void judge_groups(const TaskEnqueued& event, Record& task);
  [[nodiscard]] std::optional<TaskState> outcome_of(GroupId group) const;
  void await_group(Record& task) const;
  void group_moves(GroupId group);
  [[nodiscard]] bool waits_for_group(const Record& task) const;
  [[nodiscard]] bool is_doomed_by_group(const Record& task, const Record& culprit) const;
  void judge_forgotten_member(const Record& task) const;

  // oracle_choice.cc
  [[nodiscard]] std::uint32_t running_in(const std::string& queue) const;
  [[nodiscard]] std::uint64_t in_use(const std::string& limit) const;
  [[nodiscard]] LimitSetting setting_of(const std::string& limit) const;
  [[nodiscard]] Queue queue_of(const Record& task) const;
  [[nodiscard]] bool is_queue_full(const Record& task) const;
  [[nodiscard]] bool is_ready(TaskId id) const;
  [[nodiscard]] std::int64_t urgency_of(const Record& task) const;
  [[nodiscard]] std::int64_t rank_of(TaskId id, const Record& task) const;
  void see_fair_turns();
  [[nodiscard]] FairRecord::Turn turn_of(const Record& task) const;
  void take_limits(const Record& task);
  void judge_order(TaskId id, const Record& task) const;
  [[nodiscard]] bool must_fail_over(const Record& task, const AttemptEnd& end) const;
  [[nodiscard]] bool may_wait_for_limits(const Record& task, Time now) const;

  void check(const TaskEnqueued& event);
  void check(const TaskStarted& event);
  void check(const TaskSucceeded& event);
  void check(const TaskAttemptFailed& event);
  void check(const TaskFailed& event);
  void check(const TaskCancelRequested& event);
  void check(const TaskCancelled& event);
  void check(const TaskHandedBack& event);
  void check(const TaskHeld& event);
  void check(const TaskReleased& event);
  void check(const TaskAccepted& event);
  void check(const TaskSnoozed& event);
  void check(const TaskFailedOver& event);
  void check(const TaskProgressed& event);
  void check(const TaskRedriven& event);
  void check(const TasksForgotten& event);
  void check(const WorkPaused& event);
  void check(const WorkResumed& event);
  void check(const ImplementationsSet& event) { implementations_.see(event); }
  void check(const ImplementationLeft& event) { implementations_.see(event); }
  void check(const ImplementationReturned& event) { implementations_.see(event); }
  void check(const QueueConfigured& event);
  void check(const LimitConfigured& event);
  void check(const TokensTaken& event);
  void check(const GroupOpened& event);
  void check(const GroupClosed& event);
  void check(const EngineStarted& event);
  void check(const EngineStopped& event);
  void check(const BackupStarted& event);
  void check(const auto&) {}
  void cover(const Event& event);

  Coverage& coverage_;
  State durable_;
  std::map<Position, State> unshown_;  // behind each event that was not published yet
  std::map<TaskId, Record> tasks_;
  std::map<GroupId, GroupRecord> groups_;
  ImplementationRecord implementations_;
  CircuitRecord circuits_;
  GpuRecord gpus_;
  std::map<std::string, Queue> queues_;
  std::map<std::string, FairRecord> fair_;  // by queue
  std::map<std::string, LimitRecord> limits_;
  std::map<std::string, std::uint64_t> takes_;  // of tokens, by programs
  std::map<std::string, std::uint64_t> takes_answered_;
  std::map<std::string, Time> backups_;  // the last time each job was due that was begun
  std::map<Lease, Reports> reports_;
  std::set<TaskId> cancels_;
  std::set<TaskId> retries_;
  std::set<TaskId> pauses_;
  std::set<Lease> given_back_;  // by workers elsewhere
  std::set<std::string> replacing_;
  std::optional<TaskIdentity> replaced_;  // what was cancelled for the task that comes next
  std::set<std::pair<PauseScope, std::string>> paused_;
  std::set<std::string> labels_;
  std::set<std::string> refused_;
  std::set<std::string> runnable_;
  std::uint32_t engine_slots_ = 0;
  TaskRetention retention_;
  Position engine_started_;
  Position restored_through_;
  Time latest_;
  Duration steady_{0};
  bool stopping_ = false;
  RecordedEvent now_;  // the event that is judged
};

}  // namespace almanac::test
