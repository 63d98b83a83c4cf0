// Self-healing, and health: the paths and members that existing programs expect (requirement B7).
#include <almanac/daemon/disk_room.h>
#include <almanac/daemon/http_api.h>

#include <almanac/engine/state_health.h>
#include <almanac/tools/choices.h>
#include <almanac/tools/state_json.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>

namespace almanac {
namespace {

using nlohmann::ordered_json;

// Looking at components takes this long at most, a repair what the build may, and a little.
constexpr std::chrono::milliseconds check_wait_max = std::chrono::seconds(30);
constexpr std::chrono::milliseconds repair_wait_slack = std::chrono::seconds(30);

struct RepairTotals {
  std::uint64_t helped = 0;
  std::uint64_t all = 0;
  Time last_build;  // that helped

  [[nodiscard]] double rate() const {
    return all == 0 ? 0 : static_cast<double>(helped) / static_cast<double>(all);
  }
};

RepairTotals repair_totals(const Components& components) {
  RepairTotals totals;
  for (const auto& [key, record] : components.strategies) {
    totals.helped += record.helped;
    totals.all += record.helped + record.failed;
  }
  for (const auto& [started, repair] : components.repairs) {
    if (repair.helped())
      totals.last_build = std::max(totals.last_build, repair.started_at + repair.took);
  }
  return totals;
}

// Whether the engine that runs keeps any.
bool keeps_some(const State& state) {
  for (const auto& [id, component] : state.components.all) {
    if (component.kept) return true;
  }
  return false;
}

ordered_json fix_json(const State& state, const Repair& repair) {
  return {{"component", state.names.text(repair.component)},
          {"implementation", state.names.text(repair.implementation)},
          {"issue_type", name(repair.issue)},
          {"strategy_used", name(repair.strategy)},
          {"success", repair.helped()},
          {"started_at", time_json(repair.started_at)},
          {"took_us", repair.took.count()}};
}

ApiResult get_status(const ApiCall& call) {
  const State& state = *call.state;
  const RepairTotals totals = repair_totals(state.components);
  std::map<std::string_view, std::uint64_t> retries;
  for (const auto& [key, record] : state.components.strategies) {
    retries[name(key.issue)] += record.helped + record.failed;
  }
  ordered_json counts = ordered_json::object();
  for (const auto& [issue, count] : retries) counts[issue] = count;
  ordered_json fixes = ordered_json::array();
  for (const auto& [started, repair] : state.components.repairs) {
    if (repair.ended) fixes.push_back(fix_json(state, repair));
  }
  return json_response({{"running", keeps_some(state)},
                        {"total_fix_attempts", totals.all},
                        {"success_rate", totals.rate()},
                        {"last_successful_build", time_json(totals.last_build)},
                        {"retry_counts", std::move(counts)},
                        {"recent_fixes", std::move(fixes)}});
}

// ---- Which implementation a request is about ----

struct Place {
  ComponentPlace place;
  std::string component;
  std::string implementation;
};

// Of the engine that runs; of a component alone, all of its.
std::vector<Place> places_of(const State& state, const std::string& component,
                             const std::string& implementation) {
  std::vector<Place> places;
  for (const auto& [place, health] : state.components.implementations) {
    const Component* of = state.components.all.find(place.component);
    Place found{place, std::string(state.names.text(place.component)),
                std::string(state.names.text(health.name))};
    const bool is_meant = (component.empty() || found.component == component) &&
                          (implementation.empty() || found.implementation == implementation);
    if (of != nullptr && of->kept && is_meant) places.push_back(std::move(found));
  }
  return places;
}

const ImplementationHealth* health_at(const State& state, const Place& place) {
  return state.components.implementations.find(place.place);
}

Result<std::vector<Place>> places_asked(const ApiCall& call, const ordered_json& object) {
  auto component = text_member_or(object, "component", {});
  if (!component) return std::unexpected(component.error());
  auto implementation = text_member_or(object, "implementation", {});
  if (!implementation) return std::unexpected(implementation.error());
  auto places = places_of(*call.state, *component, *implementation);
  if (!places.empty()) return places;
  return fail(ErrorCode::not_found, "no component of this name is kept here",
              "start the daemon with components, or name one of them");
}

// Looks at them now: the state behind it, or as it is when that takes too long. What the engine
// does about it by itself may have ended already in the next one.
std::shared_ptr<const State> look_at(const ApiCall& call, const std::vector<Place>& places,
                                     std::chrono::milliseconds wait_max = check_wait_max) {
  Engine& engine = call.api.engine();
  const auto before = engine.state();
  engine.check_components();
  std::shared_ptr<const State> seen;
  engine.wait(
      [&](const State& state) {
        const bool is_seen = std::ranges::all_of(places, [&](const Place& place) {
          const ImplementationHealth* was = health_at(*before, place);
          const ImplementationHealth* is = health_at(state, place);
          return was == nullptr || is == nullptr || is->diagnosed > was->diagnosed ||
                 is->state == ImplementationState::repairing;
        });
        if (is_seen) seen = std::make_shared<const State>(state);
        return is_seen;
      },
      wait_max);
  return seen != nullptr ? seen : engine.state();
}

std::string evidence_of(const Log& log, Position diagnosed) {
  std::string text;
  if (!diagnosed) return text;
  (void)log.read_one(diagnosed, [&](const Event& event) {
    if (const auto* seen = std::get_if<ComponentDiagnosed>(&event.body)) text = seen->evidence;
    if (const auto* ended = std::get_if<RepairEnded>(&event.body)) text = ended->message;
  });
  return text;
}

// The first that is not as it should be.
const Place* first_broken(const State& state, const std::vector<Place>& places) {
  for (const Place& place : places) {
    const ImplementationHealth* health = health_at(state, place);
    if (health != nullptr && health->issue != ComponentIssue::none) return &place;
  }
  return nullptr;
}

ApiResult post_diagnose(const ApiCall& call) {
  auto object = object_of(call.request, "component implementation");
  if (!object) return std::unexpected(object.error());
  auto places = places_asked(call, *object);
  if (!places) return std::unexpected(places.error());
  const auto state = look_at(call, *places);
  const Place* broken = first_broken(*state, *places);
  if (broken == nullptr) {
    return json_response({{"issue_type", "none"},
                          {"details", "everything works"},
                          {"recommended_fix", nullptr},
                          {"can_auto_fix", false}});
  }
  const ImplementationHealth& health = *health_at(*state, *broken);
  const auto strategy = next_strategy(state->components, health);
  return json_response(
      {{"issue_type", name(health.issue)},
       {"details", evidence_of(call.api.log(), health.diagnosed)},
       {"recommended_fix", strategy ? ordered_json(name(*strategy)) : ordered_json()},
       {"can_auto_fix", strategy.has_value()},
       {"component", broken->component},
       {"implementation", broken->implementation}});
}

// ---- Repairs ----

// All waits of one request together: it is answered within long_poll_max, however long a build may
// take. Holds the only place to wait for repairs.
class RepairWait {
 public:
  // Errors: busy (another request waits for one).
  static Result<RepairWait> begin(const HttpApi& api) {
    RepairWait wait(api.wait_for_repair());
    if (wait.place_.owns_lock()) return wait;
    return fail(ErrorCode::busy, "another request waits for a repair already",
                "ask again when that has ended; GET /self-healing/status tells of it");
  }
  [[nodiscard]] std::chrono::milliseconds at_most(std::chrono::milliseconds time) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end_ - std::chrono::steady_clock::now());
    return std::clamp(left, std::chrono::milliseconds(0), time);
  }

