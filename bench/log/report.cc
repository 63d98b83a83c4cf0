#include <almanac/bench/log/report.h>

#include <almanac/bench/bench_line.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

namespace almanac::bench {
namespace {

constexpr std::size_t line_columns = 80;
// Of the issue: bytes on disk by bytes of payload, the long run's last tenth by its first, memory.
constexpr double disk_ratio_max = 1.15;
constexpr double tenths_ratio_min = 0.9;
constexpr double memory_bytes_max = 64 << 20;

double rate(const Measured& measured) { return median(measured.per_second); }

const Measured* best(const std::vector<Measured>& peers) {
  if (peers.empty()) return nullptr;
  return &*std::ranges::max_element(peers, {}, rate);
}

// Of sorted values.
double quantile(const std::vector<float>& sorted, double part) {
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(part * last)];
}

struct Quantile {
  const char* name;
  double part;
};
constexpr std::array quantiles = {Quantile{"p50", 0.5}, Quantile{"p99", 0.99},
                                  Quantile{"p99.9", 0.999}};

std::vector<float> sorted(std::vector<float> values) {
  std::ranges::sort(values);
  return values;
}

// Four significant columns: 940, 5.31k, 1.24M.
std::string short_number(double value) {
  std::array<char, 32> text{};
  const char* unit = value >= 1e6 ? "M" : value >= 1e3 ? "k" : "";
  const double scaled = value >= 1e6 ? value / 1e6 : value >= 1e3 ? value / 1e3 : value;
  const int decimals = scaled < 10 ? 2 : scaled < 100 ? 1 : 0;
  std::snprintf(text.data(), text.size(), "%.*f%s", decimals, scaled, unit);
  return text.data();
}

std::string payload_text(std::size_t bytes) {
  return bytes % 1024 == 0 ? std::to_string(bytes / 1024) + " KiB" : std::to_string(bytes) + " B";
}

std::string full_name(const Compared& compared) {
  return compared.name + ", " + payload_text(compared.payload_bytes);
}

// "0.87 0.85 yes" and how wide that is.
std::string held_against(double ratio, double bar) {
  std::array<char, 32> text{};
  if (bar > 0) {
    std::snprintf(text.data(), text.size(), "%5.2f %4.2f %-3s", ratio, bar,
                  ratio >= bar ? "yes" : "NO");
  } else {
    std::snprintf(text.data(), text.size(), "%5.2f %4s %-3s", ratio, "", "");
  }
  return text.data();
}

void rule() { std::fprintf(stderr, "%s\n", std::string(line_columns, '-').c_str()); }

void print_latencies(const Compared& compared) {
  std::fprintf(stderr, "%-18s", full_name(compared).c_str());
  for (const Measured* measured : {&compared.ours, &compared.raw, best(compared.peers)}) {
    if (measured == nullptr) continue;
    const auto latencies = sorted(measured->latencies_us);
    for (const Quantile& at : quantiles) {
      std::fprintf(stderr, "%7s", short_number(quantile(latencies, at.part)).c_str());
    }
  }
  std::fputc('\n', stderr);
}

void line_of(const std::string& name, double value, const std::string& unit) {
  print(BenchLine{.bench = "log", .name = name, .value = value, .unit = unit});
}

}  // namespace

void print_json(const Compared& compared) {
  const auto name = full_name(compared);
  BenchLine line{.bench = "log", .name = name, .value = rate(compared.ours), .unit = "events/s"};
  std::vector<const Measured*> others = {&compared.raw};
  for (const Measured& peer : compared.peers) others.push_back(&peer);
  for (const Measured* other : others) {
    line.peer = other->system.name;
    line.peer_value = rate(*other);
    print(line);
  }
  const auto [least, most] = std::ranges::minmax(compared.ours.per_second);
  line_of(name + ", slowest round", least, "events/s");
  line_of(name + ", fastest round", most, "events/s");
  if (compared.ours.latencies_us.empty()) return;
  const auto mine = sorted(compared.ours.latencies_us);
  for (const Measured* other : others) {
    const auto theirs = sorted(other->latencies_us);
    for (const Quantile& at : quantiles) {
      print({.bench = "log",
             .name = name + ", " + at.name,
             .value = quantile(mine, at.part),
             .unit = "us",
             .peer = other->system.name,
             .peer_value = quantile(theirs, at.part)});
    }
  }
}

void print_json(const std::vector<DiskUse>& uses, std::size_t payload_bytes) {
  const auto name = "bytes on disk per event of " + payload_text(payload_bytes) + ", 64 per append";
  for (const DiskUse& use : uses) {
    line_of(name + ", " + use.system, use.store_bytes, "B");
    if (use.journal_bytes > 0) line_of(name + ", its journal", use.journal_bytes, "B");
  }
}

