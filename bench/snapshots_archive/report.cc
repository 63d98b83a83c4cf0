#include <almanac/bench/snapshots_archive/report.h>

#include <almanac/bench/bench_line.h>

#include <algorithm>
#include <cstdio>

namespace almanac::bench {
namespace {

// Of the issue.
constexpr double of_zstd_min = 0.7;
constexpr double times_smaller_min = 4;
constexpr double incremental_percent_max = 3;
constexpr double incremental_seconds_max = 2;
constexpr double restore_seconds_max = 10;
constexpr double restore_rate_min = 1.5e6;

void title(const char* text) {
  std::fprintf(stderr, "%s\n%s\n", text, std::string(80, '-').c_str());
}

void row(const std::string& name, double value, const std::string& unit) {
  std::fprintf(stderr, "%-46s %10.2f %-8s\n", name.c_str(), value, unit.c_str());
  print(BenchLine{.bench = "snapshots", .name = name, .value = value, .unit = unit});
}

void row_with_bar(const std::string& name, double value, const char* relation, double bar) {
  const bool holds = *relation == '>' ? value >= bar : value <= bar;
  std::fprintf(stderr, "%-46s %10.2f bar %s %-8.3g %s\n", name.c_str(), value, relation, bar,
               holds ? "yes" : "NO");
}

double rate_of(const Packed& packed, std::uint64_t bytes) {
  return static_cast<double>(bytes) / median(packed.seconds) / 1e6;
}

}  // namespace

void report(const Archiving& archiving) {
  title("a first snapshot");
  const double ours = rate_of(archiving.ours, archiving.frame_bytes);
  const auto ratio = [&](const Packed& packed) {
    return static_cast<double>(archiving.frame_bytes) / static_cast<double>(packed.bytes);
  };
  row(archiving.ours.system, ours, "MB/s");
  row("  processor time", median(archiving.ours.processor_seconds), "s");
  row("  times smaller than the frames", ratio(archiving.ours), "");
  const double beside = rate_of(archiving.beside_checkpoint, archiving.frame_bytes);
  row(archiving.beside_checkpoint.system, beside, "MB/s");
  row("  processor time, with a checkpoint", median(archiving.beside_checkpoint.processor_seconds),
      "s");
  for (const Packed& peer : archiving.peers) {
    const double rate = rate_of(peer, archiving.frame_bytes);
    row(peer.system, rate, "MB/s");
    row("  processor time of " + peer.system, median(peer.processor_seconds), "s");
    row("  times smaller than the frames", ratio(peer), "");
    if (peer.system == "tar") continue;
    row_with_bar("of " + peer.system, ours / rate, ">=", of_zstd_min);
    row_with_bar("of " + peer.system + ", with a checkpoint", beside / rate, ">=", of_zstd_min);
    print(BenchLine{.bench = "snapshots",
                    .name = "first snapshot",
                    .value = ours,
                    .unit = "MB/s",
                    .peer = peer.system,
                    .peer_value = rate});
  }
  row_with_bar("times smaller than the log", ratio(archiving.ours), ">=", times_smaller_min);
}

void report(const Incremental& incremental) {
  title("a snapshot of one task in a hundred");
  const double percent =
      100 * static_cast<double>(incremental.bytes) / static_cast<double>(incremental.full_bytes);
  row("tasks changed", static_cast<double>(incremental.changed), "");
  row("added to a full one", percent, "percent");
  row("in", median(incremental.seconds), "s");
  row_with_bar("percent of a full one", percent, "<=", incremental_percent_max);
  row_with_bar("seconds", median(incremental.seconds), "<=", incremental_seconds_max);
}

void report(const std::vector<Restored>& restored) {
  title("a restore to a moment drawn by chance");
  double longest = 0;
  for (const Restored& each : restored) {
    row("position " + std::to_string(each.at), each.seconds, "s");
    row("  processor time to " + std::to_string(each.at), each.processor_seconds, "s");
    longest = std::max(longest, each.seconds);
  }
  const Restored& end = restored.back();
  const double rate = static_cast<double>(end.folded) / end.seconds;
  row("events folded, to the end", rate, "/s");
  row_with_bar("seconds, the longest", longest, "<=", restore_seconds_max);
  row_with_bar("events folded per second", rate, ">=", restore_rate_min);
}

}  // namespace almanac::bench
