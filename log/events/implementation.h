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

// The implementations of a kind from now on, in order of preference. None: it has one handler,
// which has no name.
struct ImplementationsSet {
  std::string_view kind;
  ImplementationListView implementations;
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
