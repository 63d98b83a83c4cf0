// When how well things go is put on record: once it has been other than what is there for some
// time, so that what comes and goes is not.
#pragma once

#include <almanac/engine/decision.h>

#include <optional>
#include <vector>

namespace almanac {

// Owned by the core, on its thread.
class HealthWatch {
 public:
  // For how long; 0 = nothing is put on record.
  explicit HealthWatch(Duration hold) : hold_(hold) {}

  // HealthChanged, or nothing. Looks at most once in limits::health_interval, and not where nothing
  // has happened since.
  [[nodiscard]] std::vector<Event> decide(const State& state, const DecideContext& context);
  // When decide() has something to do, if nothing happens before.
  [[nodiscard]] std::optional<Time> due(const State& state) const;

 private:
  const Duration hold_;
  Time look_at_;               // not before
  Position seen_;              // as of which it was looked at
  std::optional<Time> since_;  // it is other than what is on record
};

}  // namespace almanac
