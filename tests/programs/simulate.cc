// Runs simulations and prints what each came to, so that a seed can be looked at and two builds can
// be compared: simulate FIRST [COUNT] prints a line for each seed, simulate --trace SEED every
// event, simulate --digest FIRST COUNT one line for all of them, which all processors run.
#include <almanac/engine/diagnostics.h>
#include <almanac/tests/simulation/campaign.h>
#include <almanac/tests/support/event_text.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

int usage() {
  std::fputs(
      "usage: simulate FIRST [COUNT] | simulate --trace SEED | simulate --digest FIRST COUNT\n",
      stderr);
  return 2;
}

bool print(std::uint64_t seed, const almanac::test::SimulatedRun& run) {
  std::printf("seed %llu: trace %016llx, %llu events, %llu tasks, %llu engines%s%s\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(run.trace),
              static_cast<unsigned long long>(run.events),
              static_cast<unsigned long long>(run.tasks),
              static_cast<unsigned long long>(run.engines), run.violation.empty() ? "" : ": ",
              run.violation.c_str());
  return run.violation.empty();
}

bool print_digest(const almanac::test::Seeds& seeds) {
  const auto report = almanac::test::simulate_many(seeds);
  std::printf("%llu runs from seed %llu, %llu events: digest %016llx\n",
              static_cast<unsigned long long>(report.runs),
              static_cast<unsigned long long>(seeds.first),
              static_cast<unsigned long long>(report.events),
              static_cast<unsigned long long>(report.digest));
  for (const auto& [seed, violation] : report.violations) {
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), violation.c_str());
  }
  return report.violations.empty();
}

}  // namespace

int main(int argc, char** argv) {
  almanac::set_verbosity(almanac::Verbosity::quiet);
  if (argc < 2 || argc > 4) return usage();
  const bool digest = std::string(argv[1]) == "--digest";
  if (digest != (argc == 4)) return usage();
  if (digest) {
    const almanac::test::Seeds seeds{.first = std::strtoull(argv[2], nullptr, 10),
                                     .count = std::strtoull(argv[3], nullptr, 10)};
    return print_digest(seeds) ? 0 : 1;
  }
  if (argc == 3 && std::string(argv[1]) == "--trace") {
    const auto seed = std::strtoull(argv[2], nullptr, 10);
    const auto run =
        almanac::test::simulate(seed, {.on_event = [](const almanac::RecordedEvent& recorded) {
                                  std::puts(almanac::test::event_text(recorded).c_str());
                                }});
    return print(seed, run) ? 0 : 1;
  }
  const auto first = std::strtoull(argv[1], nullptr, 10);
  const auto count = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 1;
  bool good = true;
  for (auto seed = first; seed < first + count; ++seed) {
    good = print(seed, almanac::test::simulate(seed)) && good;
  }
  return good ? 0 : 1;
}
