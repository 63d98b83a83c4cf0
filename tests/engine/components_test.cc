// Deciding about components: what is tried next and when, when to give up, and what is used
// meanwhile.
#include <almanac/engine/components.h>
#include <almanac/engine/limits.h>
#include <almanac/tests/support/desk.h>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using enum ComponentIssue;

ComponentImplementation implementation(std::string name, StrategySet allowed) {
  return {.name = std::move(name),
          .artifact = "build/parser.so",
          .sources = {"parser.cc"},
          .build = {"make"},
          .clean = {"make", "clean"},
          .install_dependencies = {"make", "deps"},
          .install_toolchain = {"make", "tools"},
          .allowed = allowed};
}

ComponentSpec parser() {
  ComponentSpec spec{.name = "parser", .folder = "/parts/parser"};
  spec.implementations = {
      implementation("native", {RepairStrategy::build, RepairStrategy::clean_build,
                                RepairStrategy::install_dependencies, RepairStrategy::restore}),
      implementation("script", {RepairStrategy::build})};
  spec.implementations.push_back({.name = "plain", .kind = ComponentKind::builtin});
  return spec;
}

Command start_engine(std::vector<ComponentSpec> components) {
  StartEngine start{.version = "test", .process_id = 1, .slots = 4, .seed = 7};
  start.components = std::move(components);
  return start;
}

class Keeper {
 public:
  explicit Keeper(ComponentSpec spec = parser()) : spec_(std::move(spec)) { restart(); }

  void restart() { RC_ASSERT(desk.ask(start_engine({spec_})).has_value()); }
  void diagnose(const std::string& which, ComponentIssue issue, Duration took = 2ms) {
    RC_ASSERT(desk.ask(ReportDiagnosis{.component = "parser",
                                       .implementation = which,
                                       .issue = issue,
                                       .evidence = "it was seen",
                                       .took = took})
                  .has_value());
  }
  Result<Answer> finish(RepairOutcome outcome, ComponentIssue left) {
    const Repair& repair = running();
    return desk.ask(
        FinishRepair{.component = "parser",
                     .implementation = std::string(state().names.text(repair.implementation)),
                     .repair = *state().components.running(),
                     .outcome = outcome,
                     .left = left,
                     .took = 3s});
  }
  // The strategy that begins now, if one does.
  std::optional<RepairStrategy> begin() {
    for (const Event& event : desk.keep_components()) {
      if (const auto* started = std::get_if<RepairStarted>(&event.body)) return started->strategy;
    }
    return std::nullopt;
  }
  [[nodiscard]] const State& state() const { return desk.state(); }
  [[nodiscard]] const Repair& running() const {
    return *state().components.repairs.find(*state().components.running());
  }
  [[nodiscard]] const ImplementationHealth& health(std::string_view which) const {
    const Components& components = state().components;
    const auto place = components.find(*state().names.find("parser"), *state().names.find(which));
    return *components.implementations.find(*place);
  }
  [[nodiscard]] const Component& component() const {
    return *state().components.all.find(*state().names.find("parser"));
  }
  [[nodiscard]] std::string active() const {
    const auto& name = component().active;
    return name ? std::string(state().names.text(*name)) : "";
  }

  Desk desk;

 private:
  ComponentSpec spec_;
};

std::string components_said(const Desk& desk) {
  std::string types;
  for (const Event& event : desk.last()) {
    types += (types.empty() ? "" : " ") + std::string(type_name(event.body));
  }
  return types;
}

TEST(Diagnosis, BeginsARepairAtOnceAndAFallback) {
  Keeper keeper;
  keeper.diagnose("native", none);
  keeper.diagnose("plain", none);
  EXPECT_FALSE(keeper.begin());
  EXPECT_EQ(keeper.active(), "native");
  keeper.diagnose("native", corrupt_binary);
  EXPECT_EQ(keeper.begin(), RepairStrategy::restore);
  EXPECT_EQ(components_said(keeper.desk), "RepairStarted ComponentSwitched");
  EXPECT_EQ(keeper.active(), "plain") << "at once, and not when it is repaired";
  EXPECT_EQ(keeper.running().deadline, keeper.desk.now + 10min);
  ASSERT_TRUE(keeper.finish(RepairOutcome::done, none));
  EXPECT_FALSE(keeper.begin());
  EXPECT_EQ(keeper.active(), "native") << "the better one again";
}

