// The events of a log one by one, each with what it changed in the state.
#pragma once

#include <almanac/log/log.h>
#include <almanac/projections/state.h>
#include <almanac/snapshots/past_states.h>

#include <filesystem>
#include <string>

namespace almanac {

struct ReplayStep {
  Time at;
  std::string event;    // one line, printable
  std::string changes;  // as changes_text() or changes_json() gives them; empty when there are none
};

// Owned by one thread. Remembers the state it came to: the next step costs what it changes, any
// other one what past states cost.
class ReplaySteps {
 public:
  enum class Format : std::uint8_t { text, json };
  // `log` was opened in `folder`; it outlives this.
  ReplaySteps(const Log& log, const std::filesystem::path& folder, Format format);

  // The event at `position`. Errors: those of PastStates::at() and Log::read_one.
  [[nodiscard]] Result<ReplayStep> at(Position position);

 private:
  const Log& log_;
  PastStates past_;
  Format format_;
  State state_;
};

}  // namespace almanac
