// What is acknowledged outlives a power loss at any moment, in any way the model knows.
#include <almanac/log/log.h>
#include <almanac/log/repair.h>
#include <almanac/tests/disk/explorer.h>
#include <almanac/tests/disk/state_folder.h>

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

namespace almanac::test {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t findings_max = 10;
constexpr std::size_t random_run_length = 50;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

bool is_campaign() { return number_from("ALMANAC_CAMPAIGN", 0) != 0; }

// How much is done: until enough different states were opened or the time is up, and never less
// than the floor of states judged.
struct Work {
  std::uint64_t floor;
  std::uint64_t enough;
  std::uint64_t seconds;
  StateLimits limits;
};
constexpr std::uint64_t campaign_states = 2'500'000;         // by each of two tests
constexpr std::uint64_t campaign_repaired_states = 250'000;  // each of them repaired first

Work work_of_a_test(std::uint64_t of_campaign) {
  const StateLimits few{.family_max = 16, .random_states = 8, .all_subsets_of_max = 6};
  const StateLimits many{.family_max = 256, .random_states = 128, .all_subsets_of_max = 12};
  Work work = is_campaign() ? Work{of_campaign, of_campaign, 3'300, many}
                            : Work{5'000, UINT64_MAX, 11, few};
  work.floor = number_from("ALMANAC_DISK_STATES", work.floor);
  work.seconds = number_from("ALMANAC_DISK_SECONDS", work.seconds);
  return work;
}

class Campaign {
 public:
  explicit Campaign(std::uint64_t of_campaign = campaign_states)
      : work_(work_of_a_test(of_campaign)),
        seed_(number_from("ALMANAC_DISK_SEED", 1)),
        end_(steady_clock::now() + std::chrono::seconds(work_.seconds)),
        patience_(end_ + 3 * std::chrono::seconds(work_.seconds)) {}

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] bool goes_on() const {
    return steady_clock::now() < end() && total_.opened < work_.enough &&
           total_.findings() < findings_max;
  }
  void run(const Scenario& scenario, std::uint64_t point_every = 1,
           const ExploreOptions::Check& check = check_log) {
    SectorPool pool;
    auto recorded = record(scenario, pool);
    auto report = explore(scenario, recorded, pool,
                          {.check = check,
                           .limits = work_.limits,
                           .seed = mix(seed_, recordings_),
                           .workers = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)),
                           .point_every = point_every,
                           .deadline = steady_clock::now() < end_ ? end_ : end()});
    total_ += report.tally;
    for (const auto& example : report.examples) ADD_FAILURE() << example;
    ++recordings_;
  }
  // Prints what was done, and holds it against the floor.
  void finish() {
    std::cout << "power loss, seed " << seed_ << ": " << recordings_ << " recordings, "
              << describe(total_) << "\n";
    EXPECT_EQ(total_.findings(), 0U);
    EXPECT_GE(total_.states, work_.floor) << "too little was done to count";
  }

 private:
  // A machine that is busy with other things takes longer to reach the floor.
  [[nodiscard]] steady_clock::time_point end() const {
    return total_.states < work_.floor ? patience_ : end_;
  }

  Work work_;
  std::uint64_t seed_;
  steady_clock::time_point end_;
  steady_clock::time_point patience_;
  Tally total_;
  std::uint64_t recordings_ = 0;
};

// The short ones first, those of three in any order: there may be no time for all of them. When
// there is, they are recorded again: threads meet differently then, and chance draws others states.
TEST(PowerLoss, LosesNothingInAnySequenceOfOperations) {
  Campaign campaign;
  auto scenarios = all_sequences(3);
  auto is_long = [](const Scenario& scenario) { return scenario.operations.size() == 3; };
  std::ranges::subrange longer(std::ranges::find_if(scenarios, is_long), scenarios.end());
  std::ranges::shuffle(longer, std::mt19937_64(campaign.seed()));
  for (std::size_t next = 0; campaign.goes_on(); ++next) {
    campaign.run(scenarios[next % scenarios.size()]);
  }
  campaign.finish();
}

TEST(PowerLoss, LosesNothingInRandomRuns) {
  Campaign campaign;
  const std::uint64_t point_every = is_campaign() ? 1 : 8;  // so that there is time for a few runs
  for (auto seed = mix(campaign.seed(), 50); campaign.goes_on(); ++seed) {
    campaign.run(random_run(seed, random_run_length), point_every);
  }
  campaign.finish();
}

// A log that is damaged, or of which a repair was cut short, is repaired, as its owner would do.
FoundLog repair_and_check(const std::filesystem::path& folder, Recorder* recorder) {
  auto log = Log::open(folder);
  const bool opens = log.has_value();
  if (opens) log->reset();
  if (!opens) (void)repair(folder);  // where that does no good, the check will tell
  return check_log(folder, recorder);
}

// All that was promised is in the damaged file, in the journal or in what the repair has made.
TEST(PowerLoss, LosesNothingWhileADamagedLogIsRepaired) {
  Campaign campaign(campaign_repaired_states);
  std::vector<Scenario> scenarios;
  for (Start start : {Start::closed, Start::killed}) {
    for (const Operation& operation : operations()) {
      std::string name("damage and repair, " + std::string(operation.name));
      scenarios.push_back({name, start, {&damage_and_repair(), &operation}});
      scenarios.push_back(
          {name + " in front", start, {&operation, &damage_and_repair(), &operations().front()}});
    }
  }
  std::ranges::shuffle(scenarios, std::mt19937_64(campaign.seed()));
  const std::uint64_t point_every = is_campaign() ? 1 : 4;
  for (std::size_t next = 0; campaign.goes_on(); ++next) {
    campaign.run(scenarios[next % scenarios.size()], point_every, repair_and_check);
  }
  campaign.finish();
}

// A state that was kept as a finding is opened again: by itself, as often as one likes.
TEST(PowerLoss, CanBeRepeatedFromAKeptState) {
  const char* kept = std::getenv("ALMANAC_DISK_KEPT");
  SectorPool pool;
  std::filesystem::path saved;
  if (kept == nullptr) {
    auto recorded = record({"kept", Start::closed, {}}, pool);
    saved = save_state(recorded.before, pool, "nothing is wrong with it");
    kept = saved.c_str();
  }
  MemoryFolder copy;
  StateFolder(copy.path(), pool).make(read_image(std::filesystem::path(kept) / "state", pool));
  auto found = check_log(copy.path() / "log");
  std::cout << kept << ": " << found.events << " events\n";
  EXPECT_EQ(found.problem, Problem::none) << name(found.problem) << ": " << found.text;
  if (!saved.empty()) {
    EXPECT_EQ(found.events, 4U);
    std::filesystem::remove_all(saved);
  }
}

}  // namespace
}  // namespace almanac::test
