#include <almanac/projections/components.h>

#include <almanac/projections/limits.h>
#include <almanac/projections/tasks.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace almanac {
namespace {

using enum ImplementationState;
using Step = ImplementationStep;

constexpr std::array<std::string_view, implementation_state_count> implementation_state_names = {
    "unknown", "healthy", "broken", "repairing", "given_up"};
constexpr std::array<std::string_view, 7> repair_step_names = {
    "found_healthy", "found_broken", "failed_in_use", "repair_started",
    "healed",        "not_healed",   "gave_up"};

constexpr std::uint32_t bit(RepairStrategy strategy) {
  return 1U << static_cast<unsigned>(strategy);
}

// The implementations of one component.
template <class Visit>
void visit_implementations(const Components& components, NameId component, Visit visit) {
  const auto& all = components.implementations;
  for (auto entry = all.lower_bound({component, 0});
       entry != all.end() && entry->key.component == component; ++entry) {
    if (!visit(entry->key, entry->value)) return;
  }
}

// Brings what follows up to date with a component that has changed.
void settle(Components& components, NameId id) {
  const Component* component = components.all.find(id);
  const bool is_settled =
      component == nullptr || !component->kept || component->active == components.best(id);
  if (is_settled) {
    components.unsettled.erase(id);
  } else {
    components.unsettled.insert(id);
  }
}

bool is_kept(const Components& components, NameId id) {
  const Component* component = components.all.find(id);
  return component != nullptr && component->kept;
}

// Changes what is known of an implementation, and what follows.
template <class Change>
void change(Components& components, ComponentPlace place, Change change) {
  ImplementationHealth& health = *components.implementations.edit(place);
  if (health.repair_at != Time()) components.due.erase({health.repair_at, place});
  change(health);
  if (health.repair_at != Time() && is_kept(components, place.component)) {
    components.due.insert({health.repair_at, place});
  }
  settle(components, place.component);
}

std::optional<ComponentPlace> place_of(const Components& components, const Names& names,
                                       std::string_view component,
                                       std::string_view implementation) {
  const auto id = names.find(component);
  const auto name = names.find(implementation);
  return id && name ? components.find(*id, *name) : std::nullopt;
}

void forget_attempts(ImplementationHealth& health) {
  health.attempts = 0;
  health.attempts_total = 0;
  health.tried = 0;
}

void count_failure(ImplementationHealth& health, Time at) {
  ++health.failures;
  std::shift_right(health.failed_at.begin(), health.failed_at.end(), 1);
  health.failed_at.front() = at;
}

void find_healthy(ImplementationHealth& health, Duration took) {
  took = std::clamp(took, Duration(0), limits::probe_took_max);
  const bool is_first = health.took_average == Duration(0);
  health.took_average = is_first ? took : (health.took_average * 7 + took) / 8;
  health.issue = ComponentIssue::none;
  if (health.requested == 0) health.repair_at = Time();
  forget_attempts(health);
}

struct Finding {
  ComponentIssue issue = ComponentIssue::none;
  ImplementationState from = unknown;
  Time at;
  bool is_left_alone = false;  // until a repair is asked for
};

// What is tried against it begins anew where it is another issue than the one before.
void find_broken(const Components& components, ImplementationHealth& health, const Finding& found) {
  const bool is_new = found.from != broken || found.issue != health.issue;
  if (found.issue != health.issue) health.tried = 0;
  if (found.issue != health.issue && found.from == given_up) forget_attempts(health);
  health.issue = found.issue;
  if (found.from == unknown || found.from == healthy) count_failure(health, found.at);
  if (is_new && health.requested == 0) {
    const bool is_tried = !found.is_left_alone && next_strategy(components, health);
    health.repair_at = is_tried ? found.at : Time();
  }
}

// Of what was given up. What cannot be built is still not built when it is looked at again.
bool is_news(ComponentIssue before, ComponentIssue issue) {
  const bool is_of_build =
      before == ComponentIssue::build_failed || before == ComponentIssue::missing_dependencies ||
      before == ComponentIssue::missing_toolchain || before == ComponentIssue::out_of_memory;
  return issue != before && !(is_of_build && issue == ComponentIssue::not_built);
}

// One that has removed what it was for makes room for attempts at what is left.
void end_attempt(ImplementationHealth& health, const Repair& repair) {
  if (!repair.is_attempt() && health.attempts > 0) {
    --health.attempts;
    --health.attempts_total;
  }
  if (repair.left != repair.issue) health.tried = 0;
  if (repair.left == repair.issue && repair.outcome != RepairOutcome::interrupted) {
    health.tried |= bit(repair.strategy);
  }
  if (repair.helped()) health.attempts = 0;
  health.issue = repair.left;
}

void remember(Components& components, Position started, const Repair& repair) {
  components.repairs.set(started, repair);
  while (components.repairs.size() > limits::repairs_kept_max) {
    components.repairs.erase(Position((*components.repairs.begin()).key));
  }
}

void learn(Components& components, const Repair& repair) {
  if (repair.issue == ComponentIssue::none || !repair.is_attempt()) return;
  const StrategyKey key{repair.issue, repair.strategy};
  StrategyRecord record = record_of(components, key);
  ++(repair.helped() ? record.helped : record.failed);
  components.strategies.set(key, record);
}

ComponentSetting setting_in(const ComponentDescribed& event) {
  return {.attempts_max = event.attempts_max,
          .backoff = event.backoff,
          .backoff_max = event.backoff_max,
          .build_timeout = event.build_timeout,
          .check_interval = event.check_interval};
}

// One of a component that is described again: what is not known to be hopeless is looked at anew.
ImplementationHealth described(const DescribedImplementation& as, NameId name,
                               const ImplementationHealth* before) {
  ImplementationHealth health = before == nullptr ? ImplementationHealth{.name = name} : *before;
  if (health.traits != as.traits) forget_attempts(health);
  if (health.state != given_up || health.traits != as.traits) health.state = unknown;
  health.traits = as.traits;
  health.repair_at = Time();
  health.requested = 0;
  health.next_check = Time();
  return health;
}

}  // namespace

