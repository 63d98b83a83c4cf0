// How well things go as far as a state tells, and when an engine puts it on record.
#include <almanac/engine/arena.h>
#include <almanac/engine/health_watch.h>
#include <almanac/engine/limits.h>
#include <almanac/engine/state_health.h>
#include <almanac/log/time_text.h>
#include <almanac/projections/invariants.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using Sentences = std::vector<std::string>;

// "degraded: SENTENCE", the worst first.
Sentences reasons_of(const Story& story) {
  Sentences sentences;
  for (const HealthReason& reason : health_reasons(story.state(), story.now())) {
    sentences.push_back(std::string(name(reason.health)) + ": " + reason.sentence);
  }
  return sentences;
}

class StateHealth : public testing::Test {
 protected:
  // A component of two implementations, of which the first can be built.
  void describe() {
    static constexpr std::array<DescribedImplementation, 2> implementations = {
        DescribedImplementation{
            "native", ImplementationTraits(ComponentKind::program).with(RepairStrategy::build)},
        DescribedImplementation{"plain", ImplementationTraits(ComponentKind::builtin)}};
    tell(ComponentDescribed{.component = "tool",
                            .folder = "/parts",
                            .implementations = DescribedImplementationsView(implementations),
                            .attempts_max = 2,
                            .backoff = 1s,
                            .backoff_max = 1s,
                            .build_timeout = 1min,
                            .check_interval = 1min});
  }
  void diagnose(std::string_view implementation, ComponentIssue issue) {
    tell(ComponentDiagnosed{.component = "tool", .implementation = implementation, .issue = issue});
  }
  void use(std::string_view from, std::string_view to, SwitchCause cause = SwitchCause::preferred) {
    tell(ComponentSwitched{.component = "tool", .from = from, .to = to, .cause = cause});
  }
  void repair(ComponentIssue issue, Time next) {
    tell(RepairStarted{.component = "tool",
                       .implementation = "native",
                       .issue = issue,
                       .attempt = 1,
                       .deadline = story.now() + 1min});
    tell(RepairEnded{.component = "tool",
                     .implementation = "native",
                     .repair = story.state().position,
                     .outcome = RepairOutcome::failed,
                     .left = ComponentIssue::build_failed,
                     .next = next});
  }
  void tell(const EventBody& body) { ASSERT_TRUE(story.tell(body)); }
  [[nodiscard]] std::string last_told() const { return format_second(story.now() - 1s); }

  Story story;
};

TEST_F(StateHealth, KnowsCircuitsThatDoNotAdmitAll) {
  EXPECT_EQ(reasons_of(story), Sentences());
  tell(CircuitOpened{.service = "mail\n", .cause = CircuitCause::forced});
  EXPECT_EQ(reasons_of(story),
            Sentences{"degraded: the circuit of 'mail\\n' is kept open until it is reset"});
}

