// What events have made known of one user, in words and as programs read it: what
// `almanac context history` prints.
#pragma once

#include <almanac/log/log.h>
#include <almanac/snapshots/user_keys.h>

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace almanac {

struct ContextEvent {
  Position position;
  Time at;
  nlohmann::ordered_json json;  // {"position", "at", …}
  std::string text;             // printable
};

struct ContextEventsOptions {
  const Log& log;
  const UserKeys& keys;
  std::string_view user;
  Position from = Position(1);
  Position through;
};
// Those about the user, in order, until `visit` returns false. Nothing is said of what was sealed
// with a key that is not there. Reads the log from `from` to `through`. Errors: those of Log::read.
[[nodiscard]] Result<void> read_context_events(
    const ContextEventsOptions& options, const std::function<bool(const ContextEvent&)>& visit);

}  // namespace almanac