std::string_view name(ImplementationState state) {
  return implementation_state_names[static_cast<std::size_t>(state)];
}
std::string_view name(ImplementationStep step) {
  return repair_step_names[static_cast<std::size_t>(step)];
}

std::optional<ImplementationState> next_state(ImplementationState from, ImplementationStep step) {
  for (const ImplementationEdge& edge : implementation_edges) {
    if (edge.from == from && edge.step == step) return edge.to;
  }
  return std::nullopt;
}

std::string implementation_picture() {
  std::string picture = "stateDiagram-v2\n    [*] --> unknown\n";
  for (const ImplementationEdge& edge : implementation_edges) {
    picture += "    " + std::string(name(edge.from)) + " --> " + std::string(name(edge.to)) + ": " +
               std::string(name(edge.step)) + '\n';
  }
  return picture;
}

std::span<const RepairStrategy> strategies_for(ComponentIssue issue) {
  using enum RepairStrategy;
  static constexpr std::array not_built = {restore, build, clean_build};
  static constexpr std::array build_failed = {clean_build, install_dependencies};
  static constexpr std::array missing_dependencies = {install_dependencies, rebuild};
  static constexpr std::array incompatible_version = {rebuild, clean_build};
  static constexpr std::array corrupt_binary = {restore, clean_build, rebuild};
  static constexpr std::array missing_toolchain = {install_toolchain};
  static constexpr std::array permission_error = {fix_permissions, clean_build};
  static constexpr std::array out_of_memory = {free_memory};
  static constexpr std::array unexplained = {rebuild, clean_build};
  switch (issue) {
    case ComponentIssue::none: return {};
    case ComponentIssue::not_built: return not_built;
    case ComponentIssue::build_failed: return build_failed;
    case ComponentIssue::missing_dependencies: return missing_dependencies;
    case ComponentIssue::incompatible_version: return incompatible_version;
    case ComponentIssue::corrupt_binary: return corrupt_binary;
    case ComponentIssue::missing_toolchain: return missing_toolchain;
    case ComponentIssue::permission_error: return permission_error;
    case ComponentIssue::out_of_memory: return out_of_memory;
    case ComponentIssue::unexplained: return unexplained;
  }
  return {};
}