TEST_F(StateHealth, KnowsGpusThatAreFullOrDoNotWork) {
  static constexpr std::array sizes{std::uint64_t{1'000}};
  static constexpr std::array own{std::uint64_t{925}};
  tell(GpuDeviceAppeared{"card", "Card", GpuKind::discrete, sizes, 1});
  tell(GpuSampled{"card", own, sizes});
  tell(GpuAlertRaised{"card", 0, GpuLevel::warning, GpuLevel::normal});
  EXPECT_EQ(reasons_of(story), Sentences()) << "a warning is none yet";
  tell(GpuAlertRaised{"card", 0, GpuLevel::critical, GpuLevel::warning});
  EXPECT_EQ(reasons_of(story),
            Sentences{"degraded: of the memory of the GPU 'Card' 92.5% is used, critical since " +
                      last_told()});
  tell(GpuAlertCleared{"card", 0});
  EXPECT_EQ(reasons_of(story), Sentences());
  tell(GpuDeviceVanished{"card", GpuAbsence::lost, "the device is lost"});
  EXPECT_EQ(reasons_of(story), Sentences{"degraded: the GPU 'Card' is lost since " + last_told()});
  tell(EngineStarted{});
  EXPECT_EQ(reasons_of(story), Sentences()) << "nobody has looked since";
}

TEST_F(StateHealth, KnowsAdvisorsThatDoNotAdvise) {
  tell(AdvisorReturned{"ranker"});
  EXPECT_EQ(reasons_of(story), Sentences());
  tell(AdvisorFellBack{.advisor = "ranker", .attempts = 3});
  const std::string since = " does not advise since " + last_told();
  EXPECT_EQ(reasons_of(story), Sentences{"degraded: the advisor 'ranker'" + since});
  tell(AdvisorReturned{"ranker"});
  tell(AdvisorFellBack{.advisor = "ranker", .attempts = 3, .holds_back = true});
  const std::string later = " does not advise since " + last_told();
  EXPECT_EQ(reasons_of(story), Sentences{"unhealthy: the advisor 'ranker'" + later +
                                         ", and nothing begins without it"});
  tell(EngineStarted{});
  EXPECT_EQ(reasons_of(story), Sentences());
}

TEST_F(StateHealth, SaysNothingOfAComponentThatWasNotLookedAt) {
  describe();
  EXPECT_EQ(reasons_of(story), Sentences());
  diagnose("plain", ComponentIssue::none);
  use("", "plain");
  EXPECT_EQ(reasons_of(story), Sentences()) << "the first one may be well";
}

TEST_F(StateHealth, KnowsAComponentThatRunsOnAFallbackUnlessThatIsWanted) {
  describe();
  diagnose("plain", ComponentIssue::none);
  use("", "plain");
  diagnose("native", ComponentIssue::not_built);
  EXPECT_EQ(reasons_of(story),
            Sentences{"degraded: the component 'tool' runs on 'plain' in place of 'native'"});
  use("plain", "plain", SwitchCause::forced);
  EXPECT_EQ(reasons_of(story), Sentences());
}

TEST_F(StateHealth, KnowsThatNothingOfAComponentCanBeUsed) {
  describe();
  diagnose("plain", ComponentIssue::unexplained);
  EXPECT_EQ(reasons_of(story), Sentences());
  diagnose("native", ComponentIssue::not_built);
  EXPECT_EQ(reasons_of(story),
            Sentences{"unhealthy: the component 'tool' has no implementation that can be used"});
  tell(EngineStarted{});
  EXPECT_EQ(reasons_of(story), Sentences()) << "no engine keeps it";
}

TEST_F(StateHealth, KnowsRepairsThatFailAndThoseThatWereGivenUp) {
  describe();
  diagnose("plain", ComponentIssue::none);
  use("", "plain");
  diagnose("native", ComponentIssue::not_built);
  repair(ComponentIssue::not_built, story.now());
  const std::string fallback =
      "degraded: the component 'tool' runs on 'plain' in place of 'native'";
  EXPECT_EQ(reasons_of(story),
            (Sentences{"degraded: the component 'tool' has 'native' (build_failed) not repaired by "
                       "1 attempt",
                       fallback}));
  repair(ComponentIssue::build_failed, Time());
  EXPECT_EQ(
      reasons_of(story),
      (Sentences{"degraded: the component 'tool' has 'native' (build_failed) given up", fallback}));
}

class HealthOnRecord : public testing::Test {
 protected:
  void open() { story.tell(CircuitOpened{.service = "mail", .cause = CircuitCause::forced}); }
  void close() { story.tell(CircuitClosed{.service = "mail", .cause = CircuitCause::forced}); }
  // What is decided so long after the story; it is told.
  std::size_t decide(HealthWatch& watch, Duration later) {
    const auto events = watch.decide(story.state(), {story.now() + later, memory});
    for (const Event& event : events) {
      changed = std::get<HealthChanged>(event.body);
      story.tell(event.body);
    }
    return events.size();
  }

  Story story;
  Arena memory;
  HealthWatch watch{30s};
  HealthChanged changed;
};

TEST_F(HealthOnRecord, IsWhatHasLasted) {
  open();
  EXPECT_EQ(decide(watch, 0s), 0U);
  EXPECT_EQ(watch.due(story.state()), story.now() + 30s);
  EXPECT_EQ(decide(watch, 30s - 1us), 0U);
  EXPECT_EQ(decide(watch, 30s), 1U);
  EXPECT_EQ(changed.from, Health::healthy);
  EXPECT_EQ(changed.to, Health::degraded);
  EXPECT_EQ(changed.reasons, "the circuit of 'mail' is kept open until it is reset");
  EXPECT_EQ(story.state().health.health, Health::degraded);
  EXPECT_EQ(story.state().health.changed, story.state().position);
  EXPECT_EQ(story.state().health.changes, 1U);
  EXPECT_EQ(decide(watch, 10min), 0U) << "once";
  close();
  EXPECT_EQ(decide(watch, 10min), 0U);
  EXPECT_EQ(decide(watch, 10min + 30s), 1U);
  EXPECT_EQ(changed.to, Health::healthy);
  EXPECT_EQ(changed.reasons, "");
  EXPECT_EQ(story.state().ignored, 0U);
}

TEST_F(HealthOnRecord, IsNotWhatComesAndGoes) {
  for (int minutes = 0; minutes < 10; ++minutes) {
    open();
    EXPECT_EQ(decide(watch, std::chrono::minutes(minutes)), 0U);
    close();
    EXPECT_EQ(decide(watch, std::chrono::minutes(minutes) + 29s), 0U);
  }
  EXPECT_EQ(watch.due(story.state()), std::nullopt) << "nothing to wait for";
  EXPECT_EQ(story.state().health, HealthRecord());
}

TEST_F(HealthOnRecord, IsLookedAtOnceASecondAtMost) {
  open();
  EXPECT_EQ(decide(watch, 0s), 0U);
  const Time looked = story.now();
  close();
  EXPECT_EQ(watch.due(story.state()), looked + limits::health_interval);
}

TEST_F(HealthOnRecord, IsNothingWhereItIsNotAskedFor) {
  HealthWatch none{0s};
  open();
  EXPECT_EQ(decide(none, 10min), 0U);
  EXPECT_EQ(none.due(story.state()), std::nullopt);
}

TEST_F(HealthOnRecord, MovesFromWhatItWasAlone) {
  tell_health(story);
  const HealthRecord record = story.state().health;
  EXPECT_EQ(record.health, Health::degraded);
  EXPECT_EQ(record.changes, 2U);
  EXPECT_EQ(record.since, story.state().time);
  EXPECT_FALSE(story.tell(HealthChanged{Health::healthy, Health::unhealthy}));
  EXPECT_FALSE(story.tell(HealthChanged{Health::degraded, Health::degraded}));
  EXPECT_EQ(story.state().health, record);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
}

}  // namespace
}  // namespace almanac::test