TEST(Failure, InUseFallsBackAtOnceAndIsLookedInto) {
  Keeper keeper;
  keeper.diagnose("native", none);
  keeper.diagnose("plain", none);
  keeper.begin();
  ASSERT_TRUE(keeper.desk.ask(ReportComponentFailure{"parser", "native", "it died"}));
  keeper.begin();
  EXPECT_EQ(keeper.active(), "plain");
  EXPECT_EQ(keeper.health("native").score_permille(), 500);
  ASSERT_TRUE(keeper.desk.ask(ReportComponentFailure{"parser", "other", "it died"}));
  EXPECT_EQ(components_said(keeper.desk), "") << "of what is not known nothing is said";
}

TEST(Repairs, B3AreTriedThreeTimesWithGrowingPausesAndThenGivenUp) {
  const ComponentSetting setting;
  EXPECT_EQ(setting.attempts_max, 3);
  EXPECT_EQ(setting.build_timeout, 600s);
  EXPECT_EQ(setting.check_interval, 300s);
  Keeper keeper;
  keeper.diagnose("native", build_failed);
  std::vector<RepairStrategy> tried;
  std::vector<Duration> waits;
  while (const auto strategy = keeper.begin()) {
    tried.push_back(*strategy);
    EXPECT_EQ(keeper.running().deadline, keeper.desk.now + 600s);
    ASSERT_TRUE(keeper.finish(RepairOutcome::failed, build_failed));
    const Time next = keeper.health("native").repair_at;
    if (next == Time()) break;
    waits.push_back(next - keeper.desk.now);
    keeper.desk.now = next - 1us;
    EXPECT_FALSE(keeper.begin()) << "not before";
    keeper.desk.now = next;
  }
  EXPECT_EQ(tried, (std::vector{RepairStrategy::clean_build, RepairStrategy::install_dependencies,
                                RepairStrategy::clean_build}));
  EXPECT_EQ(waits, (std::vector<Duration>{10s, 20s}));
  EXPECT_EQ(keeper.health("native").state, ImplementationState::given_up);
  keeper.restart();
  keeper.diagnose("native", build_failed);
  EXPECT_FALSE(keeper.begin()) << "also the next engine has given it up";
  ASSERT_TRUE(keeper.desk.ask(RequestRepair{"parser", "native"}));
  EXPECT_TRUE(keeper.begin()) << "until somebody asks";
}

TEST(Repairs, ThatMakeProgressGoOnAtOnce) {
  Keeper keeper;
  keeper.diagnose("native", missing_dependencies);
  EXPECT_EQ(keeper.begin(), RepairStrategy::install_dependencies);
  ASSERT_TRUE(keeper.finish(RepairOutcome::done, not_built));
  EXPECT_EQ(keeper.begin(), RepairStrategy::restore);
}

TEST(Repairs, ThatHaveNothingToDoItWithAreNoAttempts) {
  Keeper keeper;
  keeper.diagnose("native", corrupt_binary);
  EXPECT_EQ(keeper.begin(), RepairStrategy::restore);
  ASSERT_TRUE(keeper.finish(RepairOutcome::impossible, corrupt_binary));
  EXPECT_EQ(keeper.begin(), RepairStrategy::clean_build) << "at once";
  EXPECT_EQ(keeper.health("native").attempts, 1U);
  EXPECT_TRUE(keeper.state().components.strategies.empty()) << "it says nothing of the strategy";
  ComponentSpec spec{.name = "parser", .folder = "/parts"};
  spec.implementations = {implementation("native", {RepairStrategy::restore})};
  Keeper other(spec);
  other.diagnose("native", not_built);
  EXPECT_EQ(other.begin(), RepairStrategy::restore);
  ASSERT_TRUE(other.finish(RepairOutcome::impossible, not_built));
  EXPECT_FALSE(other.begin()) << "there is nothing else";
  EXPECT_EQ(other.health("native").state, ImplementationState::given_up);
}