 private:
  explicit RepairWait(std::unique_lock<std::mutex> place) : place_(std::move(place)) {}

  std::unique_lock<std::mutex> place_;
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + limits::long_poll_max;
};

struct RepairEnd {
  bool success = false;
  std::optional<Repair> repair;
  std::string error;
};

bool is_of(const State& state, const Repair& repair, const Place& place) {
  return repair.component == place.place.component &&
         state.names.text(repair.implementation) == place.implementation;
}

// The first that began behind a position and has ended.
const Repair* ended_behind(const State& state, Position before, const Place& place) {
  const auto& repairs = state.components.repairs;
  for (auto entry = repairs.upper_bound(before); entry != repairs.end(); ++entry) {
    const auto& [started, repair] = *entry;
    if (repair.ended && is_of(state, repair, place)) return repairs.find(started);
  }
  return nullptr;
}

// One that goes on already, by the engine's own decision, is as good as one that is asked for.
Result<Position> begin_repair(const ApiCall& call, const Place& place,
                              std::optional<RepairStrategy> strategy, const RepairWait& wait) {
  Engine& engine = call.api.engine();
  const auto state = engine.state();
  const auto running = state->components.running();
  if (running && is_of(*state, *state->components.repairs.find(*running), place)) {
    if (!strategy) return Position(running->value - 1);
    engine.wait([&](const State& later) { return later.components.running() != running; },
                wait.at_most(check_wait_max));
  }
  auto asked = engine.repair_component(place.component, place.implementation, strategy);
  if (asked) return state->position;
  if (strategy || asked.error().code != ErrorCode::conflict) return std::unexpected(asked.error());
  const auto now = engine.state();  // one has begun, or ended, meanwhile
  if (health_at(*now, place)->state == ImplementationState::repairing ||
      ended_behind(*now, call.state->position, place) != nullptr) {
    return call.state->position;
  }
  return std::unexpected(asked.error());
}

