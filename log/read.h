// What reading asks for and gives. Part of log.h.
#pragma once

#include <almanac/log/codec.h>
#include <almanac/log/error.h>
#include <almanac/log/event.h>
#include <almanac/log/types.h>

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace almanac {

// Called with one event after the other until it returns false. Views die with the call.
using EventVisit = std::function<Result<bool>(const RecordedEvent&)>;
using FrameVisit = std::function<Result<bool>(const FrameReader&)>;

enum class Direction : std::uint8_t { forward, backward };

// Which events; all that is said must be so.
struct ReadOptions {
  Direction direction = Direction::forward;
  // The first and the last position, in the order of the log whatever the direction.
  Position from = Position(1);
  Position through = Position(UINT64_MAX);
  std::optional<Time> since;            // not older
  std::optional<Time> until;            // older
  std::vector<std::string_view> types;  // type_name(), or the type of a custom event; any of them
  std::string_view stream;
  Position correlation;  // the event itself, and all that name it as their correlation

  // What it says of the event itself: type, stream and correlation.
  [[nodiscard]] bool matches(const RecordedEvent& recorded) const;
};

}  // namespace almanac
