// Jobs of the wire on their way through the engine: pushed, fetched, acknowledged, failed. Which
// ones workers hold is known in memory, and after a start from the state.
#pragma once

#include <almanac/daemon/wire_job.h>
#include <almanac/daemon/wire_ports.h>
#include <almanac/daemon/wire_session.h>
#include <almanac/daemon/wire_track.h>
#include <almanac/engine/engine.h>
#include <almanac/engine/pool_memory.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace almanac {

// A job that a worker has fetched and not ended.
struct WireHeld {
  HeldLease lease;
  std::int64_t retry = 0;
  std::int64_t failures = 0;  // of attempts before this one
  Time failed_at;             // the first of them; not set = none has
  // When its reservation is over, of one that may ask for more; not set = the engine ends it.
  Time until = {};
  bool is_job = true;  // came over the wire; else a task that was submitted otherwise
};

// Used on the server's thread; the engine outlives it. Replies are given by `done`.
class WireJobs : public std::enable_shared_from_this<WireJobs> {
 public:
  using Done = WireSession::Done;
  WireJobs(Engine& engine, WirePorts ports, Duration fetch_wait);

  void push(std::string_view argument, Done done);
  void push_all(std::string_view argument, Done done);
  // Gives up when the session has gone. A quiet one is given nothing.
  void fetch(const WireRequest& request, WireSession& session, bool is_quiet, Done done);
  void ack(std::string_view argument, Done done);
  void fail(std::string_view argument, Done done);
  // Of a job that is held; of another one nothing is kept, which is no error.
  void report(const WireProgress& progress, Done done);
  // What was reported of a job that is held, also what the log does not have yet.
  [[nodiscard]] std::optional<WireTold> told(TaskId id) const;

  // What workers held when the engine before this one ended. Reads the log; once, at the start.
  void adopt();
  // Says of all that is held that somebody lives: what ends a reservation is its own time. And lets
  // go of what is not held any more.
  void look_after();
  // Forgets jobs of which nothing is kept (`retry` 0) and whose reservation is over. O(held).
  void look_at_expired();
  // All that came over the wire was removed, but for what came since.
  void forget_all();
  // No FETCH waits any longer; what comes for one goes back.
  void stop_waiting();

  struct Counters {
    std::uint64_t processed = 0;
    std::uint64_t failures = 0;
    std::uint64_t reaped = 0;  // reservations that ran out
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t held() const;
  // Queues that jobs were taken for since the start, or that have been there then: some at most.
  std::set<std::string, std::less<>> queues;

 private:
  struct Fetching;
  struct Pushing;
  struct KnownFailure {
    std::int64_t failures = 0;
    Time failed_at;
    std::string json;
  };
  [[nodiscard]] static bool is_young(const Fetching& fetching);
  void lease_next(std::shared_ptr<Fetching> fetching);
  void take(std::shared_ptr<Fetching> fetching, Result<std::vector<LeasedTask>> leased);
  void give_now(const Fetching& fetching, LeasedTask task, const Task& known,
                std::optional<KnownFailure> failure);
  void give_foreign(const Fetching& fetching, const LeasedTask& task);
  void submit_some(const std::shared_ptr<Pushing>& pushing, std::vector<TaskSpec> tasks);
  [[nodiscard]] std::optional<WireHeld> take_held(std::string_view jid);
  void hold(const std::string& jid, WireHeld held);
  void finish_failed(std::string jid, WireHeld held, WireFault fault, Done done);
  [[nodiscard]] std::chrono::seconds retry_delay(std::int64_t count);
  void let_go(const std::vector<HeldLease>& gone);
  void adopt_one(const State& state, TaskId id, const Task& task);
  void end_later(const HeldLease& lease);
  void remember(TaskId id, KnownFailure failure);
  void tell_engine(const HeldLease& lease, bool is_last = false);
  void remember_queue(std::string_view queue);
  void reserve(const std::string& jid, WireHeld& held, Time until);
  void wake_for_ends();
  void end_those_over();
  void end_if_over(const std::string& jid, TaskId id);
  void forget(TaskId id, Done done);
  void forget_some();
  [[nodiscard]] bool is_forgotten_when_failed(TaskId id, const Task& task) const;

  Engine& engine_;
  WirePorts ports_;
  // For answers of the engine: copied with each, which costs less than the function itself.
  std::shared_ptr<const std::function<bool(std::function<void()>)>> post_;
  Duration fetch_wait_;
  // Those of one jid in the order in which they were fetched.
  using OfJid = std::vector<WireHeld, PoolAllocator<WireHeld>>;
  std::unordered_map<std::string, OfJid> held_;
  std::unordered_map<TaskId, KnownFailure> failures_;  // some of them; the log has all
  using Waiting = std::shared_ptr<Fetching>;
  std::set<Waiting, std::less<>, PoolAllocator<Waiting>> waiting_;
  std::unordered_map<TaskId, WireTold> told_;  // of those that are held
  // Reservations that this ends, with their jids; those that were prolonged or ended meanwhile too.
  std::map<std::pair<Time, TaskId>, std::string> ends_;
  Time woken_at_;  // when the timer of the first of them fires; not set = there is none
  struct Forgetting {
    TaskId id;
    Done done;
  };
  std::vector<Forgetting> to_forget_;  // together, as soon as those before are gone
  bool is_forgetting_ = false;
  Counters counters_;
  std::mt19937_64 random_;
};

// The reply to a request that the engine has refused.
[[nodiscard]] std::string wire_refusal(const Error& error);
// `failure` of a task's last failed attempt, read from the log back from its end; none = there is
// none, or it is no more to be read. O(events since then).
struct WireLastFailure {
  Time failed_at;
  std::string json;
};
[[nodiscard]] std::optional<WireLastFailure> read_last_failure(const Log& log, const State& state,
                                                               TaskId id);

}  // namespace almanac
