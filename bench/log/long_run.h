// One log filled for long, without a reader and beside one that does not keep up.
#pragma once

#include <almanac/bench/log/payloads.h>

#include <filesystem>
#include <vector>

namespace almanac::bench {

struct LongRun {
  std::uint64_t events = 0;
  std::vector<double> tenths_per_second;
  double memory_peak_bytes = 0;  // without the pages of mapped files
  double file_bytes = 0;
  double file_bytes_beside_reader = 0;
  std::uint64_t read = 0;  // by the reader until the writer was done
};

[[nodiscard]] LongRun run_long(const Payloads& payloads, std::uint64_t events,
                               const std::filesystem::path& folder);

}  // namespace almanac::bench
