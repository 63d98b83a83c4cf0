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
constexpr double followed_p99_ratio_max = 1.3;
constexpr double followed_rate_ratio_min = 0.9;

class Table {
 public:
  explicit Table(std::string of) : of_(std::move(of)) {
    std::fprintf(stderr, "%s\n%s\n", of_.c_str(), std::string(80, '-').c_str());
  }
  enum class Bar : std::uint8_t { at_most, at_least };
  void row(const std::string& name, double value, const std::string& unit,
           std::optional<double> bar = {}, Bar is = Bar::at_most) const {
    std::fprintf(stderr, "%-46s %10.2f %-6s", name.c_str(), value, unit.c_str());
    const bool at_most = is == Bar::at_most;
    if (bar) {
      std::fprintf(stderr, " bar %s %-5.3g %s", at_most ? "<=" : ">=", *bar,
                   (at_most ? value <= *bar : value >= *bar) ? "yes" : "NO");
    }
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
  table.row("cold, processor time, p50", percentile(measured.cold_processor_ms, 50), "ms");
  table.row("cold, processor time, p99", percentile(measured.cold_processor_ms, 99), "ms");
  table.row("warm past state, p50", percentile(measured.warm_ms, 50), "ms", past_p50_ms_max);
  table.row("warm past state, p99", percentile(measured.warm_ms, 99), "ms", past_p99_ms_max);
  table.row("warm, processor time, p50", percentile(measured.warm_processor_ms, 50), "ms");
  table.row("warm, processor time, p99", percentile(measured.warm_processor_ms, 99), "ms");
  table.row("states kept", static_cast<double>(measured.warm_states), "");
  table.row("memory of their nodes", measured.warm_bytes / (1 << 20), "MiB");
  table.row("start, checkpoint and tail", median(measured.start_seconds), "s", start_seconds_max);
  table.row("start, from the first event", measured.fold_seconds, "s");
  table.row("drop of the last state", median(measured.unload_ms), "ms");
  table.row("checkpoint written beside appends", median(measured.checkpoint_seconds), "s");
  table.row("its size", measured.checkpoint_bytes / (1 << 20), "MiB");
  table.row("checkpoints an engine keeps", static_cast<double>(measured.checkpoints), "");
  table.row("their bytes, of the log's", measured.checkpoints_bytes / measured.log_bytes, "");
  table.row("append p99, alone", measured.append_p99_us, "us");
  table.row("append p99, beside checkpoints", measured.append_beside_p99_us, "us");
  table.row("the one to the other", measured.append_beside_p99_us / measured.append_p99_us, "",
            append_ratio_max);
  table.row("append p99, beside archiving", measured.append_followed_p99_us, "us");
  table.row("to that alone", measured.append_followed_p99_us / measured.append_unfollowed_p99_us,
            "", followed_p99_ratio_max);
  const double rate = median(measured.append_followed_rates);
  table.row("appended beside archiving", rate / 1e6, "M/s");
  table.row("to that alone, rate", rate / median(measured.append_rates), "",
            followed_rate_ratio_min, Table::Bar::at_least);
}

}  // namespace almanac::bench
