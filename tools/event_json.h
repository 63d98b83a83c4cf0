// Events as lines of JSON, and back without a difference: every field by name, those that are 0 or
// empty left out. Text is a JSON string; text that is not UTF-8 is {"base64": "…"}. Bytes are
// {"text": "…"} where they look like text, else {"base64": "…"}. Times are RFC 3339 with
// microseconds, outside the years 0 to 9999 the microseconds since 1970. Numbers are exact to 64
// bits. docs/guides/log_tools.md lists the names.
#pragma once

#include <almanac/log/event.h>

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

// What an exported line says when its event is the first of a frame.
struct FrameMark {
  Time time;  // the frame's; nearly always that of its first event
};

// One line without its end. Safe on a terminal.
[[nodiscard]] std::string event_json(const RecordedEvent& event,
                                     const std::optional<FrameMark>& frame = {});

struct ParsedEvent {
  RecordedEvent recorded;
  std::optional<FrameMark> frame;
};

// What is wrong with a line, and where.
struct LineFault {
  std::size_t column = 1;  // in bytes
  std::string message;
  std::string next_step;
};

// Keeps what parsed events point at. Owned by whoever parses; not shared between threads.
class EventMemory {
 public:
  EventMemory();
  ~EventMemory();
  EventMemory(const EventMemory&) = delete;
  EventMemory& operator=(const EventMemory&) = delete;
  // All events parsed into it die.
  void clear();

 private:
  friend std::expected<ParsedEvent, LineFault> parse_event(std::string_view, EventMemory&);
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The event of a line that event_json made. It points into `memory`, not into `line`. Faults: no
// JSON, a field that is unknown, missing, there twice, or not what it should be.
[[nodiscard]] std::expected<ParsedEvent, LineFault> parse_event(std::string_view line,
                                                                EventMemory& memory);

// Where a line of JSON has this key, counted from 1 in bytes; 1 when it does not.
[[nodiscard]] std::size_t column_of(std::string_view line, std::string_view key,
                                    std::size_t after = 0);

}  // namespace almanac
