// What the events of one task say, for people who look at that task.
#pragma once

#include <almanac/log/event.h>
#include <almanac/projections/tasks.h>

#include <string>

namespace almanac {

// The task an event is about; none for events of something else.
[[nodiscard]] TaskId task_of(const EventBody& body);

// A sentence without its full stop: "attempt 2 began", "failed: exit code 1; again in 10s".
// Printable, one line.
[[nodiscard]] std::string task_event_sentence(const Event& event);

// What is known of a task under review: "succeeded at 120 of the origin", a position of the log
// that this one was restored from.
[[nodiscard]] std::string known_text(const Hold& hold);

// To the millisecond, so that what follows fits on a terminal; the JSON has all of it.
[[nodiscard]] std::string step_time(Time at);

}  // namespace almanac
