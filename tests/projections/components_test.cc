// Components as the fold keeps them: their table, what was tried and what has helped.
#include <almanac/projections/components.h>
#include <almanac/projections/invariants.h>
#include <almanac/projections/limits.h>
#include <almanac/tests/support/file_bytes.h>
#include <almanac/tests/support/full_story.h>
#include <almanac/tests/support/story.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

namespace almanac::test {
namespace {

using namespace std::chrono_literals;
using enum ImplementationState;

constexpr auto repairable = ImplementationTraits(ComponentKind::plugin)
                                .with(RepairStrategy::build)
                                .with(RepairStrategy::clean_build);

bool describe(Story& story, ImplementationTraits traits = repairable,
              std::uint16_t attempts_max = 3) {
  const std::array<DescribedImplementation, 2> implementations = {
      DescribedImplementation{"native", traits},
      DescribedImplementation{"plain", ImplementationTraits(ComponentKind::builtin)}};
  return story.tell(
      ComponentDescribed{.component = "parser",
                         .folder = "/parts/parser",
                         .implementations = DescribedImplementationsView(implementations),
                         .attempts_max = attempts_max,
                         .backoff = 10s,
                         .backoff_max = 5min,
                         .build_timeout = 10min,
                         .check_interval = 5min});
}

bool diagnose(Story& story, ComponentIssue issue, std::string_view which = "native") {
  return story.tell(ComponentDiagnosed{.component = "parser",
                                       .implementation = which,
                                       .issue = issue,
                                       .took = 2ms,
                                       .next = story.now() + 5min});
}

bool start_repair(Story& story, RepairStrategy strategy = RepairStrategy::build) {
  return story.tell(RepairStarted{.component = "parser",
                                  .implementation = "native",
                                  .issue = ComponentIssue::not_built,
                                  .strategy = strategy,
                                  .attempt = 1,
                                  .deadline = story.now() + 10min});
}

bool end_repair(Story& story, ComponentIssue left, Time next = {},
                RepairOutcome outcome = RepairOutcome::done) {
  const auto running = story.state().components.running();
  return story.tell(RepairEnded{.component = "parser",
                                .implementation = "native",
                                .repair = running.value_or(Position()),
                                .outcome = outcome,
                                .left = left,
                                .took = 3s,
                                .next = next});
}

const ImplementationHealth& native(const Story& story) {
  return (*story.state().components.implementations.begin()).value;
}

const Component& parser(const Story& story) {
  return (*story.state().components.all.begin()).value;
}

std::string active(const Story& story) {
  const auto name = parser(story).active;
  return name ? std::string(story.state().names.text(*name)) : "";
}

Story implementation_in(ImplementationState state) {
  Story story;
  describe(story);
  if (state == unknown) return story;
  diagnose(story, state == healthy ? ComponentIssue::none : ComponentIssue::not_built);
  if (state == repairing || state == given_up) start_repair(story);
  if (state == given_up) end_repair(story, ComponentIssue::not_built);
  return story;
}

bool take(Story& story, ImplementationStep step) {
  switch (step) {
    case ImplementationStep::found_healthy: return diagnose(story, ComponentIssue::none);
    case ImplementationStep::found_broken: return diagnose(story, ComponentIssue::corrupt_binary);
    case ImplementationStep::failed_in_use:
      return story.tell(ComponentFailed{"parser", "native", "it died"});
    case ImplementationStep::repair_started:
      if (native(story).repair_at == Time()) {
        story.tell(RepairRequested{"parser", "native", RepairStrategy::build});
      }
      return start_repair(story);
    case ImplementationStep::healed: return end_repair(story, ComponentIssue::none);
    case ImplementationStep::not_healed:
      return end_repair(story, ComponentIssue::not_built, story.now() + 10s);
    case ImplementationStep::gave_up: return end_repair(story, ComponentIssue::not_built);
  }
  return false;
}

TEST(Components, MoveAlongTheirTableAndNoOtherWay) {
  std::size_t edges = 0;
  for (std::size_t from = 0; from < implementation_state_count; ++from) {
    for (int number = 0; number <= static_cast<int>(ImplementationStep::gave_up); ++number) {
      const auto state = static_cast<ImplementationState>(from);
      const auto step = static_cast<ImplementationStep>(number);
      Story story = implementation_in(state);
      ASSERT_EQ(native(story).state, state);
      const auto to = next_state(state, step);
      EXPECT_EQ(take(story, step), to.has_value()) << name(state) << " " << name(step);
      EXPECT_EQ(native(story).state, to.value_or(state)) << name(state) << " " << name(step);
      EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
      edges += to ? 1 : 0;
    }
  }
  EXPECT_EQ(edges, implementation_edges.size());
}

TEST(Components, AreUsedByTheFirstThatIsHealthy) {
  Story story;
  describe(story);
  const NameId id = (*story.state().components.all.begin()).key;
  EXPECT_FALSE(story.state().components.best(id));
  diagnose(story, ComponentIssue::none, "plain");
  EXPECT_TRUE(story.state().components.unsettled.contains(id));
  ASSERT_TRUE(story.tell(ComponentSwitched{.component = "parser", .to = "plain"}));
  EXPECT_FALSE(story.state().components.unsettled.contains(id));
  EXPECT_FALSE(
      story.tell(ComponentSwitched{.component = "parser", .from = "plain", .to = "native"}))
      << "what is not healthy is not used";
  diagnose(story, ComponentIssue::none, "native");
  EXPECT_FALSE(
      story.tell(ComponentSwitched{.component = "parser", .from = "native", .to = "plain"}))
      << "it was not used";
  ASSERT_TRUE(story.tell(ComponentSwitched{
      .component = "parser", .from = "plain", .to = "plain", .cause = SwitchCause::forced}));
  EXPECT_EQ(active(story), "plain");
  EXPECT_FALSE(story.state().components.unsettled.contains(id)) << "pinned";
  diagnose(story, ComponentIssue::unexplained, "plain");
  EXPECT_EQ(story.state().names.text(*story.state().components.best(id)), "native");
  EXPECT_EQ(parser(story).switches, 1U);
}

TEST(Components, OfAnEngineThatIsGoneAreNotKept) {
  Story story = implementation_in(healthy);
  story.tell(ComponentSwitched{.component = "parser", .to = "native"});
  story.tell(ComponentFailed{"parser", "native", "it died"});
  story.tell(EngineStarted{.version = "1", .process_id = 1, .slots = 1, .seed = 1});
  EXPECT_FALSE(parser(story).kept);
  EXPECT_EQ(active(story), "");
  EXPECT_FALSE(diagnose(story, ComponentIssue::none));
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
  describe(story);
  EXPECT_EQ(native(story).state, unknown);
  EXPECT_EQ(native(story).failures, 1U) << "what is known stays";
}

TEST(Components, ThatWereGivenUpStaySoUntilSomethingIsNew) {
  Story story = implementation_in(given_up);
  ASSERT_TRUE(diagnose(story, ComponentIssue::not_built));
  EXPECT_EQ(native(story).state, given_up);
  describe(story);
  EXPECT_EQ(native(story).state, given_up) << "also by the next engine";
  Story other = story;
  ASSERT_TRUE(diagnose(other, ComponentIssue::build_failed));
  EXPECT_EQ(native(other).state, broken);
  EXPECT_EQ(native(other).attempts, 0U);
  Story looked_at = implementation_in(repairing);
  ASSERT_TRUE(end_repair(looked_at, ComponentIssue::build_failed, Time(), RepairOutcome::failed));
  ASSERT_EQ(native(looked_at).state, given_up);
  ASSERT_TRUE(diagnose(looked_at, ComponentIssue::not_built));
  EXPECT_EQ(native(looked_at).state, given_up) << "what cannot be built is not built";
  EXPECT_EQ(native(looked_at).issue, ComponentIssue::build_failed);
  ASSERT_TRUE(diagnose(looked_at, ComponentIssue::permission_error));
  EXPECT_EQ(native(looked_at).state, broken);
  Story changed = story;
  describe(changed, repairable.with(RepairStrategy::restore));
  EXPECT_EQ(native(changed).state, unknown);
  Story asked = story;
  ASSERT_TRUE(asked.tell(RepairRequested{"parser", "native", {}}));
  EXPECT_EQ(native(asked).attempts, 0U);
  EXPECT_EQ(asked.state().components.due.size(), 1U);
  EXPECT_FALSE(asked.tell(RepairRequested{"parser", "native", RepairStrategy::install_toolchain}))
      << "not allowed";
}

TEST(Components, AreRepairedOneAtATimeAndByWhatIsAllowed) {
  Story story = implementation_in(broken);
  EXPECT_FALSE(start_repair(story, RepairStrategy::restore));
  ASSERT_TRUE(start_repair(story));
  EXPECT_FALSE(start_repair(story));
  const auto running = story.state().components.running();
  ASSERT_TRUE(running);
  EXPECT_FALSE(story.tell(
      RepairEnded{.component = "parser", .implementation = "native", .repair = running->next()}));
  EXPECT_FALSE(diagnose(story, ComponentIssue::none)) << "it is in the works";
  ASSERT_TRUE(end_repair(story, ComponentIssue::not_built, story.now() + 10s));
  EXPECT_FALSE(start_repair(story)) << "not due";
}

TEST(Components, ThatHaveNoAttemptsAreRepairedWhenThatIsAskedFor) {
  Story story;
  describe(story, repairable, 0);
  diagnose(story, ComponentIssue::not_built);
  EXPECT_EQ(native(story).state, broken);
  EXPECT_EQ(native(story).repair_at, Time());
  EXPECT_TRUE(story.state().components.due.empty());
  EXPECT_FALSE(start_repair(story));
  ASSERT_TRUE(story.tell(RepairRequested{"parser", "native", {}}));
  EXPECT_TRUE(start_repair(story));
}

TEST(Strategies, B2ThatAreTriedFirstAreThoseOfTheIssue) {
  using enum ComponentIssue;
  const std::map<ComponentIssue, RepairStrategy> first = {
      {not_built, RepairStrategy::build},
      {build_failed, RepairStrategy::clean_build},
      {missing_dependencies, RepairStrategy::install_dependencies},
      {incompatible_version, RepairStrategy::rebuild},
      {corrupt_binary, RepairStrategy::clean_build},
      {missing_toolchain, RepairStrategy::install_toolchain},
      {permission_error, RepairStrategy::fix_permissions},
      {out_of_memory, RepairStrategy::free_memory}};
  for (const auto& [issue, strategy] : first) {
    const auto all = strategies_for(issue);
    // But for builds that are kept, which cost nothing.
    const auto found = std::ranges::find_if(
        all, [](RepairStrategy one) { return one != RepairStrategy::restore; });
    ASSERT_NE(found, all.end()) << name(issue);
    EXPECT_EQ(name(*found), name(strategy)) << name(issue);
  }
}

TEST(Strategies, B6ThatHelpMoreAreTriedFirstAndThoseThatDidNotHelpLast) {
  Story story = implementation_in(broken);
  const auto next = [&] { return next_strategy(story.state().components, native(story)); };
  EXPECT_EQ(next(), RepairStrategy::build) << "the first of the table that is allowed";
  start_repair(story);
  end_repair(story, ComponentIssue::not_built, story.now(), RepairOutcome::failed);
  EXPECT_EQ(next(), RepairStrategy::clean_build);
  start_repair(story, RepairStrategy::clean_build);
  end_repair(story, ComponentIssue::none);
  EXPECT_EQ(
      record_of(story.state().components, {ComponentIssue::not_built, RepairStrategy::clean_build}),
      (StrategyRecord{1, 0}));
  diagnose(story, ComponentIssue::not_built);
  EXPECT_EQ(next(), RepairStrategy::clean_build) << "learned";
  start_repair(story, RepairStrategy::clean_build);
  end_repair(story, ComponentIssue::not_built, story.now());
  EXPECT_EQ(next(), RepairStrategy::build) << "not the same twice while there is another";
}

TEST(Strategies, ThatWereInterruptedSayNothing) {
  Story story = implementation_in(broken);
  start_repair(story);
  end_repair(story, ComponentIssue::not_built, story.now(), RepairOutcome::interrupted);
  EXPECT_TRUE(story.state().components.strategies.empty());
  EXPECT_EQ(native(story).attempts, 0U);
  EXPECT_EQ(next_strategy(story.state().components, native(story)), RepairStrategy::build);
}

TEST(Strategies, ACommandThatFailsHasNotHelpedWhateverIsLeft) {
  Story story = implementation_in(broken);
  start_repair(story);
  end_repair(story, ComponentIssue::build_failed, story.now(), RepairOutcome::failed);
  EXPECT_EQ(record_of(story.state().components, {ComponentIssue::not_built, RepairStrategy::build}),
            (StrategyRecord{0, 1}));
}

TEST(Repairs, AreRememberedUpToALimit) {
  Story story = implementation_in(healthy);
  for (std::size_t i = 0; i < limits::repairs_kept_max + 5; ++i) {
    story.tell(RepairRequested{"parser", "native", RepairStrategy::build});
    ASSERT_TRUE(start_repair(story));
    ASSERT_TRUE(end_repair(story, ComponentIssue::none));
  }
  EXPECT_EQ(story.state().components.repairs.size(), limits::repairs_kept_max);
  EXPECT_EQ((--story.state().components.repairs.end())->value.ended, story.state().position);
}

TEST(Components, AreInTheDigest) {
  Story story;
  tell_components(story);
  EXPECT_EQ(broken_invariants(story.state()), std::vector<std::string>());
  EXPECT_EQ(story.state().ignored, 0U);
  State changed = story.state();
  const auto place = ComponentPlace((*changed.components.implementations.begin()).key);
  ++changed.components.implementations.edit(place)->failures;
  EXPECT_NE(digest(changed), digest(story.state()));
  EXPECT_EQ(broken_invariants(changed), std::vector<std::string>());
  changed.components.implementations.edit(place)->repair_at = story.now();
  EXPECT_NE(broken_invariants(changed), std::vector<std::string>()) << "it is due and not entered";
}

TEST(Components, AreDrawnInTheGuideAsTheirTableIs) {
  EXPECT_NE(read_file(source_path("docs/guides/self-healing.md"))
                .find("```mermaid\n" + implementation_picture() + "```"),
            std::string::npos);
}

}  // namespace
}  // namespace almanac::test
