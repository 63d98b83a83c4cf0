#include <almanac/bench/projections/report.h>

#include <almanac/bench/bench_line.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace almanac::bench {
namespace {

// Of the issue.
constexpr double fold_per_second_min = 3e6;
constexpr double of_unordered_min = 0.7;
constexpr double publishing_min = 0.6;
constexpr double copy_ns_max = 100;
constexpr double diff_ms_max = 2;
constexpr double bytes_per_task_max = 320;

const char* met(bool holds) { return holds ? "yes" : "NO"; }

void rule() { std::fprintf(stderr, "%s\n", std::string(80, '-').c_str()); }

double millions(double value) { return value / 1e6; }

void print_line(const std::string& name, double value, const std::string& unit) {
  print(BenchLine{.bench = "projections", .name = name, .value = value, .unit = unit});
}

// One row of the table of folds, as JSON too.
void report_fold(const Folded& folded, double ours_mix, double ours_enqueue) {
  const double mix = median(folded.events_per_second);
  const double enqueue = median(folded.enqueues_per_second);
  const auto [least, most] = std::ranges::minmax(folded.events_per_second);
  std::fprintf(stderr, "%-20s %8.2f %6.2f-%-6.2f %8.2f %9.2f %9.2f\n", folded.system.name.c_str(),
               millions(mix), millions(least), millions(most), millions(enqueue), ours_mix / mix,
               ours_enqueue / enqueue);
  print_line("fold of the mix, " + folded.system.name, mix, "events/s");
  print_line("fold of enqueues, " + folded.system.name, enqueue, "events/s");
}

void bar(const char* what, double value, double bound, bool at_most) {
  std::fprintf(stderr, "%-52s %9.2f  bar %s %-7.2f %s\n", what, value, at_most ? "<=" : ">=", bound,
               met(at_most ? value <= bound : value >= bound));
}

}  // namespace

void report(const Folds& folds) {
  const double mix = median(folds.ours.events_per_second);
  const double enqueue = median(folds.ours.enqueues_per_second);
  rule();
  std::fprintf(stderr, "%-20s %8s %13s %8s %9s %9s\n", "million events/s", "the mix", "rounds",
               "enqueue", "ours/mix", "ours/enq.");
  rule();
  report_fold(folds.ours, mix, enqueue);
  Folded publishing = folds.publishing;
  publishing.system.name += ", publishing";
  report_fold(publishing, mix, enqueue);
  for (const Folded& peer : folds.peers) report_fold(peer, mix, enqueue);
  std::fprintf(stderr, "%-20s %8.2f\n", "decoding alone", millions(folds.decoded_per_second));
  print_line("decoding alone", folds.decoded_per_second, "events/s");
  rule();
  bar("fold of the mix from the map, million events/s", millions(mix),
      millions(fold_per_second_min), false);
  const auto& unordered = folds.peers.front();
  bar("of the same into std::unordered_map", mix / median(unordered.events_per_second),
      of_unordered_min, false);
  bar("with a publication every 64 events, of that without",
      median(folds.publishing.events_per_second) / mix, publishing_min, false);
}

void report(const std::vector<Bytes>& memory) {
  rule();
  for (const Bytes& bytes : memory) {
    std::fprintf(stderr, "%-52s %9.1f\n", ("bytes per live task, " + bytes.system).c_str(),
                 bytes.per_task);
    print_line("bytes per live task, " + bytes.system, bytes.per_task, "B");
  }
  bar("bytes per live task", memory.front().per_task, bytes_per_task_max, true);
}

void report(const ValueCosts& costs, std::uint64_t tasks) {
  const std::string of = ", " + std::to_string(tasks) + " tasks";
  rule();
  bar("copy of a state, ns", costs.copy_ns, copy_ns_max, true);
  bar("diff of two states, changes all over, ms", costs.diff_ms, diff_ms_max, true);
  bar("diff of two states, neighbouring changes, ms", costs.diff_close_ms, diff_ms_max, true);
  std::fprintf(stderr, "%-52s %9.2f\n", "drop of a copy, ns", costs.drop_ns);
  std::fprintf(stderr, "%-52s %9.2f\n", "digest, ms", costs.digest_ms);
  print_line("copy of a state" + of, costs.copy_ns, "ns");
  print_line("drop of a copy" + of, costs.drop_ns, "ns");
  print_line("digest" + of, costs.digest_ms, "ms");
  const std::string apart = std::to_string(costs.changes) + " changes apart" + of;
  print_line("diff, " + apart + ", all over", costs.diff_ms, "ms");
  print_line("diff, " + apart + ", neighbours", costs.diff_close_ms, "ms");
}

void report(const std::vector<Scaled>& scaling) {
  rule();
  std::fprintf(stderr, "%12s %10s %12s %14s %14s\n", "live tasks", "ns/event", "publishing",
               "of the first", "its logarithm");
  for (const Scaled& scaled : scaling) {
    const auto logarithm = std::log(static_cast<double>(scaled.tasks)) /
                           std::log(static_cast<double>(scaling.front().tasks));
    const double growth = scaled.mix_ns / scaling.front().mix_ns;
    std::fprintf(stderr, "%12llu %10.1f %12.1f %14.2f %14.2f %s\n",
                 static_cast<unsigned long long>(scaled.tasks), scaled.mix_ns, scaled.publishing_ns,
                 growth, logarithm, met(growth <= logarithm));
    const std::string of = ", " + std::to_string(scaled.tasks) + " live tasks";
    print_line("an event of the mix" + of, scaled.mix_ns, "ns");
    print_line("an event of the mix, publishing" + of, scaled.publishing_ns, "ns");
  }
  rule();
}

}  // namespace almanac::bench
