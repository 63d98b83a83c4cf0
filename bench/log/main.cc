// How many events per second does the log make durable and give back, beside what the bare disk and
// bare memory can do and beside LMDB, SQLite and RocksDB with the same promise? Every case is run
// in turn with the others; the value is the median of the rounds.
//
//   --quick       everything in a few seconds, with figures that mean little
//   --long        only the long run, of 20,000,000 events unless --events N
//   --only TEXT   only cases whose name contains TEXT
#include <almanac/bench/log/report.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace {

namespace fs = std::filesystem;
using namespace almanac::bench;

struct Options {
  Sizes sizes;
  bool compares = true;
  std::uint64_t long_events = 0;  // 0 = no long run
  std::string only;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--quick") {
      options.sizes = {.rounds = 1, .divisor = 50};
      options.long_events = 100'000;
    } else if (option == "--long") {
      options.compares = false;
      options.long_events = std::max<std::uint64_t>(options.long_events, 20'000'000);
    } else if (option == "--events" && has_value) {
      options.long_events = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--only" && has_value) {
      options.only = argv[++i];
    } else {
      stop("options: --quick, --long, --events N, --only TEXT");
    }
  }
  return options;
}

void run_comparisons(const Options& options, const fs::path& folder) {
  auto wanted = [&](std::string_view name) {
    return name.find(options.only) != std::string_view::npos;
  };
  std::vector<Compared> all;
  for (const Case& each : cases()) {
    for (std::size_t payload_bytes : {200, 1'024}) {
      if (!wanted(each.name)) continue;
      all.push_back(compare(each, Payloads(payload_bytes), options.sizes, folder));
      print_json(all.back());
    }
  }
  const Payloads payloads(200);
  if (wanted("scan")) {
    for (Compared& scan : compare_scans(payloads, options.sizes, folder)) {
      print_json(scan);
      all.push_back(std::move(scan));
    }
  }
  print_systems();
  print_table(all);
  if (!wanted("disk")) return;
  const auto uses = disk_use(payloads, options.sizes, folder);
  print_json(uses, payloads.size_bytes());
  print_table(uses, payloads.size_bytes());
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse(argc, argv);
  const auto folder =
      fs::canonical("/proc/self/exe").parent_path() / ("bench_log." + std::to_string(::getpid()));
  if (options.compares) run_comparisons(options, folder);
  if (options.long_events > 0) {
    const auto run = run_long(Payloads(200), options.long_events, folder);
    print_json(run);
    print_table(run);
  }
  fs::remove_all(folder);
  return 0;
}
