// What something costs that many threads do at once.
#pragma once

#include <almanac/bench/require.h>

#include <sys/resource.h>

#include <cstdint>
#include <thread>
#include <vector>

namespace almanac::bench {

// Nanoseconds that this process has used.
inline double processor_ns() {
  rusage usage{};
  require(getrusage(RUSAGE_SELF, &usage) == 0, "cannot read the processor time");
  const auto ns = [](const timeval& time) {
    return double(time.tv_sec) * 1e9 + double(time.tv_usec) * 1e3;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

// Nanoseconds of processor time of one of `count`, when so many threads make them together;
// `make` is told which of its thread's it is, from 1.
template <class Make>
double cost(std::uint64_t count, unsigned threads, const Make& make) {
  const double before = processor_ns();
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&] {
      for (std::uint64_t n = 1; n <= count / threads; ++n) make(n);
    });
  }
  for (std::thread& thread : all) thread.join();
  return (processor_ns() - before) / double(count);
}

}  // namespace almanac::bench
