// What an engine did, done once more: under the settings it had, it is the same.
#include <almanac/engine/diagnostics.h>
#include <almanac/engine/what_if.h>
#include <almanac/tests/simulation/simulation.h>

#include <gtest/gtest.h>

namespace almanac::test {
namespace {

TEST(WhatIf, DoesUnderTheRecordedSettingsWhatTheEngineDid) {
  constexpr std::uint64_t runs = 300;
  set_verbosity(Verbosity::quiet);
  std::size_t starts = 0;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    WorkRecorder recorder;
    std::vector<WhatIfStart> recorded;
    auto see = [&](const RecordedEvent& event) {
      recorder.see(event);
      const auto* started = std::get_if<TaskStarted>(&event.event.body);
      if (started != nullptr) recorded.push_back({started->id, event.event.at});
    };
    const auto run = simulate(seed, {.on_event = see, .calm = true});
    ASSERT_EQ(run.violation, "") << "seed " << seed;
    const auto report = what_if(recorder.finish(), {});
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_EQ(report->starts.size(), recorded.size()) << "seed " << seed;
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      ASSERT_EQ(report->starts[i].task, recorded[i].task) << "seed " << seed << ", start " << i;
      // A turn of the loop for each link of a chain that is cancelled, each a microsecond later.
      ASSERT_LE(report->starts[i].at, recorded[i].at) << "seed " << seed << ", start " << i;
      ASSERT_GT(report->starts[i].at + Duration(100), recorded[i].at) << "seed " << seed;
    }
    starts += recorded.size();
  }
  EXPECT_GE(starts, 20 * runs);
}

}  // namespace
}  // namespace almanac::test
