// The engine in worlds drawn from seeds: what is promised holds behind every event, and once all is
// healed everything that was accepted ends. simulation/README.md says what is drawn and checked.
#include <almanac/engine/diagnostics.h>
#include <almanac/tests/simulation/campaign.h>
#include <almanac/tests/support/command_result.h>
#include <almanac/tests/support/file_bytes.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace almanac::test {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, KeepsEveryPromiseWhateverFails) {
  const bool campaign = std::getenv("ALMANAC_CAMPAIGN") != nullptr;
  const auto report = simulate_many(
      {.first = number_from("ALMANAC_SIMULATION_SEED", 1),
       .count = number_from("ALMANAC_SIMULATION_RUNS", campaign ? 1'000'000 : 12'000)});
  std::printf("%llu runs, %llu events, %llu tasks, %llu engines, digest %016llx\n%s\n",
              static_cast<unsigned long long>(report.runs),
              static_cast<unsigned long long>(report.events),
              static_cast<unsigned long long>(report.tasks),
              static_cast<unsigned long long>(report.engines),
              static_cast<unsigned long long>(report.digest), report.coverage.summary().c_str());
  for (const auto& [seed, violation] : report.violations) {
    ADD_FAILURE() << violation << "; see `simulate --trace " << seed << "`";
  }
  if (report.runs < 2'000) return;  // somebody looks at a few seeds
  for (const std::string& missing : report.coverage.unreached()) {
    ADD_FAILURE() << "no run has reached " << missing;
  }
}

TEST(Simulation, GivesTheSameTraceForTheSameSeed) {
  set_verbosity(Verbosity::quiet);
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto once = simulate(seed);
    const auto again = simulate(seed);
    EXPECT_EQ(once.trace, again.trace) << "seed " << seed;
    EXPECT_EQ(once.events, again.events) << "seed " << seed;
    EXPECT_NE(once.trace, simulate(seed + 1).trace);
  }
}

// Beside this build, where there is one by clang that is not older.
TEST(Simulation, GivesTheSameTraceByTheOtherCompiler) {
  const auto here = program_path("simulate");
  const auto there = here.parent_path().parent_path().parent_path() / "clang/bin/simulate";
  std::error_code missing;
  if (std::filesystem::last_write_time(there, missing) < std::filesystem::last_write_time(here) ||
      missing) {
    std::puts("nothing to compare with: `./dev build clang` builds it");
    return;
  }
  const auto ours = run_command({here, "1", "200"});
  const auto theirs = run_command({there, "1", "200"});
  EXPECT_EQ(ours.code, 0);
  EXPECT_EQ(ours.output, theirs.output);
  const char* many = std::getenv("ALMANAC_CAMPAIGN") != nullptr ? "20000" : "500";
  const auto our_digest = run_command({here, "--digest", "1", many});
  EXPECT_EQ(our_digest.code, 0);
  EXPECT_EQ(our_digest.output, run_command({there, "--digest", "1", many}).output);
  EXPECT_NE(our_digest.output, run_command({here, "--digest", "2", many}).output);
}

}  // namespace
}  // namespace almanac::test
