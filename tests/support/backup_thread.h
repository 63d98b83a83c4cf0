// Where the code runs, for clocks that hold a backup when it asks what time it is.
#pragma once

#include <pthread.h>

#include <array>
#include <string_view>

namespace almanac::test {

[[nodiscard]] inline bool is_backup_thread() {
  std::array<char, 16> name{};
  ::pthread_getname_np(::pthread_self(), name.data(), name.size());
  return std::string_view(name.data()) == "almanac-backup";
}

}  // namespace almanac::test
