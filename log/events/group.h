// The events of the group domain as C++ sees them.
#pragma once

#include <almanac/log/types.h>

#include <string_view>

namespace almanac {

// From now on tasks can be submitted to it (TaskEnqueued::group).
struct GroupOpened {
  GroupId id;
  std::string_view name;  // of no other group that is kept
};

// It takes no more tasks, and is over when those it has have ended.
struct GroupClosed {
  GroupId id;
};

}  // namespace almanac
