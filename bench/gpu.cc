// What does the watch of GPUs cost the loop? One look at 8 devices of 3 heaps each is decided and
// folded, as often as a watch looks at most: always something to say (every heap moves by a step,
// every alert is raised or cleared), and nothing (the watch says nothing then, and keeps the loop
// out of it). The share of the loop's time, which is to be 0.1 % at most.
//
//   --quick   100 looks, with figures that mean little
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/bench/thread_cost.h>
#include <almanac/engine/gpu.h>
#include <almanac/engine/gpu_watch.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

using namespace almanac;
using namespace almanac::bench;

constexpr double share_max = 0.001;
constexpr std::uint64_t size = std::uint64_t{80} << 30U;

GpuReading look(bool is_full) {
  GpuReading reading;
  for (int i = 0; i < 8; ++i) {
    const GpuHeapReading heap{.memory = {.size = size, .own = is_full ? size : 0, .budget = size},
                              .is_local = true};
    reading.devices.push_back({.device = "card " + std::to_string(i),
                               .name = "Card",
                               .kind = GpuKind::discrete,
                               .trouble = {},
                               .heaps = {heap, heap, heap}});
  }
  return reading;
}

void report(const std::string& name, double ns, const GpuWatchOptions& options) {
  const double looks = 1 / std::chrono::duration<double>(options.interval_min).count();
  const double share = ns * looks / 1e9;
  print({"gpu", name, 100 * share, "% of the loop", {}, 0});
  std::fprintf(stderr, "%-8s %8.0f ns a look, %.4f %% of the loop (bar %.1f %%)\n", name.c_str(),
               ns, 100 * share, 100 * share_max);
  require(share <= share_max, "the watch takes too much of the loop");
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const int looks = quick ? 100 : 20'000;
  const GpuWatchOptions options;
  const GpuReading readings[] = {look(false), look(true)};
  State state;
  std::size_t events = 0;
  const double before = processor_ns();
  for (int i = 0; i < looks; ++i) {
    Arena memory;
    state.time += options.interval_min;
    auto decision =
        decide_one(state, ReportGpu{readings[i % 2], options.setting}, {state.time, memory});
    require(decision.has_value(), "a look was refused");
    for (const Event& event : decision->events) {
      fold_into(state, {state.position.next(), event});
      ++events;
    }
  }
  const double busy_ns = (processor_ns() - before) / looks;
  // Of each device a sample, and of each heap an alert; at first a device instead of an alert.
  require(events >= static_cast<std::size_t>(looks - 1) * 8 * 4, "events are missing");
  require(state.ignored == 0, "an event was ignored");
  report("changes", busy_ns, options);
  GpuNews news(options.setting);
  int told = 0;
  for (int i = 0; i < looks; ++i) {
    told += news.take(readings[0], Time(i * options.interval_min)) ? 1 : 0;
  }
  const double minutes = std::chrono::duration<double>(looks * options.interval_min).count() / 60;
  require(told <= minutes + 2, "a calm device is told of too often");
  print({"gpu", "calm", told / (minutes < 1 ? 1 : minutes), "reports a minute", {}, 0});
  return 0;
}