void print_json(const LongRun& run) {
  const auto name = std::to_string(run.events) + " events";
  for (std::size_t i = 0; i < run.tenths_per_second.size(); ++i) {
    line_of(name + ", tenth " + std::to_string(i + 1), run.tenths_per_second[i], "events/s");
  }
  line_of(name + ", last tenth of the first",
          run.tenths_per_second.back() / run.tenths_per_second.front(), "ratio");
  line_of(name + ", memory without the map", run.memory_peak_bytes, "B");
  line_of(name + ", file", run.file_bytes, "B");
  line_of(name + ", file beside a slow reader", run.file_bytes_beside_reader, "B");
}

void print_systems() {
  std::vector<System> all = peers();
  all.insert(all.begin(), {raw_disk(), raw_map(), ours()});
  for (const System& system : all) {
    std::fprintf(stderr, "%-8s %s\n", system.name.c_str(), system.settings.c_str());
  }
}

void print_table(const std::vector<Compared>& all) {
  rule();
  std::fprintf(stderr, "%-18s %6s %6s %5s %4s %-3s %-14s %5s %4s %s\n", "events/s", "ours", "raw",
               "ratio", "bar", "met", "best peer", "ratio", "bar", "met");
  rule();
  for (const Compared& compared : all) {
    const Measured* peer = best(compared.peers);
    const double mine = rate(compared.ours);
    const double bare = rate(compared.raw);
    std::array<char, 32> peer_text{};
    std::snprintf(peer_text.data(), peer_text.size(), "%-7s %6s", peer->system.name.c_str(),
                  short_number(rate(*peer)).c_str());
    std::fprintf(stderr, "%-18s %6s %6s %s %-14s %s\n", full_name(compared).c_str(),
                 short_number(mine).c_str(), short_number(bare).c_str(),
                 held_against(mine / bare, compared.bars.of_raw).c_str(), peer_text.data(),
                 held_against(mine / rate(*peer), compared.bars.of_best_peer).c_str());
  }
  rule();
  std::fprintf(stderr, "%-18s%21s%21s%20s\n", "us per append", "ours p50 p99 p99.9",
               "raw p50 p99 p99.9", "best peer, same");
  rule();
  for (const Compared& compared : all) {
    if (!compared.ours.latencies_us.empty()) print_latencies(compared);
  }
  rule();
}

void print_table(const std::vector<DiskUse>& uses, std::size_t payload_bytes) {
  const auto payload = static_cast<double>(payload_bytes);
  std::fprintf(stderr, "bytes on disk per event of %s, 64 per append (bar: %.2f)\n",
               payload_text(payload_bytes).c_str(), disk_ratio_max);
  for (const DiskUse& use : uses) {
    const auto ratio = use.store_bytes / payload;
    const bool is_ours = &use == &uses.front();
    std::fprintf(stderr, "  %-8s %6.1f  %.3f of the payload %s\n", use.system.c_str(),
                 use.store_bytes, ratio,
                 !is_ours                  ? ""
                 : ratio <= disk_ratio_max ? "yes"
                                           : "NO");
    if (use.journal_bytes > 0) std::fprintf(stderr, "  journal  %6.1f\n", use.journal_bytes);
  }
  rule();
}

void print_table(const LongRun& run) {
  const auto flat = run.tenths_per_second.back() / run.tenths_per_second.front();
  std::fprintf(stderr, "%llu events, 1,000 per append; events/s by tenth:\n ",
               static_cast<unsigned long long>(run.events));
  for (double tenth : run.tenths_per_second) {
    std::fprintf(stderr, "%7s", short_number(tenth).c_str());
  }
  std::fprintf(stderr, "\nlast tenth of the first          %8.2f  bar %.2f  %s\n", flat,
               tenths_ratio_min, flat >= tenths_ratio_min ? "yes" : "NO");
  std::fprintf(stderr, "memory without the map, MiB      %8.1f  bar %.0f    %s\n",
               run.memory_peak_bytes / (1 << 20), memory_bytes_max / (1 << 20),
               run.memory_peak_bytes <= memory_bytes_max ? "yes" : "NO");
  std::fprintf(stderr, "file beside a slow reader        %8.3f  of %.0f B alone (it read %llu)\n",
               run.file_bytes_beside_reader / run.file_bytes, run.file_bytes,
               static_cast<unsigned long long>(run.read));
  rule();
}

}  // namespace almanac::bench
