// Events for people and for programs.
#pragma once

#include <almanac/log/event.h>

#include <string>

namespace almanac {

// One line: position, time, type, and what matters of it. Printable.
[[nodiscard]] std::string event_line(const RecordedEvent& event);
// One line of JSON with every field. Bytes are text when they are UTF-8, else an object
// {"hex": "…"}.
[[nodiscard]] std::string event_json(const RecordedEvent& event);

}  // namespace almanac
