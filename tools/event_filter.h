// Which events the commands of the log look at.
#pragma once

#include <almanac/log/error.h>
#include <almanac/log/event.h>

#include <bitset>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>
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

// Types of events by name: type_name(), or the name of a custom type. Compared by number: texts of
// custom types alone are looked at. A value.
class EventTypes {
 public:
  EventTypes() = default;
  EventTypes(std::vector<std::string> names);
  EventTypes(std::initializer_list<std::string> names) : EventTypes(std::vector(names)) {}

  [[nodiscard]] bool empty() const { return names_.empty(); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const EventBody& body) const {
    return known_[body.index()] || (names_.size() > known_.count() && has_custom(body));
  }

 private:
  [[nodiscard]] bool has_custom(const EventBody& body) const;
  std::vector<std::string> names_;
  std::bitset<std::variant_size_v<EventBody>> known_;
};

// What it means. A value.
struct EventFilter {
  Position from = Position(1);
  Position to;                        // none = the end
  std::optional<Time> since;          // not older than this
  std::optional<Time> until;          // not younger than this
  std::optional<std::string> stream;  // of this name
  EventTypes types;                   // one of these; none = all
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
