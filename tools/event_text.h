// Events for people.
#pragma once

#include <almanac/log/event.h>

#include <functional>
#include <string>
#include <string_view>

namespace almanac {

// One line: position, time, type, and what matters of it. Printable.
[[nodiscard]] std::string event_line(const RecordedEvent& event);

// Every text and every run of bytes of an event, as they are: what its fields hold, its custom
// type, key and stream.
void visit_texts(const Event& event, const std::function<void(std::string_view)>& visit);

}  // namespace almanac
