// Events for people.
#pragma once

#include <almanac/log/event.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace almanac {

// One line: position, time, type, and what matters of it. Printable. Where it is wider than
// `columns_max` (0 = no limit) it goes on in further ones, which are indented.
[[nodiscard]] std::string event_line(const RecordedEvent& event, std::size_t columns_max = 0);

// Every text and every run of bytes of an event, as they are: what its fields hold, its custom
// type, key and stream.
void visit_texts(const Event& event, const std::function<void(std::string_view)>& visit);

}  // namespace almanac
