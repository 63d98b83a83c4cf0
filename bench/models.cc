// How often are models loaded for the requests of an image service (genai_requests.csv: 87 models,
// 24 days), with memory for two and for four of them? As an engine takes turns (model_turns.h),
// beside who serves in the order of arrival and unloads what was used longest ago. In virtual time,
// by the what-if that `almanac whatif` runs. The bar is half as many loads; no wait for a model may
// be beyond its bound. Each with two patiences: a long one saves more loads, and with a short one
// requests wait about as long as they do for who serves in order, or less. The first 2,000 requests
// come so seldom that only the long one saves half of the loads there. ALMANAC_TRACE_DIR says where
// the trace is.
//
//   --quick   the first 2,000 requests
#include <almanac/bench/bench_line.h>
#include <almanac/bench/require.h>
#include <almanac/engine/what_if.h>
#include <almanac/tools/model_file.h>
#include <almanac/tools/trace_file.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

namespace {

using namespace almanac;
using namespace almanac::bench;
using namespace std::chrono_literals;

constexpr double fewer_min = 2;
constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
constexpr std::uint32_t slots = 4;

std::filesystem::path source_folder() {
  const char* folder = std::getenv("ALMANAC_SOURCE_DIR");
  return folder == nullptr ? std::filesystem::path(".") : std::filesystem::path(folder);
}

std::filesystem::path trace_folder() {
  const char* folder = std::getenv("ALMANAC_TRACE_DIR");
  require(folder != nullptr, "ALMANAC_TRACE_DIR does not say where genai_requests.csv is");
  return folder;
}

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

WhatIfReport tried(const RecordedWork& work, const std::vector<ModelSpec>& models,
                   std::uint64_t memory, ModelOrder order, Duration patience) {
  auto report = what_if(
      work, {.slots = slots,
             .queues = {},
             .limits = {},
             .models = {.models = models, .memory = memory, .order = order, .patience = patience}});
  require(report.has_value(), "the requests cannot be tried");
  require(report->unfinished == 0, "requests are left over");
  const WhatIfModels& seen = *report->models;
  std::fprintf(stderr,
               "%-12s %3.0f GiB: %6llu loads, waits p50 %5.0f s, p99 %6.0f s, max %6.0f s; longest "
               "for a model %6.0f s, bound %6.0f s, beyond %llu\n",
               std::string(name(order)).c_str(), static_cast<double>(memory) / gib,
               static_cast<unsigned long long>(seen.loads), seconds_of(report->waits.p50),
               seconds_of(report->waits.p99), seconds_of(report->waits.max),
               seconds_of(seen.longest_wait), seconds_of(seen.bound),
               static_cast<unsigned long long>(seen.beyond));
  return *report;
}

std::uint64_t memory_for(int fitting) { return 7 * gib * static_cast<std::uint64_t>(fitting); }

void compare(const RecordedWork& work, const std::vector<ModelSpec>& models, int fitting,
             const WhatIfReport& peer, std::chrono::seconds patience) {
  const auto ours = tried(work, models, memory_for(fitting), ModelOrder::batched, patience);
  const std::string named = "room for " + std::to_string(fitting) + ", patience " +
                            std::to_string(patience.count()) + " s";
  print({"models", named + ", loads", static_cast<double>(ours.models->loads), "loads",
         "first come, least recently used", static_cast<double>(peer.models->loads)});
  print({"models", named + ", longest wait for a model", seconds_of(ours.models->longest_wait), "s",
         "bound", seconds_of(ours.models->bound)});
  print({"models", named + ", wait p99", seconds_of(ours.waits.p99), "s",
         "first come, least recently used", seconds_of(peer.waits.p99)});
  const double fewer =
      static_cast<double>(peer.models->loads) / static_cast<double>(ours.models->loads);
  std::fprintf(stderr, "%s: %.2f times fewer loads, bar %.0f %s\n", named.c_str(), fewer, fewer_min,
               fewer >= fewer_min ? "yes" : "NO");
  require(ours.models->beyond == 0, "a model was waited for beyond the bound");
}

void compare_all(const RecordedWork& work, const std::vector<ModelSpec>& models, int fitting,
                 std::initializer_list<std::chrono::seconds> patiences) {
  const auto peer = tried(work, models, memory_for(fitting), ModelOrder::first_come, {});
  for (const auto patience : patiences) compare(work, models, fitting, peer, patience);
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const auto models =
      load_models((source_folder() / "bench" / "models" / "genai_models.toml").string());
  require(models.has_value(), "the file of models cannot be read");
  auto work = read_trace((trace_folder() / "genai_requests.csv").string(), {});
  if (!work) {
    std::fprintf(stderr, "bench_models: %s\n", describe(work.error()).c_str());
    return 1;
  }
  if (quick) work->tasks.resize(2'000);
  work->assume_attempts();
  compare_all(*work, *models, 2, {450s, 240s});
  compare_all(*work, *models, 4, {1'200s, 420s});
  return 0;
}