TEST(Repairs, OfIssuesThatTakeTurnsAreGivenUp) {
  Keeper keeper;
  keeper.diagnose("native", missing_dependencies);
  int repairs = 0;
  for (; keeper.begin(); ++repairs) {
    ASSERT_LT(repairs, 100);
    const bool was_missing = keeper.running().issue == missing_dependencies;
    ASSERT_TRUE(keeper.finish(RepairOutcome::done, was_missing ? not_built : missing_dependencies));
  }
  EXPECT_EQ(repairs, 12);
}

TEST(Repairs, OfADeadEngineCountAndThoseOfAStopDoNot) {
  Keeper keeper;
  keeper.diagnose("native", build_failed);
  keeper.begin();
  keeper.restart();
  EXPECT_EQ(keeper.health("native").attempts, 1U);
  EXPECT_FALSE(keeper.state().components.running());
  keeper.diagnose("native", build_failed);
  ASSERT_EQ(keeper.begin(), RepairStrategy::install_dependencies) << "the other did not help";
  ASSERT_TRUE(keeper.finish(RepairOutcome::interrupted, build_failed));
  EXPECT_EQ(keeper.health("native").attempts, 1U);
  for (int deaths = 0; deaths < 5; ++deaths) {
    keeper.diagnose("native", build_failed);
    keeper.begin();
    keeper.restart();
  }
  keeper.diagnose("native", build_failed);
  EXPECT_FALSE(keeper.begin()) << "a build that kills the engine is not tried for ever";
}

TEST(Repairs, AreRefusedWhereTheFileDoesNotAllowThem) {
  Keeper keeper;
  const auto code = [&](RequestRepair request) {
    return error_of(keeper.desk.ask(std::move(request))).code;
  };
  keeper.diagnose("script", missing_toolchain);
  EXPECT_FALSE(keeper.begin()) << "nothing that helps is allowed";
  EXPECT_EQ(code({"parser", "script"}), ErrorCode::refused);
  EXPECT_EQ(code({"parser", "script", RepairStrategy::install_toolchain}), ErrorCode::refused);
  EXPECT_EQ(code({"parser", "native"}), ErrorCode::conflict) << "nothing is wrong with it";
  EXPECT_EQ(code({"parser", "none"}), ErrorCode::not_found);
  ASSERT_TRUE(keeper.desk.ask(RequestRepair{"parser", "native", RepairStrategy::clean_build}));
  EXPECT_EQ(keeper.begin(), RepairStrategy::clean_build) << "what is asked for";
  EXPECT_EQ(code({"parser", "native"}), ErrorCode::conflict) << "it is repaired";
}

TEST(Switches, AreForcedToWhatCanBeUsedAlone) {
  Keeper keeper;
  keeper.diagnose("native", none);
  keeper.begin();
  EXPECT_EQ(error_of(keeper.desk.ask(SwitchComponent{"parser", "plain"})).code,
            ErrorCode::conflict);
  EXPECT_EQ(error_of(keeper.desk.ask(SwitchComponent{"other", "plain"})).code,
            ErrorCode::not_found);
  keeper.diagnose("plain", none);
  ASSERT_TRUE(keeper.desk.ask(SwitchComponent{"parser", "plain"}));
  keeper.begin();
  EXPECT_EQ(keeper.active(), "plain");
  ASSERT_TRUE(keeper.desk.ask(SwitchComponent{"parser", "plain"}));
  EXPECT_EQ(components_said(keeper.desk), "") << "it is so";
  ASSERT_TRUE(keeper.desk.ask(SwitchComponent{"parser", ""}));
  EXPECT_EQ(keeper.active(), "native");
}

TEST(Checks, B8ComeEarlierWhereAProbeGetsSlowOrFailuresGrow) {
  Keeper keeper;
  const auto wait = [&] { return keeper.health("native").next_check - keeper.desk.now; };
  keeper.diagnose("native", none, 20ms);
  EXPECT_EQ(wait(), 5min);
  keeper.diagnose("native", none, 39ms);
  EXPECT_EQ(wait(), 5min);
  keeper.diagnose("native", none, 80ms);
  EXPECT_EQ(keeper.health("native").trend, HealthTrend::slower);
  EXPECT_EQ(wait(), 75s);
  for (const Duration pause : std::vector<Duration>{1h, 10min, 1min}) {
    ASSERT_TRUE(keeper.desk.ask(ReportComponentFailure{"parser", "native", "no"}));
    keeper.desk.now += pause;
    keeper.diagnose("native", none);
  }
  EXPECT_EQ(keeper.health("native").trend, HealthTrend::failing_more);
  keeper.desk.now += 1h;
  keeper.diagnose("native", none);
  EXPECT_EQ(keeper.health("native").trend, HealthTrend::steady) << "it is quiet again";
}

