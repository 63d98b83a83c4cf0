// How a benchmark ends when a result is wrong: a figure of it would mean nothing.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace almanac::bench {

[[noreturn]] inline void stop(const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, why.c_str());
  std::exit(1);
}
inline void require(bool good, std::string_view what) {
  if (!good) stop(std::string(what));
}

}  // namespace almanac::bench