// Asks for one, and waits for its end.
RepairEnd repair_and_wait(const ApiCall& call, const Place& place,
                          std::optional<RepairStrategy> strategy, const RepairWait& wait) {
  Engine& engine = call.api.engine();
  const auto before = begin_repair(call, place, strategy, wait);
  if (!before) return {.error = describe(before.error())};
  const Component* component = call.state->components.all.find(place.place.component);
  const auto wait_max = std::chrono::duration_cast<std::chrono::milliseconds>(
      component->setting.build_timeout + Duration(repair_wait_slack));
  engine.wait([&](const State& state) { return ended_behind(state, *before, place) != nullptr; },
              wait.at_most(wait_max));
  const auto state = engine.state();
  const Repair* repair = ended_behind(*state, *before, place);
  if (repair == nullptr) return {.error = "it has not ended yet; see /self-healing/status"};
  const bool success =
      repair->outcome == RepairOutcome::done && repair->left == ComponentIssue::none;
  return {.success = success,
          .repair = *repair,
          .error = success ? "" : evidence_of(call.api.log(), repair->ended)};
}

Result<std::optional<RepairStrategy>> strategy_asked(const ordered_json& object) {
  if (!object.contains("strategy")) return std::nullopt;
  auto word = text_member(object, "strategy");
  if (!word) return std::unexpected(word.error());
  auto strategy = choose<RepairStrategy>("strategy", *word, repair_strategy_count);
  if (!strategy) return std::unexpected(strategy.error());
  return *strategy;
}

ApiResult post_fix(const ApiCall& call) {
  auto object = object_of(call.request, "component implementation strategy issue_type");
  if (!object) return std::unexpected(object.error());
  auto strategy = strategy_asked(*object);
  if (!strategy) return std::unexpected(strategy.error());
  auto places = places_asked(call, *object);
  if (!places) return std::unexpected(places.error());
  const auto wait = RepairWait::begin(call.api);
  if (!wait) return std::unexpected(wait.error());
  const auto state = look_at(call, *places, wait->at_most(check_wait_max));
  const Place* broken = first_broken(*state, *places);
  if (broken == nullptr && !*strategy) {
    return json_response({{"success", true},
                          {"issue_type", "none"},
                          {"strategy_used", nullptr},
                          {"error", nullptr}});
  }
  const Place& place = broken == nullptr ? places->front() : *broken;
  const ComponentIssue issue = health_at(*state, place)->issue;
  const RepairEnd end = repair_and_wait(call, place, *strategy, *wait);
  return json_response(
      {{"success", end.success},
       {"issue_type", name(issue)},
       {"strategy_used", end.repair ? ordered_json(name(end.repair->strategy)) : ordered_json()},
       {"error", end.error.empty() ? ordered_json() : ordered_json(end.error)}});
}

ApiResult post_force_check(const ApiCall& call) {
  auto object = object_of(call.request, "component");
  if (!object) return std::unexpected(object.error());
  auto places = places_asked(call, *object);
  if (!places) return std::unexpected(places.error());
  const auto state = look_at(call, *places);
  ordered_json changes = ordered_json::object();
  for (const Place& place : *places) {
    const ImplementationHealth* was = health_at(*call.state, place);
    const ImplementationHealth* is = health_at(*state, place);
    if (was == nullptr || is == nullptr || was->state == is->state) continue;
    changes[place.component].push_back(
        fmt::format("{}: {} -> {}", place.implementation, name(was->state), name(is->state)));
  }
  const bool is_none = changes.empty();
  return json_response(
      {{"success", true},
       {"changes", std::move(changes)},
       {"message", is_none ? "nothing has changed" : "some implementations are not as they were"}});
}

