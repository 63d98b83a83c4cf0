// The life of an event, between the mailbox and the writer: decide, fold, park, and once it is
// durable publish and release. One thread, the loop's, which waits for the disk only where a small
// turn is alone on its way there: two switches of threads would take as long again.
#pragma once

#include <almanac/engine/advised_order.h>
#include <almanac/engine/attempts.h>
#include <almanac/engine/command.h>
#include <almanac/engine/core_ports.h>
#include <almanac/engine/decide.h>
#include <almanac/engine/dispatch.h>
#include <almanac/engine/effects.h>
#include <almanac/engine/health_watch.h>
#include <almanac/engine/inline_projections.h>
#include <almanac/engine/lease_waits.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/model_spec.h>
#include <almanac/engine/model_turns.h>
#include <almanac/engine/published.h>
#include <almanac/engine/remote_attempts.h>
#include <almanac/engine/task_retention.h>
#include <almanac/engine/token_waits.h>
#include <almanac/log/log.h>
#include <almanac/projections/persistent/node_pool.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

class CircuitBoard;

// A command on its way, and where its answer goes: called once, on the loop's thread, after its
// events are on disk or with the refusal. The engine's own commands have no `done`. Made by those
// who ask and gone on the loop's thread: from a pool, or both would wait for one heap.
struct Submission : Pooled<Submission> {
  Submission(Command asked, std::function<void(Result<Answer>)> tell)
      : command(std::move(asked)), done(std::move(tell)) {}

  Command command;
  std::function<void(Result<Answer>)> done;
};

struct CoreOptions {
  std::function<Time()> clock;
  std::function<SteadyTime()> steady_clock;
  Duration stop_grace{0};
  bool fires_schedules = true;
  std::size_t output_bytes_max = 0;  // of one attempt, for the room that is kept for its end
  TaskRetention retention = TaskRetention::keep_all();
  Duration health_hold{0};
  // Sees every durable event in order with the state behind it; may be empty. Views die with the
  // call.
  std::function<void(const State&, std::span<const RecordedEvent>)> on_events;
  Duration model_patience = ModelOptions().patience;
  // What should be loaded and unloaded for tasks has changed, as the published state tells.
  std::function<void()> on_model_turns = {};
};

// Owned by the engine.
class Core {
 public:
  struct Parts {
    LogPort& log;
    LoopPort& loop;
    Attempts& attempts;
    BackupPort& backups;
    CircuitBoard& circuits;
    Published& published;
    InlineProjections& projections;
    HealerPort* healer = nullptr;    // none = it keeps no components
    AdvisorPort* advisor = nullptr;  // none = the built-in order decides
  };
  Core(const Parts& parts, CoreOptions options);

  // Decides a whole mailbox at once, then what time has brought and what may start.
  void turn(std::vector<std::unique_ptr<Submission>> submissions);
  void committed(const CommitReport& report);
  // Signs of life of workers elsewhere, each with its answer. Nothing of them is on record.
  [[nodiscard]] std::vector<LeaseStatus> heard(std::span<const HeldLease> leases);
  // Starts nothing more; ends the loop when all attempts have ended or been handed back: after
  // the grace they are told to, at once if so asked. May be called again to make haste.
  void stop(bool at_once);

 private:
  // What is decided together and released together.
  struct Turn {
    struct Answered {
      std::unique_ptr<Submission> submission;
      Result<Answer> answer;
      Position through;  // the last event there was when it was decided
    };
    struct Checked {
      EventBatch batch;
      BatchCost cost;
    };
    void add(EventBatch batch, const BatchCost& cost);
    [[nodiscard]] std::size_t bytes() const;  // of its events
    [[nodiscard]] bool is_small() const {
      return batches.empty() ||
             (batches.size() == 1 && batches.front().cost.bytes <= limits::alone_bytes_max &&
              events.size() <= limits::alone_events_max);
    }

    std::deque<Checked> batches;
    std::vector<Answered> answered;
    std::vector<RecordedEvent> events;
    std::vector<Effect> effects;
    Arena memory;
    State after;
    Space space = Space::ordinary;
  };