TEST(ComponentSpecs, AreRefusedWithWhatIsWrong) {
  const auto code = [](const std::function<void(ComponentSpec&)>& change) {
    ComponentSpec spec = parser();
    change(spec);
    auto checked = check({spec});
    return checked ? "ok" : std::string(name(checked.error().code));
  };
  EXPECT_EQ(code([](ComponentSpec&) {}), "ok");
  const std::vector<std::function<void(ComponentSpec&)>> wrong = {
      [](ComponentSpec& spec) { spec.name = ""; },
      [](ComponentSpec& spec) { spec.folder = ""; },
      [](ComponentSpec& spec) { spec.implementations.clear(); },
      [](ComponentSpec& spec) { spec.implementations[1].name = "native"; },
      [](ComponentSpec& spec) { spec.implementations[0].artifact = "/usr/lib/libc.so"; },
      [](ComponentSpec& spec) { spec.implementations[0].artifact = "build/../../libc.so"; },
      [](ComponentSpec& spec) { spec.implementations[0].sources = {"../secrets"}; },
      [](ComponentSpec& spec) { spec.implementations[0].build.clear(); },
      [](ComponentSpec& spec) { spec.implementations[0].clean.clear(); },
      [](ComponentSpec& spec) { spec.implementations[0].install_dependencies.clear(); },
      [](ComponentSpec& spec) { spec.implementations[0].sources.clear(); },
      [](ComponentSpec& spec) { spec.implementations[2].allowed = {RepairStrategy::build}; },
      [](ComponentSpec& spec) { spec.setting.build_timeout = Duration(0); }};
  for (std::size_t i = 0; i < wrong.size(); ++i) EXPECT_EQ(code(wrong[i]), "invalid") << i;
  EXPECT_FALSE(check({parser(), parser()})) << "twice";
}

ComponentIssue any_issue() {
  return static_cast<ComponentIssue>(*rc::gen::inRange(0, component_issue_count));
}

// What happens by chance to a component, against what must never be.
RC_GTEST_PROP(ComponentProperty, NothingIsTriedThatIsNotAllowedOrTooOftenOrBesideAnother, ()) {
  Keeper keeper;
  const StrategySet allowed = parser().implementations[0].allowed;
  for (int moves = *rc::gen::inRange(1, 80); moves > 0; --moves) {
    const bool runs = keeper.state().components.running().has_value();
    switch (*rc::gen::inRange(0, 5)) {
      case 0: keeper.desk.now += std::chrono::seconds(*rc::gen::inRange(0, 400)); break;
      case 1:
        keeper.diagnose(*rc::gen::element<std::string>("native", "plain"), any_issue());
        break;
      case 2:
        if (runs) {
          const auto outcome =
              static_cast<RepairOutcome>(*rc::gen::inRange(0, repair_outcome_count));
          RC_ASSERT(keeper.finish(outcome, any_issue()).has_value());
        }
        break;
      case 3:
        RC_ASSERT(keeper.desk.ask(ReportComponentFailure{"parser", "native", "no"}).has_value());
        break;
      default: keeper.restart();
    }
    const bool was_free = !keeper.state().components.running();
    if (const auto strategy = keeper.begin()) {
      RC_ASSERT(was_free);
      RC_ASSERT(allowed.contains(*strategy));
      RC_ASSERT(keeper.health("native").attempts <= 3);
      RC_ASSERT(keeper.health("native").attempts_total <= 12);
    }
    const auto best = keeper.state().components.best(*keeper.state().names.find("parser"));
    RC_ASSERT(keeper.component().active == best);
    RC_ASSERT(keeper.state().components.unsettled.empty());
  }
}

}  // namespace
}  // namespace almanac::test
