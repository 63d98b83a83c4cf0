// What a decision is made of. Seen by the deciders of all domains.
#pragma once

#include <almanac/engine/arena.h>
#include <almanac/engine/command.h>
#include <almanac/log/error.h>
#include <almanac/projections/state.h>

#include <utility>
#include <vector>

namespace almanac {

struct Decision {
  std::vector<Event> events;  // they point into the command and the arena
  Answer answer;
};

// Of one event.
[[nodiscard]] inline Decision decision_of(Time now, EventBody body, Answer answer = {}) {
  Decision decision{.events = {}, .answer = std::move(answer)};
  decision.events.push_back({.at = now, .body = std::move(body)});
  return decision;
}

struct DecideContext {
  Time now;  // never before the state's time
  Arena& memory;
  Timeline timeline{};  // of the log: whose attempts may report
};

}  // namespace almanac
