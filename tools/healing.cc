#include <almanac/tools/healing.h>

#include <almanac/tools/choices.h>
#include <almanac/tools/json_fields.h>
#include <almanac/tools/running_daemon.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace almanac {

using nlohmann::ordered_json;

namespace {

std::vector<HealChoice> kept_choices(const State& state, const HealRequest& request) {
  std::vector<HealChoice> choices;
  for (const auto& [place, health] : state.components.implementations) {
    const Component* component = state.components.all.find(place.component);
    HealChoice choice{std::string(state.names.text(place.component)),
                      std::string(state.names.text(health.name))};
    const bool is_meant =
        (request.component.empty() || choice.component == request.component) &&
        (request.implementation.empty() || choice.implementation == request.implementation);
    if (component != nullptr && component->kept && is_meant) choices.push_back(std::move(choice));
  }
  return choices;
}

const ImplementationHealth* health_of(const State& state, const HealChoice& choice) {
  const auto component = state.names.find(choice.component);
  const auto implementation = state.names.find(choice.implementation);
  if (!component || !implementation) return nullptr;
  const auto place = state.components.find(*component, *implementation);
  return place ? state.components.implementations.find(*place) : nullptr;
}

bool is_looked_at(const State& before, const State& now, const HealChoice& choice) {
  const ImplementationHealth* was = health_of(before, choice);
  const ImplementationHealth* is = health_of(now, choice);
  return was == nullptr || is == nullptr || is->diagnosed > was->diagnosed ||
         is->state == ImplementationState::repairing;
}

// Of those that are broken: what is allowed is tried again, also where it was given up.
Result<void> fix_broken(Engine& engine, const std::vector<HealChoice>& choices) {
  const auto state = engine.state();
  for (const HealChoice& choice : choices) {
    const ImplementationHealth* health = health_of(*state, choice);
    if (health == nullptr || health->state == ImplementationState::healthy) continue;
    auto asked = engine.repair_component(choice.component, choice.implementation);
    if (!asked && asked.error().code != ErrorCode::refused) return asked;
  }
  return {};
}

Result<void> build_anew(Engine& engine, const std::vector<HealChoice>& choices, bool is_named) {
  for (const HealChoice& choice : choices) {
    auto asked = engine.repair_component(choice.component, choice.implementation,
                                         RepairStrategy::clean_build);
    // Of all, those that allow it.
    if (!asked && (is_named || asked.error().code != ErrorCode::refused)) return asked;
  }
  return {};
}

HealedRepair repair_in(const Log& log, const State& state, const Repair& repair) {
  HealedRepair told{.component = std::string(state.names.text(repair.component)),
                    .implementation = std::string(state.names.text(repair.implementation)),
                    .issue = std::string(name(repair.issue)),
                    .strategy = std::string(name(repair.strategy)),
                    .outcome = std::string(name(repair.outcome)),
                    .left = {},
                    .message = {}};
  if (repair.left == ComponentIssue::none) return told;
  told.left = name(repair.left);
  (void)log.read_one(repair.ended, [&](const Event& event) {
    if (const auto* ended = std::get_if<RepairEnded>(&event.body)) told.message = ended->message;
  });
  return told;
}

HealAnswer answer_of(const Log& log, const State& state, Position behind) {
  HealAnswer answer{.through = state.position, .repairs = {}, .used = {}};
  for (const auto& [started, repair] : state.components.repairs) {
    if (repair.ended && repair.ended > behind) {
      answer.repairs.push_back(repair_in(log, state, repair));
    }
  }
  for (const auto& [id, component] : state.components.all) {
    if (!component.kept) continue;
    answer.used.push_back(
        {std::string(state.names.text(id)),
         component.active ? std::string(state.names.text(*component.active)) : std::string()});
  }
  return answer;
}

Result<std::vector<HealedRepair>> repairs_in(const ordered_json& list) {
  std::vector<HealedRepair> repairs;
  if (!list.is_array()) return answer_without_sense();
  for (const ordered_json& each : list) {
    HealedRepair repair;
    JsonFields fields(each);
    fields.text("component", repair.component);
    fields.text("implementation", repair.implementation);
    fields.text("issue", repair.issue);
    fields.text("strategy", repair.strategy);
    fields.text("outcome", repair.outcome);
    fields.text("left", repair.left);
    fields.text("message", repair.message);
    if (!fields.done()) return answer_without_sense();
    repairs.push_back(std::move(repair));
  }
  return repairs;
}

Result<std::vector<HealUse>> uses_in(const ordered_json& list) {
  std::vector<HealUse> uses;
  if (!list.is_array()) return answer_without_sense();
  for (const ordered_json& each : list) {
    HealUse use;
    JsonFields fields(each);
    fields.text("component", use.component);
    fields.text("implementation", use.implementation);
    if (!fields.done()) return answer_without_sense();
    uses.push_back(std::move(use));
  }
  return uses;
}

}  // namespace

