// How the fields of an event are named outside the log, once for every direction: `Fields` is what
// writes JSON, reads it, prints a line or searches. It is called with a name and the field, which
// is const for those that write; `always` is for what stands there also when it is 0 or empty.
// Fields that are left out are 0 or empty.
#pragma once

#include <concepts>
#include <type_traits>

namespace almanac {

template <class Event, class Wanted>
concept Describes = std::same_as<std::remove_const_t<Event>, Wanted>;

}  // namespace almanac