std::uint16_t ImplementationHealth::score_permille() const {
  if (checks == 0 || failures >= checks) return 0;
  return static_cast<std::uint16_t>((checks - failures) * 1'000 / checks);
}

std::optional<Position> Components::running() const {
  if (repairs.empty()) return std::nullopt;
  const auto last = --repairs.end();
  return last->value.ended ? std::nullopt : std::optional(last->key);
}

std::optional<ComponentPlace> Components::find(NameId component, NameId implementation) const {
  std::optional<ComponentPlace> found;
  visit_implementations(*this, component, [&](const ComponentPlace& place, const auto& health) {
    if (health.name == implementation) found = place;
    return !found;
  });
  return found;
}

std::optional<NameId> Components::best(NameId id) const {
  const Component* component = all.find(id);
  if (component == nullptr || !component->kept) return std::nullopt;
  std::optional<NameId> first;
  bool is_pinned_healthy = false;
  visit_implementations(*this, id, [&](const ComponentPlace&, const ImplementationHealth& health) {
    if (health.state != healthy) return true;
    if (!first) first = health.name;
    is_pinned_healthy = is_pinned_healthy || health.name == component->pinned;
    return !is_pinned_healthy && component->pinned.has_value();
  });
  return is_pinned_healthy ? component->pinned : first;
}

StrategyRecord record_of(const Components& components, const StrategyKey& key) {
  const StrategyRecord* found = components.strategies.find(key);
  return found == nullptr ? StrategyRecord() : *found;
}

// What is kept of an earlier build costs nothing to try. What was never tried counts as something
// that helps every other time, so that a strategy that has failed once gives way to one that is
// new.
std::optional<RepairStrategy> next_strategy(const Components& components,
                                            const ImplementationHealth& health) {
  std::optional<RepairStrategy> best;
  StrategyRecord best_record;
  bool best_is_tried = false;
  for (const RepairStrategy strategy : strategies_for(health.issue)) {
    if (!health.traits.allows(strategy)) continue;
    const StrategyRecord record = record_of(components, {health.issue, strategy});
    const bool is_tried = (health.tried & bit(strategy)) != 0;
    if (strategy == RepairStrategy::restore && !is_tried) return strategy;
    // helped + 1 of helped + failed + 2 times, compared without division.
    const std::uint64_t rate = (record.helped + 1) * (best_record.helped + best_record.failed + 2);
    const std::uint64_t best_rate = (best_record.helped + 1) * (record.helped + record.failed + 2);
    const bool is_better = !best || (is_tried == best_is_tried ? rate > best_rate : best_is_tried);
    if (!is_better) continue;
    best = strategy;
    best_record = record;
    best_is_tried = is_tried;
  }
  return best;
}

void enter_due(Components& components) {
  components.due = {};
  components.unsettled = {};
  for (const auto& [place, health] : components.implementations) {
    if (health.repair_at != Time() && is_kept(components, place.component)) {
      components.due.insert({health.repair_at, place});
    }
  }
  for (const auto& [id, component] : components.all) settle(components, id);
}

void forget_kept(Components& components) {
  if (components.empty()) return;
  std::vector<NameId> kept;
  for (const auto& [id, component] : components.all) {
    if (component.kept) kept.push_back(id);
  }
  for (const NameId id : kept) {
    Component& component = *components.all.edit(id);
    component.kept = false;
    component.active.reset();
  }
  components.due = {};
  components.unsettled = {};
}

bool fold(Components& components, Names& names, const EventPlace&,
          const ComponentDescribed& event) {
  const NameId id = names.intern(event.component);
  const Components before = components;
  const Component* known = before.all.find(id);
  Component component = known == nullptr ? Component() : *known;
  component.folder = event.folder;
  component.setting = setting_in(event);
  component.kept = true;
  component.active.reset();
  std::uint32_t place = 0;
  for (; place < event.implementations.size(); ++place) {
    const DescribedImplementation as = event.implementations[place];
    const NameId name = names.intern(as.name);
    const auto was = before.find(id, name);
    const auto* health = was ? before.implementations.find(*was) : nullptr;
    components.implementations.set({id, place}, described(as, name, health));
  }
  while (components.implementations.erase({id, place})) ++place;
  if (component.pinned && !components.find(id, *component.pinned)) component.pinned.reset();
  components.all.set(id, std::move(component));
  std::vector<RepairDue> gone;
  for (const RepairDue& due : components.due) {
    if (due.place.component == id) gone.push_back(due);
  }
  for (const RepairDue& due : gone) components.due.erase(due);
  settle(components, id);
  return true;
}

bool fold(Components& components, Names& names, const EventPlace& place,
          const ComponentDiagnosed& event) {
  const auto at = place_of(components, names, event.component, event.implementation);
  if (!at || !is_kept(components, at->component)) return false;
  const bool is_healthy = event.issue == ComponentIssue::none;
  const ImplementationHealth before = *components.implementations.find(*at);
  const auto to = next_state(before.state, is_healthy ? Step::found_healthy : Step::found_broken);
  if (!to) return false;
  const bool is_hopeless = before.state == given_up && !is_news(before.issue, event.issue);
  const Finding found{
      .issue = event.issue,
      .from = before.state,
      .at = place.at,
      .is_left_alone = components.all.find(at->component)->setting.attempts_max == 0};
  change(components, *at, [&](ImplementationHealth& health) {
    health.state = is_hopeless ? given_up : *to;
    health.diagnosed = place.position;
    health.next_check = event.next;
    health.trend = event.trend;
    ++health.checks;
    if (is_healthy) return find_healthy(health, event.took);
    if (!is_hopeless) find_broken(components, health, found);
  });
  return true;
}

bool fold(Components& components, Names& names, const EventPlace& place,
          const ComponentFailed& event) {
  const auto at = place_of(components, names, event.component, event.implementation);
  if (!at || !is_kept(components, at->component)) return false;
  const auto to = next_state(components.implementations.find(*at)->state, Step::failed_in_use);
  if (!to) return false;
  change(components, *at, [&](ImplementationHealth& health) {
    health.state = *to;
    ++health.checks;
    count_failure(health, place.at);
  });
  return true;
}

bool fold(Components& components, Names& names, const EventPlace& place,
          const RepairRequested& event) {
  const auto at = place_of(components, names, event.component, event.implementation);
  if (!at || !is_kept(components, at->component)) return false;
  const ImplementationHealth& health = *components.implementations.find(*at);
  const bool can_be = event.strategy ? health.traits.allows(*event.strategy)
                                     : next_strategy(components, health).has_value();
  if (!can_be || health.state == repairing) return false;
  change(components, *at, [&](ImplementationHealth& changed) {
    forget_attempts(changed);
    changed.requested = event.strategy ? static_cast<std::uint32_t>(*event.strategy) + 1 : 0;
    changed.repair_at = place.at;
  });
  return true;
}

bool fold(Components& components, Names& names, const EventPlace& place,
          const ComponentSwitched& event) {
  const auto id = names.find(event.component);
  if (!id || !is_kept(components, *id)) return false;
  Component changed = *components.all.find(*id);
  const auto name_in = [&](std::string_view name) {
    return name.empty() ? std::nullopt : names.find(name);
  };
  const auto to = name_in(event.to);
  const auto at = to ? components.find(*id, *to) : std::nullopt;
  const bool can_be_used = at && components.implementations.find(*at)->state == healthy;
  if (name_in(event.from) != changed.active || (!event.to.empty() && !can_be_used)) return false;
  if (event.cause == SwitchCause::forced) changed.pinned = to;
  if (event.cause == SwitchCause::released) changed.pinned.reset();
  if (changed.active != to) ++changed.switches;
  changed.active = to;
  changed.switched = place.position;
  components.all.set(*id, std::move(changed));
  settle(components, *id);
  return true;
}

bool fold(Components& components, Names& names, const EventPlace& place,
          const RepairStarted& event) {
  const auto at = place_of(components, names, event.component, event.implementation);
  if (!at || !is_kept(components, at->component) || components.running()) return false;
  const ImplementationHealth& health = *components.implementations.find(*at);
  const auto to = next_state(health.state, Step::repair_started);
  const bool is_due = health.repair_at != Time() && health.repair_at <= place.at;
  if (!to || !is_due || !health.traits.allows(event.strategy)) return false;
  remember(components, place.position,
           {.component = at->component,
            .implementation = health.name,
            .issue = event.issue,
            .left = event.issue,
            .strategy = event.strategy,
            .attempt = event.attempt,
            .started_at = place.at,
            .deadline = event.deadline});
  change(components, *at, [&](ImplementationHealth& changed) {
    changed.state = *to;
    changed.repair_at = Time();
    changed.requested = 0;
    ++changed.attempts;
    ++changed.attempts_total;
  });
  return true;
}

bool fold(Components& components, Names& names, const EventPlace& place, const RepairEnded& event) {
  const auto at = place_of(components, names, event.component, event.implementation);
  if (!at || components.running() != event.repair) return false;
  const Step step = event.left == ComponentIssue::none ? Step::healed
                    : event.next != Time()             ? Step::not_healed
                                                       : Step::gave_up;
  const auto to = next_state(components.implementations.find(*at)->state, step);
  if (!to) return false;
  Repair& repair = *components.repairs.edit(event.repair);
  repair.outcome = event.outcome;
  repair.left = event.left;
  repair.took = event.took;
  repair.ended = place.position;
  learn(components, repair);
  change(components, *at, [&](ImplementationHealth& health) {
    health.state = *to;
    health.diagnosed = place.position;
    end_attempt(health, repair);
    if (*to == healthy) forget_attempts(health);
    if (*to == broken) health.repair_at = event.next;
  });
  return true;
}

}  // namespace almanac
