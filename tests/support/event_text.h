// Every field of an event as one line of text, so that tests compare events by meaning and say
// where two differ. A field added to an event breaks the build of event_text.cc.
#pragma once

#include <almanac/log/event.h>

#include <string>

namespace almanac::test {

[[nodiscard]] std::string event_text(const Event& event);
// With its position in front: "12 TaskReadied at=…".
[[nodiscard]] std::string event_text(const RecordedEvent& recorded);

}  // namespace almanac::test
