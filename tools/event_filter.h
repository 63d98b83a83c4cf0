// Which events the commands of the log look at.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/event.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace almanac {

// As it was typed.
struct FilterOptions {
  std::string stream;
  std::vector<std::string> types;
  std::string since;
  std::string until;
  std::uint64_t from = 1;
  std::uint64_t to = 0;           // 0 = the end
  std::uint64_t correlation = 0;  // 0 = all
};

// What it means. A value.
struct EventFilter {
  Position from = Position(1);
  Position to;                        // none = the end
  std::optional<Time> since;          // not older than this
  std::optional<Time> until;          // not younger than this
  std::optional<std::string> stream;  // of this name
  std::vector<std::string> types;     // one of these: type_name(), or the name of a custom type
  Position correlation;               // the event there, and those that name it

  [[nodiscard]] bool matches(const RecordedEvent& event) const;
  // Whether it lets everything through.
  [[nodiscard]] bool is_open() const;
};

// Errors: invalid.
[[nodiscard]] Result<EventFilter> make_filter(const FilterOptions& options, Time now);

// When nothing matched although a type was named that none has, and that looks like another: what
// may have been meant, for standard error. Else empty.
[[nodiscard]] std::string type_hint(const EventFilter& filter);

}  // namespace almanac