std::string_view name(HealAct act) {
  switch (act) {
    case HealAct::check: return "check";
    case HealAct::fix: return "fix";
    case HealAct::clean_build: return "clean_build";
    case HealAct::use: return "use";
    case HealAct::wait: return "wait";
  }
  return "check";
}

bool is_settled(const State& state) {
  const Components& components = state.components;
  if (components.running() || !components.due.empty() || !components.unsettled.empty()) {
    return false;
  }
  for (const auto& [place, health] : components.implementations) {
    const bool is_kept = components.all.find(place.component)->kept;
    const bool is_known =
        health.state != ImplementationState::unknown && health.next_check != Time();
    if (is_kept && !is_known) return false;
  }
  return true;
}

Result<void> act_on(Engine& engine, const HealRequest& request,
                    const std::vector<HealChoice>& choices) {
  switch (request.act) {
    case HealAct::check:
    case HealAct::wait: return {};
    case HealAct::fix: return fix_broken(engine, choices);
    case HealAct::clean_build: return build_anew(engine, choices, !request.implementation.empty());
    case HealAct::use: return engine.switch_component(request.component, request.implementation);
  }
  return {};
}

Result<HealAnswer> heal(Engine& engine, const HealRequest& request,
                        std::chrono::milliseconds time_max) {
  const auto end = std::chrono::steady_clock::now() + time_max;
  const auto left = [&] {
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  };
  const auto before = engine.state();
  const Position behind = request.behind.value_or(before->position);
  const auto choices = kept_choices(*before, request);
  if (choices.empty()) {
    return fail(ErrorCode::not_found, "no component of this name is kept here",
                "start the daemon with components, or name one of them");
  }
  bool acted = request.act == HealAct::wait;
  if (!acted) {
    engine.check_components(request.component);
    const bool is_ready = engine.wait(
                              [&](const State& state) {
                                return std::ranges::all_of(choices, [&](const HealChoice& choice) {
                                  return is_looked_at(*before, state, choice);
                                });
                              },
                              left()) &&
                          engine.wait(is_settled, left());
    if (is_ready) {
      if (auto done = act_on(engine, request, choices); !done) {
        return std::unexpected(done.error());
      }
      acted = true;
    }
  }
  const bool settled = acted && engine.wait(is_settled, left());
  HealAnswer answer = answer_of(engine.log(), *engine.state(), behind);
  answer.acted = acted;
  answer.settled = settled;
  return answer;
}

ordered_json heal_request_json(const HealRequest& request) {
  ordered_json json{{"act", name(request.act)}};
  if (!request.component.empty()) json["component"] = request.component;
  if (!request.implementation.empty()) json["implementation"] = request.implementation;
  if (request.behind) json["behind"] = request.behind->value;
  return json;
}

Result<HealRequest> heal_request_of(const ordered_json& json) {
  HealRequest request;
  std::optional<std::uint64_t> behind;
  JsonFields fields(json);
  fields.word("act", request.act,
              [](std::string_view word) { return choose<HealAct>("act", word, heal_act_count); });
  fields.text("component", request.component);
  fields.text("implementation", request.implementation);
  fields.number("behind", behind);
  if (auto done = fields.done(); !done) return std::unexpected(done.error());
  if (behind) request.behind = Position(*behind);
  if (request.act != HealAct::use || !request.component.empty()) return request;
  return fail(ErrorCode::invalid, "it is not said which component",
              "send its name as \"component\"");
}

ordered_json heal_answer_json(const HealAnswer& answer) {
  ordered_json repairs = ordered_json::array();
  for (const HealedRepair& each : answer.repairs) {
    repairs.push_back({{"component", each.component},
                       {"implementation", each.implementation},
                       {"issue", each.issue},
                       {"strategy", each.strategy},
                       {"outcome", each.outcome},
                       {"left", each.left},
                       {"message", each.message}});
  }
  ordered_json used = ordered_json::array();
  for (const HealUse& each : answer.used) {
    used.push_back({{"component", each.component}, {"implementation", each.implementation}});
  }
  return {{"acted", answer.acted},
          {"settled", answer.settled},
          {"through", answer.through.value},
          {"repairs", std::move(repairs)},
          {"used", std::move(used)}};
}

Result<HealAnswer> heal_answer_in(const ordered_json& json) {
  HealAnswer answer;
  JsonFields fields(json);
  fields.truth("acted", answer.acted);
  fields.truth("settled", answer.settled);
  fields.number("through", answer.through.value);
  fields.value("repairs", [&](const ordered_json& list) -> Result<void> {
    auto repairs = repairs_in(list);
    if (!repairs) return std::unexpected(repairs.error());
    answer.repairs = std::move(*repairs);
    return {};
  });
  fields.value("used", [&](const ordered_json& list) -> Result<void> {
    auto uses = uses_in(list);
    if (!uses) return std::unexpected(uses.error());
    answer.used = std::move(*uses);
    return {};
  });
  for (const char* member : {"acted", "settled", "through", "repairs", "used"}) {
    fields.require(member);
  }
  if (!fields.done()) return answer_without_sense();
  return answer;
}

}  // namespace almanac
