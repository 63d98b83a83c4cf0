// The rules of a pool: which instance is whose, who is next, what is to be made and what goes. No
// thread, no lock and no clock of its own, and it calls nobody: engine/pool.cc is what acts on it.
#pragma once

#include <almanac/engine/pool_options.h>
#include <almanac/engine/steady_time.h>
#include <almanac/log/error.h>
#include <almanac/log/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace almanac {

// An instance, from its making to its end.
struct PoolSlot {
  enum class State : std::uint8_t {
    idle,
    used,
    overdue,  // used for too long: as good as gone, though it has not come back
    probed,
    leaving,  // to be destroyed, or being so
  };
  std::shared_ptr<void> instance;
  std::uint64_t number = 0;
  State state = State::idle;
  SteadyTime made;
  SteadyTime since;    // in use
  SteadyTime checked;  // when it last was known to work
  std::uint64_t uses = 0;
  bool has_worked = false;
};

// A check-out that found no idle instance. In line from wait() until it is served, late or turned
// away; stays where it is so long.
struct PoolWaiter {
  SteadyTime since;
  SteadyTime until;
  bool is_thread = true;     // that looks at the clock itself
  PoolSlot* slot = nullptr;  // once it is served

 private:
  friend class PoolLedger;
  bool is_urgent_ = false;
  std::list<PoolWaiter*>::iterator place_;
};

// What a use came to.
struct PoolVerdict {
  bool has_failed = false;
  std::optional<PoolRetirement> retirement = {};
  std::string message = {};
};

// What is to be done outside, and told of afterwards.
struct PoolJob {
  enum class Kind : std::uint8_t {
    none,
    create,   // created() or creation_failed()
    probe,    // probed()
    destroy,  // destroyed()
  };
  Kind kind = Kind::none;
  PoolSlot* slot = nullptr;
};

// Guarded by the pool's lock. Times never run backwards. Where a function answers a waiter, that
// one has been served and is to be woken.
class PoolLedger {
 public:
  explicit PoolLedger(const PoolOptions& options);

  // An idle instance, now in use; none where there is none, and then nobody is overtaken: who waits
  // is served before an instance is idle. O(1).
  [[nodiscard]] PoolSlot* take(SteadyTime now);
  void wait(PoolWaiter& waiter);
  // Out of the line, as one whose time is up; false where it has been served meanwhile.
  bool leave(PoolWaiter& waiter);
  // Sees who waits for long enough to have temporary instances made. O(those).
  void urge(SteadyTime now);
  // A waiter whose time is up, out of the line; none of those that are threads.
  [[nodiscard]] PoolWaiter* take_late(SteadyTime now);
  // When urge() and take_late() have something to do, if nothing else happens before.
  [[nodiscard]] std::optional<SteadyTime> wait_due() const;
  [[nodiscard]] PoolWaiter* give_back(PoolSlot& slot, const PoolVerdict& verdict, SteadyTime now);

  // What is to be done; O(instances). Several may be under way.
  [[nodiscard]] PoolJob next_job(SteadyTime now);
  // Whether what has just been asked or told makes one.
  [[nodiscard]] bool has_job(SteadyTime now) const { return !leaving_.empty() || wants_one(now); }
  // When next_job() has one by time alone; it is to be asked by then.
  [[nodiscard]] SteadyTime job_due(SteadyTime now) const;
  [[nodiscard]] PoolWaiter* created(std::shared_ptr<void> instance, SteadyTime now);
  void creation_failed(const std::string& message, SteadyTime now);
  [[nodiscard]] PoolWaiter* probed(PoolSlot& slot, const Result<void>& answer, SteadyTime now);
  void destroyed(PoolSlot& slot);

  // From now on instances are made without being asked for.
  void warm_up() { is_lazy_ = false; }
  [[nodiscard]] bool is_warm() const { return usable_ >= size_; }
  // What is idle goes, as does what comes back; nobody is served any more. Answers who waits.
  [[nodiscard]] std::vector<PoolWaiter*> close();
  [[nodiscard]] bool is_closed() const { return is_closed_; }
  // There is none, and the last that was made, if one could be, was of no use.
  [[nodiscard]] bool cannot_create() const { return usable_ == 0 && failures_in_row_ > 0; }
  [[nodiscard]] bool is_used() const { return used_ + overdue_ > 0; }

  [[nodiscard]] PoolFigures figures() const;
  [[nodiscard]] bool has_events() const { return !events_.empty(); }
  [[nodiscard]] std::vector<PoolEvent> take_events() { return std::exchange(events_, {}); }

 private:
  void begin_use(PoolSlot& slot, SteadyTime now);
  // Where a usable instance goes next: to who waits, to rest, or away.
  PoolWaiter* place(PoolSlot& slot, SteadyTime now);
  void retire(PoolSlot& slot, PoolRetirement reason, const std::string& message, SteadyTime now);
  void count_out(const PoolSlot& slot, PoolRetirement reason, const std::string& message);
  void leave(PoolSlot& slot);
  void take_out(PoolWaiter& waiter);
  void retire_by_time(SteadyTime now);
  void pause(SteadyTime now);
  [[nodiscard]] bool wants_one(SteadyTime now) const;
  [[nodiscard]] bool is_probe_due(const PoolSlot& slot, SteadyTime now) const;
  void note(PoolEvent event);

  const std::size_t size_;
  const std::size_t temporary_max_;
  const Duration temporary_after_;
  const Duration age_max_;
  const std::uint64_t uses_max_;
  const Duration slow_after_;
  const Duration probe_interval_;  // 0 = there is no probe
  const Duration backoff_;
  const Duration backoff_max_;
  const bool keeps_events_;
  bool is_lazy_;
  bool is_closed_ = false;

  std::vector<std::unique_ptr<PoolSlot>> slots_;  // all there are
  std::vector<PoolSlot*> idle_;                   // the last used is used next
  std::deque<PoolSlot*> leaving_;                 // nobody destroys them yet
  std::size_t usable_ = 0;                        // idle, used and probed
  std::size_t used_ = 0;
  std::size_t overdue_ = 0;
  std::size_t creating_ = 0;
  std::list<PoolWaiter*> waiting_;  // in the order in which they came, so that the urgent are first
  std::size_t urgent_ = 0;
  bool is_exhausted_ = false;

  std::uint32_t failures_in_row_ = 0;  // of creations
  SteadyTime create_after_;
  PoolFigures figures_;  // the totals
  std::vector<PoolEvent> events_;
};

}  // namespace almanac
