// The cases of the comparison, how each is run, and what comes out.
#pragma once

#include <almanac/bench/log/payloads.h>
#include <almanac/bench/log/subject.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace almanac::bench {

enum class Pattern : std::uint8_t {
  blocking,  // one thread, one append at a time
  threads,   // many threads, one append of one event each at a time
  window,    // one thread, many appends in flight; who cannot appends as many in one step
};

// What the issue asks for; 0 = nothing.
struct Bars {
  double of_raw = 0;
  double of_best_peer = 0;
};

struct Case {
  std::string name;
  Pattern pattern = Pattern::blocking;
  std::size_t in_flight = 1;
  std::size_t events_per_append = 1;
  std::size_t appends = 0;  // in one round
  bool closes = false;      // within the measured time
  Bars bars;
};

// What one system did in all rounds.
struct Measured {
  System system;
  std::vector<double> per_second;   // events, by round
  std::vector<float> latencies_us;  // of every append
};

struct Compared {
  std::string name;
  std::size_t payload_bytes = 0;
  Bars bars;
  Measured raw;
  Measured ours;
  std::vector<Measured> peers;
};

struct Sizes {
  int rounds = 5;
  // Of the number of appends; a quick run divides more.
  std::size_t divisor = 1;
};

// Runs the systems in turn, round by round, and checks what they hold before it answers.
// `folder` is made and removed.
[[nodiscard]] Compared compare(const Case& of, const Payloads& payloads, const Sizes& sizes,
                               const std::filesystem::path& folder);

// Two comparisons: the first scan after opening, and one of what was scanned before.
[[nodiscard]] std::vector<Compared> compare_scans(const Payloads& payloads, const Sizes& sizes,
                                                  const std::filesystem::path& folder);

// Bytes on disk per event, 64 in each append, after closing.
struct DiskUse {
  std::string system;
  double store_bytes = 0;
  double journal_bytes = 0;
};
[[nodiscard]] std::vector<DiskUse> disk_use(const Payloads& payloads, const Sizes& sizes,
                                            const std::filesystem::path& folder);

[[nodiscard]] std::vector<Case> cases();

// That every event is there once, unchanged, and in order where one thread appended.
void check_content(Subject& subject, const Payloads& payloads, bool in_order);
// Appends `groups` groups, each on disk before the next.
void fill(Subject& subject, const Payloads& payloads, std::size_t groups, std::size_t group_size);

}  // namespace almanac::bench
