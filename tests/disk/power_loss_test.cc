// What is acknowledged outlives a power loss at any moment, in any way the model knows.
#include <almanac/tests/disk/explorer.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace almanac::test {
namespace {

using std::chrono::steady_clock;

bool is_campaign() { return std::getenv("ALMANAC_CAMPAIGN") != nullptr; }

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// How much of one test is done: at least a floor, and more while there is time.
struct Work {
  std::uint64_t opened_floor;
  std::uint64_t opened_enough;
  std::chrono::seconds time;
};

class Campaign {
 public:
  explicit Campaign(const Work& work) : work_(work), end_(steady_clock::now() + work.time) {}

  [[nodiscard]] bool goes_on() const {
    return steady_clock::now() < end_ && total_.tally.opened < work_.opened_enough &&
           total_.tally.findings() < 10;
  }
  void run(const Scenario& scenario, ExploreOptions options) {
    SectorPool pool;
    options.deadline = end_;
    auto recorded = record(scenario, pool);
    auto report = explore(scenario, recorded, pool, options);
    total_.tally += report.tally;
    for (const auto& example : report.examples) ADD_FAILURE() << example;
    ++scenarios_;
  }
  // Prints what was done, and holds it against the floor.
  void finish(const char* what) {
    std::cout << what << ": " << scenarios_ << " recordings, " << describe(total_.tally) << "\n";
    EXPECT_EQ(total_.tally.findings(), 0U);
    EXPECT_GE(total_.tally.opened, work_.opened_floor) << "too little was done to count";
  }

 private:
  Work work_;
  steady_clock::time_point end_;
  ExploreReport total_;
  std::size_t scenarios_ = 0;
};

TEST(PowerLoss, LosesNothingInAnySequenceOfOperations) {
  Campaign campaign(
      Work{1, 1'000'000, std::chrono::seconds(number_from("ALMANAC_DISK_SECONDS", 25))});
  for (const Scenario& scenario : all_sequences(is_campaign() ? 3 : 3)) {
    if (!campaign.goes_on()) break;
    campaign.run(scenario, {});
  }
  campaign.finish("sequences");
}

}  // namespace
}  // namespace almanac::test
