// What the events of one task say, for people who look at that task.
#pragma once

#include <almanac/log/event.h>

#include <string>

namespace almanac {

// The task an event is about; none for events of something else.
[[nodiscard]] TaskId task_of(const EventBody& body);

// A sentence without its full stop: "attempt 2 began", "failed: exit code 1; again in 10s".
// Printable, one line.
[[nodiscard]] std::string task_event_sentence(const Event& event);

// To the millisecond, so that what follows fits on a terminal; the JSON has all of it.
[[nodiscard]] std::string step_time(Time at);

}  // namespace almanac
