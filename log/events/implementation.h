// The events of the implementation domain as C++ sees them: several ways to run the tasks of one
// kind.
#pragma once

#include <almanac/log/events/lists.h>

#include <cstdint>
#include <string_view>

namespace almanac {

struct RankedImplementation {
  std::string_view name;
  std::uint32_t attempts = 1;  // failed attempts of a task after which the next one is used
};
using ImplementationListView = NumberedNamesView<RankedImplementation, std::uint32_t>;

// Which versions of a kind are run, from the first to the last; 0 = no bound. A task of version 0
// has none and is run in any case.
struct VersionRange {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  [[nodiscard]] bool takes(std::uint32_t version) const {
    return version == 0 || (version >= min && (max == 0 || version <= max));
  }
  [[nodiscard]] bool is_empty() const { return max != 0 && min > max; }
  bool operator==(const VersionRange&) const = default;
};

// The implementations of a kind from now on, in order of preference. None: it has one handler,
// which has no name.
struct ImplementationsSet {
  std::string_view kind;
  ImplementationListView implementations;
  VersionRange versions = {};  // of what they run
};

// Its probe said no: no attempt begins by it until it has returned.
struct ImplementationLeft {
  std::string_view kind;
  std::string_view implementation;
  std::string_view reason;
};

struct ImplementationReturned {
  std::string_view kind;
  std::string_view implementation;
};

}  // namespace almanac
