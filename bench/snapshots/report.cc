#include <almanac/bench/snapshots/report.h>

#include <almanac/bench/bench_line.h>

#include <cstdio>
#include <optional>

namespace almanac::bench {
namespace {

// Of the issue.
constexpr double past_p50_ms_max = 50;
constexpr double past_p99_ms_max = 150;
constexpr double start_seconds_max = 1;
constexpr double append_ratio_max = 1.5;

class Table {
 public:
  explicit Table(std::string of) : of_(std::move(of)) {
    std::fprintf(stderr, "%s\n%s\n", of_.c_str(), std::string(80, '-').c_str());
  }
  void row(const std::string& name, double value, const std::string& unit,
           std::optional<double> bar = {}) const {
    std::fprintf(stderr, "%-46s %10.2f %-6s", name.c_str(), value, unit.c_str());
    if (bar) std::fprintf(stderr, " bar <= %-5.3g %s", *bar, value <= *bar ? "yes" : "NO");
    std::fputc('\n', stderr);
    print(BenchLine{.bench = "snapshots", .name = name + ", " + of_, .value = value, .unit = unit});
  }

 private:
  std::string of_;
};

}  // namespace

void report(const Measured& measured, const Sizes& sizes) {
  const Table table(measured.shape.name + ": " + std::to_string(sizes.events) + " events, " +
                    std::to_string(measured.tasks) + " tasks, " +
                    std::to_string(measured.shape.live) + " of them live");
  table.row("cold past state, p50", percentile(measured.cold_ms, 50), "ms", past_p50_ms_max);
  table.row("cold past state, p99", percentile(measured.cold_ms, 99), "ms", past_p99_ms_max);
  table.row("warm past state, p50", percentile(measured.warm_ms, 50), "ms", past_p50_ms_max);
  table.row("warm past state, p99", percentile(measured.warm_ms, 99), "ms", past_p99_ms_max);
  table.row("states kept", static_cast<double>(measured.warm_states), "");
  table.row("memory of their nodes", measured.warm_bytes / (1 << 20), "MiB");
  table.row("start, checkpoint and tail", median(measured.start_seconds), "s", start_seconds_max);
  table.row("start, from the first event", measured.fold_seconds, "s");
  table.row("drop of the last state", median(measured.unload_ms), "ms");
  table.row("checkpoint written beside appends", median(measured.checkpoint_seconds), "s");
  table.row("its size", measured.checkpoint_bytes / (1 << 20), "MiB");
  table.row("append p99, alone", measured.append_p99_us, "us");
  table.row("append p99, beside checkpoints", measured.append_beside_p99_us, "us");
  table.row("the one to the other", measured.append_beside_p99_us / measured.append_p99_us, "",
            append_ratio_max);
}

}  // namespace almanac::bench
