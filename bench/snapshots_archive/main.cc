// What does it cost to archive a log, to archive what is new in it, and to restore a moment of it,
// beside what packs the same bytes without knowing what they are?
//
//   --quick       everything in a few seconds, with figures that mean little
//   --events N    of the log that is restored, and half as many archived; 10,000,000 unless said
//   --only TEXT   only cases whose name contains TEXT: archive, incremental, restore
#include <almanac/bench/require.h>
#include <almanac/bench/snapshots_archive/report.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  using namespace almanac::bench;
  Sizes sizes;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick") {
      sizes = {.tasks = 10'000, .archived = 50'000, .restored = 100'000, .rounds = 1};
    } else if (option == "--events" && i + 1 < argc) {
      sizes.restored = std::strtoull(argv[++i], nullptr, 10) / 2'000 * 2'000;
      require(sizes.restored > 0, "--events wants thousands");
      sizes.archived = sizes.restored / 2;
      sizes.tasks = std::min(sizes.tasks, sizes.archived / 2'000 * 1'000);
    } else if (option == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else {
      stop("options: --quick, --events N, --only TEXT");
    }
  }
  const auto asked = [&](std::string_view name) {
    return name.find(only) != std::string_view::npos;
  };
  const auto folder = fs::canonical("/proc/self/exe").parent_path() /
                      ("bench_snapshots_archive." + std::to_string(::getpid()));
  if (asked("archive")) report(compare_archiving(sizes, folder / "main"));
  if (asked("incremental")) report(measure_incremental(sizes, folder / "incremental"));
  if (asked("restore")) report(measure_restores(sizes, folder / "main"));
  fs::remove_all(folder);
  return 0;
}