  // Since a commit was refused, and until one of beginnings was not.
  [[nodiscard]] bool full() const { return paused_until_ != Time(); }
  // Whether anything new may be decided: not before it is time to try, nor before all has ended
  // that waits to.
  [[nodiscard]] bool may_begin(Time now) const {
    return !full() || (now >= paused_until_ && retry_.empty());
  }
  void take(Turn& turn, std::unique_ptr<Submission> submission, Time now);
  void decide_one(Turn& turn, std::unique_ptr<Submission> submission, Time now);
  [[nodiscard]] CanRun can_run() const;
  // These are in core_leases.cc.
  void start(Turn& turn, const DecideContext& context);
  // None where the built-in order decides.
  [[nodiscard]] std::optional<Advice> advice(const AdvisorStanding& standing) const;
  void take_model_turns(ModelTurns turns);
  void show_model_turns();
  void grant(Turn& turn, std::span<const Starts::Grant> grants, std::size_t first);
  void answer_late_leases(Turn& turn);
  void forgive_silence(SteadyTime now);
  void end_overdue_leases(Turn& turn, Time now);
  LeaseStatus heard(const HeldLease& lease);
  // Why it is not taken, of what workers elsewhere say. A report of theirs is a sign of life.
  [[nodiscard]] std::optional<Error> refusal_of(const Submission& submission);
  void follow_remote(const Turn& turn);
  void fill(std::vector<LeasedTask>& tasks, std::span<const RecordedEvent> released) const;
  [[nodiscard]] Result<void> fill(LeasedTask& task, std::span<const RecordedEvent> released) const;
  [[nodiscard]] std::optional<Time> next_deadline() const;
  [[nodiscard]] std::optional<SteadyTime> next_silence() const;
  void answer_takes(Turn& turn, Time now);
  void record_reasons(Turn& turn, const DecideContext& context);
  // Takes of tokens, and workers elsewhere.
  void refuse_waits(const Error& error);
  void forget(Turn& turn, const DecideContext& context);
  void write_endings(Time now);
  void refuse(std::unique_ptr<Submission> submission, const Error& error);
  // Folds the events of one decision. Errors: invalid; nothing is folded then.
  [[nodiscard]] Result<void> absorb(Turn& turn, std::vector<Event> events);
  void park(std::shared_ptr<Turn> turn);
  // Whose ends have to be written; and those of them that a stop waits for.
  [[nodiscard]] static std::size_t running_in(const State& state);
  [[nodiscard]] static std::size_t running_here(const State& state);
  void keep_reserve();
  void release(Turn& turn);
  void keep_recent(std::shared_ptr<Turn> turn);
  void release_durable_part(Turn& turn);
  void carry_out(const Effect& effect, std::span<const RecordedEvent> released);
  void tell_healer(const Effect& effect);
  void begin(const BeginAttempt& effect, std::span<const RecordedEvent> released);
  [[nodiscard]] Result<void> read_enqueued(Position enqueued,
                                           std::span<const RecordedEvent> released,
                                           const std::function<void(const Event&)>& visit) const;
  void roll_back(const Error& error);
  void break_down(const Error& error);
  void proceed_with_stop();
  void record_stop(Time now);
  void stop_unrecorded();
  // When something new may begin or be forgotten, or a take is answered, if nothing happens before.
  [[nodiscard]] std::optional<Time> next_start() const;
  void arm_timer(Time now);
  [[nodiscard]] Time now() const;

  LogPort& log_;
  LoopPort& loop_;
  Attempts& attempts_;
  BackupPort& backups_;
  HealerPort* healer_;
  AdvisorPort* advisor_;
  CircuitBoard& circuits_;
  Published& published_;
  InlineProjections& projections_;
  CoreOptions options_;

  State head_;        // with all that is parked
  Position durable_;  // the end of what is published
  std::deque<std::shared_ptr<Turn>> parked_;
  // The last of those that were released, for the events in them, and the bytes of these.
  std::deque<std::shared_ptr<const Turn>> recent_;
  std::size_t recent_bytes_ = 0;

  // When what waits for tokens may start.
  std::optional<Time> starts_due_;
  // Whose turn it is on GPUs, and since when that has not been shown.
  ModelTurns model_turns_;
  std::optional<Position> model_turns_since_;
  TokenWaits token_waits_;
  SteadyTime timer_due_;  // when the next turn was to be; not set = when something comes
  LeaseWaits lease_waits_;
  RemoteAttempts remote_;
  bool is_held_back_ = false;  // what may begin waits for advice
  // What lanes wait for was looked at as of this position, and is again at that time.
  Position reasons_seen_;
  Time reasons_due_;
  HealthWatch health_;

  // When tasks are next looked at that may be forgotten, and in front of which; none = all.
  Time forget_at_;
  TaskId forget_before_;

  // The room that is kept for the ends of what runs, and how much of that is published.
  std::size_t reserve_ = 0;
  std::size_t running_ = 0;

  // After a refused commit: until when nothing is begun, the ends that wait to be written, whether
  // even the reserve did not take them, and the first beginning that was tried since.
  Time paused_until_;
  std::deque<std::unique_ptr<Submission>> retry_;
  bool reserve_refused_ = false;
  Position probe_;

  enum class Stop : std::uint8_t { no, draining, handing_back, recorded };
  Stop stop_ = Stop::no;
  Time hand_back_at_;
  bool begun_ = false;  // the log says that this engine runs
  bool broken_ = false;
};

}  // namespace almanac
