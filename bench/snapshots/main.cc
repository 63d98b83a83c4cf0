// How long does it take to see a past state of a long log, and to start behind it, and what do
// writing a checkpoint and continuous archiving cost those who append meanwhile? The peer is the
// fold from the first event.
//
//   --quick       everything in a few seconds, with figures that mean little
//   --events N    10,000,000 unless said
//   --only TEXT   only shapes whose name contains TEXT: backlog, short queue
#include <almanac/bench/require.h>
#include <almanac/bench/snapshots/report.h>

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
      options.sizes = {.events = 40'000,
                       .checkpoint_every = 10'000,
                       .backlog = 10'000,
                       .questions = 5,
                       .append_seconds = 0.05,
                       .rounds = 1};
    } else if (option == "--events" && has_value) {
      options.sizes.events = std::strtoull(argv[++i], nullptr, 10) / 1'000 * 1'000;
      require(options.sizes.events > 0, "--events wants thousands");
    } else if (option == "--only" && has_value) {
      options.only = argv[++i];
    } else {
      stop("options: --quick, --events N, --only TEXT");
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse(argc, argv);
  const auto folder = fs::canonical("/proc/self/exe").parent_path() /
                      ("bench_snapshots." + std::to_string(::getpid()));
  for (const Shape& shape : {Shape{.name = "backlog", .live = options.sizes.backlog},
                             Shape{.name = "short queue", .live = 1'000}}) {
    if (shape.name.find(options.only) == std::string::npos) continue;
    const auto measured = measure(shape, options.sizes, folder);
    fs::remove_all(folder);
    report(measured, options.sizes);
  }
  return 0;
}
