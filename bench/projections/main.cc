// What does it cost to keep a state as a value: to fold events into it, to publish it, to copy and
// compare it, and to hold it in memory, beside mutable containers that do the same work? Every fold
// is run in turn with the others; the value is the median of the rounds.
//
//   --quick       everything in a few seconds, with figures that mean little
//   --only TEXT   only cases whose name contains TEXT: memory, fold, value, scaling
//   --rounds N    of the folds; 3 unless said
#include <almanac/bench/projections/report.h>

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
  std::string only;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--quick") {
      options.sizes = {.tasks = 20'000, .events = 30'000, .rounds = 1, .scale = {10'000, 40'000}};
    } else if (option == "--only" && has_value) {
      options.only = argv[++i];
    } else if (option == "--rounds" && has_value) {
      options.sizes.rounds = static_cast<int>(std::strtol(argv[++i], nullptr, 10));
      require(options.sizes.rounds > 0, "--rounds wants a number above 0");
    } else {
      stop("options: --quick, --only TEXT, --rounds N");
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse(argc, argv);
  const auto wanted = [&](std::string_view name) {
    return name.find(options.only) != std::string_view::npos;
  };
  if (wanted("memory")) report(compare_memory(options.sizes));
  if (wanted("fold")) {
    const auto folder = fs::canonical("/proc/self/exe").parent_path() /
                        ("bench_projections." + std::to_string(::getpid()));
    const auto folds = compare_folds(options.sizes, folder);
    fs::remove_all(folder);
    report(folds);
  }
  if (wanted("value")) report(measure_value(options.sizes), options.sizes.tasks);
  if (wanted("scaling")) report(measure_scaling(options.sizes));
  return 0;
}
