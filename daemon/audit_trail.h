// What the doors put on record: each request that changes something, in front of what it does, and
// who was turned away. Of work that is asked for again and again one event a minute, with a count;
// of refusals so many that nobody can fill the log from outside, and how many were left out.
#pragma once

#include <almanac/engine/audit_note.h>
#include <almanac/engine/steady_time.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace almanac {

// Outlives the doors. Any thread; waits for nothing.
class AuditTrail {
 public:
  // Takes notes, in their order, at once.
  using Record = std::function<void(std::vector<AuditNote>)>;
  explicit AuditTrail(Record record, std::function<SteadyTime()> clock = steady_time);

  // A request that was let in, by the thread that is about to ask the engine for what it wants:
  // then it stands in front of that. Answers its number.
  std::uint64_t begin(AuditNote note);
  // The same of what workers ask for all the time: the first is on record at once, the others of
  // that principal and action together, a minute later at the earliest.
  void count(AuditNote note);
  // It was let in, and came to nothing. Always on record, as its request is.
  void fail(AuditNote note);
  // It was not let in. Of one source (the address without its port) limits::refusals_burst at once,
  // and one a second; of all together some more. The next that is on record says how many were not;
  // of a source that came no more, flush() does.
  void refuse(AuditNote note);
  // What was counted and left out goes on record. At the end; from time to time it does by itself.
  void flush();

 private:
  struct Allowance {
    double left = 0;
    SteadyTime seen;
    bool take(SteadyTime now, double burst, double per_second);
  };
  struct Source {
    Allowance allowance;
    AuditNote last;  // what was left out last
    std::uint64_t left_out = 0;
  };
  struct Work {
    AuditNote note;
    std::uint64_t waiting = 0;
    SteadyTime told;
  };
  [[nodiscard]] Source& source_of(const AuditNote& note, SteadyTime now);
  void gather_due(SteadyTime now, bool all, std::vector<AuditNote>& notes);

  const Record record_;
  const std::function<SteadyTime()> clock_;
  std::mutex mutex_;  // of all below
  std::uint64_t last_request_;
  SteadyTime flushed_;
  Allowance together_;
  std::map<std::string, Source> sources_;                     // limits::refusal_sources_max at most
  std::map<std::pair<std::string, std::string>, Work> work_;  // by principal and action
};

// "127.0.0.1:4711" → "127.0.0.1"; anything else as it is.
[[nodiscard]] std::string_view source_in(std::string_view remote);

}  // namespace almanac