ApiResult post_clean_build(const ApiCall& call) {
  auto object = object_of(call.request, "component implementation");
  if (!object) return std::unexpected(object.error());
  auto places = places_asked(call, *object);
  if (!places) return std::unexpected(places.error());
  const auto wait = RepairWait::begin(call.api);
  if (!wait) return std::unexpected(wait.error());
  std::string message;
  bool success = true;
  for (const Place& place : *places) {
    const RepairEnd end = repair_and_wait(call, place, RepairStrategy::clean_build, *wait);
    success = success && end.success;
    message += fmt::format("{}{} of {}: {}", message.empty() ? "" : "; ", place.implementation,
                           place.component, end.success ? "built" : end.error);
  }
  return json_response({{"success", success}, {"message", message}});
}

ApiResult get_component_status(const ApiCall& call) {
  const State& state = *call.state;
  ordered_json components = ordered_json::object();
  Duration interval{0};
  for (const auto& [id, component] : state.components.all) {
    if (interval == Duration(0) || component.setting.check_interval < interval) {
      interval = component.setting.check_interval;
    }
    ordered_json available = ordered_json::object();
    for (auto entry = state.components.implementations.lower_bound({id, 0});
         entry != state.components.implementations.end() && entry->key.component == id; ++entry) {
      const ImplementationHealth& health = entry->value;
      available[state.names.text(health.name)] = {
          {"available", health.state == ImplementationState::healthy},
          {"performance_score", health.score_permille() / 1000.0},
          {"error_count", health.failures}};
    }
    components[state.names.text(id)] = {
        {"active_implementation",
         component.active ? ordered_json(state.names.text(*component.active)) : ordered_json()},
        {"available_implementations", std::move(available)}};
  }
  return json_response({{"loader_running", keeps_some(state)},
                        {"check_interval_seconds", std::chrono::duration<double>(interval).count()},
                        {"components", std::move(components)}});
}

ApiResult get_health(const ApiCall& call) {
  const State& state = *call.state;
  const RepairTotals totals = repair_totals(state.components);
  const auto reasons = health_reasons(state, std::max(system_time(), state.time));
  // Of a full disk nothing can be on record.
  const Health health = has_room(call) ? health_of(reasons) : Health::unhealthy;
  return json_response({{"status", name(health)},
                        {"self_healing",
                         {{"enabled", keeps_some(state)},
                          {"fix_attempts", totals.all},
                          {"success_rate", totals.rate()},
                          {"last_successful_build", time_json(totals.last_build)}}}});
}

constexpr std::string_view healing_body = "application/json";
constexpr std::array healing_table = {
    HttpRoute{.method = "GET",
              .path = "/health",
              .handler = get_health,
              .summary = "How well things go, and what self-healing has done"},
    HttpRoute{.method = "GET",
              .path = "/self-healing/status",
              .handler = get_status,
              .summary = "Repairs, and how often they helped",
              .parameters = "at"},
    HttpRoute{.method = "GET",
              .path = "/self-healing/component-status",
              .handler = get_component_status,
              .summary = "Components, what they are used by, and how good that is",
              .parameters = "at"},
    HttpRoute{.method = "POST",
              .path = "/self-healing/diagnose",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = post_diagnose,
              .summary = "Looks what is wrong, and says what would help",
              .body = healing_body},
    HttpRoute{.method = "POST",
              .path = "/self-healing/fix",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = post_fix,
              .summary = "Repairs what is wrong, also what was given up",
              .body = healing_body},
    HttpRoute{.method = "POST",
              .path = "/self-healing/force-check",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = post_force_check,
              .summary = "Looks at components now, and says what has changed",
              .body = healing_body},
    HttpRoute{.method = "POST",
              .path = "/self-healing/clean-build",
              .scope = AccessScope::operate,
              .runs = RouteRuns::on_asker,
              .handler = post_clean_build,
              .summary = "Cleans and builds anew, also what is healthy",
              .body = healing_body},
};

}  // namespace

std::span<const HttpRoute> healing_routes() { return healing_table; }

}  // namespace almanac
