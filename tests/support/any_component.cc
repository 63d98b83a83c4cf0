#include <almanac/tests/support/any_value.h>

#include <optional>

namespace almanac::test {
namespace {

// Of strategies and a kind that there are.
ImplementationTraits any_traits() {
  ImplementationTraits traits(any_of<ComponentKind>(component_kind_count));
  for (int number = 0; number < repair_strategy_count; ++number) {
    if (*rc::gen::arbitrary<bool>()) traits = traits.with(static_cast<RepairStrategy>(number));
  }
  return traits;
}

}  // namespace

EventBody any_component_body(EventArena& arena, std::size_t which) {
  const auto duration = [] { return Duration(any_number<std::int64_t>()); };
  const auto issue = [] { return any_of<ComponentIssue>(component_issue_count); };
  const auto strategy = [] { return any_of<RepairStrategy>(repair_strategy_count); };
  switch (which) {
    case 0: {
      auto& list = arena.described.emplace_back();
      for (int left = *rc::gen::inRange(0, 3); left > 0; --left) {
        list.push_back({any_name(arena), any_traits()});
      }
      return ComponentDescribed{any_name(arena),
                                any_text(arena, 30),
                                DescribedImplementationsView(list),
                                any_number<std::uint16_t>(),
                                duration(),
                                duration(),
                                duration(),
                                duration()};
    }
    case 1:
      return ComponentDiagnosed{any_name(arena),
                                any_name(arena),
                                issue(),
                                any_text(arena, 30),
                                any_text(arena, 10),
                                duration(),
                                any_of<HealthTrend>(health_trend_count),
                                any_time()};
    case 2: return ComponentFailed{any_name(arena), any_name(arena), any_text(arena, 30)};
    case 3:
      return RepairRequested{
          any_name(arena), any_name(arena),
          *rc::gen::arbitrary<bool>() ? std::optional(strategy()) : std::nullopt};
    case 4:
      return ComponentSwitched{any_name(arena), any_name(arena), any_name(arena),
                               any_of<SwitchCause>(switch_cause_count)};
    case 5:
      return RepairStarted{
          any_name(arena), any_name(arena), issue(), strategy(), any_number<std::uint16_t>(),
          any_time()};
    default:
      return RepairEnded{any_name(arena),
                         any_name(arena),
                         Position(any_number<std::uint64_t>()),
                         any_of<RepairOutcome>(repair_outcome_count),
                         issue(),
                         duration(),
                         any_text(arena, 30),
                         any_time()};
  }
}

}  // namespace almanac::test
