// An event of the program's own, as it is given to an engine (Engine::append).
#pragma once

#include <almanac/log/types.h>

#include <string>

namespace almanac {

struct EventSpec {
  std::string type;  // what happened, in the program's own words; not empty
  std::string data;  // any bytes; Almanac does not look inside
  // Given again with the same, it is stored once: as long as it is among the newest 100,000 keys.
  std::string idempotency_key;
  std::string stream;         // what it is about; its events are read with Log::read_stream
  Position correlation = {};  // the event that began the story
  Position causation = {};    // the event that caused this one
};

struct AppendedEvent {
  Position position;
  bool is_repeated = false;  // an earlier append with this key has stored it
  bool operator==(const AppendedEvent&) const = default;
};

}  // namespace almanac
