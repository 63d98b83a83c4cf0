// Requirement C2: a watch in the background warns at 80 % and again at 90 %, and tells the program.
#include <almanac/tests/support/engine_fixture.h>
#include <almanac/tests/support/scripted_gpus.h>

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;

class RequirementC2 : public EngineTest {
 protected:
  void watch(const GpuSetting& setting = {}) {
    open({.gpu_watch =
              GpuWatchOptions{.setting = setting, .interval_min = 10ms, .interval_max = 10ms},
          .on_gpu = [this](const GpuChange& change) {
            const std::lock_guard lock(mutex_);
            told_.push_back(change);
            changed_.notify_one();
          }});
  }
  // Of 100 GiB; others use what is missing in the budget.
  void use(std::uint64_t own, std::uint64_t others) {
    gpus.set({{.name = "Scripted",
               .heaps = {{.size = 100 * gibibyte,
                          .own = own * gibibyte,
                          .budget = (100 - others) * gibibyte}}}});
  }
  // What was told next.
  GpuChange next() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 30s, [&] { return told_.size() > seen_; }));
    return seen_ < told_.size() ? told_[seen_++] : GpuChange();
  }
  [[nodiscard]] std::size_t left() {
    const std::lock_guard lock(mutex_);
    return told_.size() - seen_;
  }

  ScriptedGpus gpus;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<GpuChange> told_;
  std::size_t seen_ = 0;
};

TEST_F(RequirementC2, TellsTheProgramOfEachAlertOnceAndInOrder) {
  use(10, 0);
  watch();
  EXPECT_EQ(next().kind, GpuChange::Kind::appeared);
  use(10, 70);
  const GpuChange warning = next();
  EXPECT_EQ(warning.kind, GpuChange::Kind::alert_raised);
  EXPECT_EQ(warning.level, GpuLevel::warning);
  EXPECT_EQ(warning.name, "Scripted");
  EXPECT_EQ(warning.memory.others(), 70 * gibibyte);
  EXPECT_EQ(warning.memory.utilisation(), 0.8);
  use(20, 70);
  const GpuChange critical = next();
  EXPECT_EQ(critical.level, GpuLevel::critical);
  EXPECT_EQ(critical.before, GpuLevel::warning);
  use(6, 70);
  EXPECT_EQ(next().level, GpuLevel::warning);
  use(4, 70);
  EXPECT_EQ(next().kind, GpuChange::Kind::alert_cleared);
  engine->stop();
  engine->wait_until_stopped();
  EXPECT_EQ(left(), 0U);
}

TEST_F(RequirementC2, GoesByTheProgramsThresholds) {
  use(30, 0);
  watch({.warning_percent = 30, .critical_percent = 95});
  EXPECT_EQ(next().kind, GpuChange::Kind::appeared);
  EXPECT_EQ(next().level, GpuLevel::warning);
  use(94, 0);
  use(95, 0);
  EXPECT_EQ(next().level, GpuLevel::critical);
}

TEST_F(RequirementC2, AnAlertEndsWithItsDevice) {
  use(95, 0);
  watch();
  EXPECT_EQ(next().kind, GpuChange::Kind::appeared);
  EXPECT_EQ(next().level, GpuLevel::critical);
  gpus.set({});
  EXPECT_EQ(next().kind, GpuChange::Kind::alert_cleared);
  const GpuChange vanished = next();
  EXPECT_EQ(vanished.kind, GpuChange::Kind::vanished);
  EXPECT_EQ(vanished.presence, GpuPresence::driver) << "the loader does not tell an empty driver "
                                                       "from none";
}

TEST_F(RequirementC2, AlertsAreInTheLogWithTheSampleInFrontOfThem) {
  use(95, 0);
  watch();
  (void)next();
  (void)next();
  std::vector<std::string> types;
  std::uint64_t own = 0;
  ASSERT_TRUE(engine->log().read(Position(1), [&](const RecordedEvent& recorded) {
    if (const auto* sample = std::get_if<GpuSampled>(&recorded.event.body)) own = sample->own[0];
    types.emplace_back(type_name(recorded.event.body));
    return true;
  }));
  EXPECT_EQ(types, (std::vector<std::string>{"EngineStarted", "GpuDeviceAppeared", "GpuSampled",
                                             "GpuAlertRaised"}));
  EXPECT_EQ(own, 95 * gibibyte);
}

TEST_F(RequirementC2, OptionsThatMakeNoSenseAreRefused) {
  auto opened = Engine::open(
      {.folder = log_folder(), .gpu_watch = GpuWatchOptions{.setting = {.critical_percent = 70}}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace almanac::test
