// Letting an engine that keeps components look at them, and do about them what an operator asks
// for: the engine of `almanac heal`, or a daemon's.
#pragma once

#include <almanac/engine/engine.h>

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

enum class HealAct : std::uint8_t {
  check,        // looks at them, and repairs what is broken
  fix,          // the same, also what was given up
  clean_build,  // also what is healthy
  use,          // one implementation, or none in particular
  wait          // for what was begun before
};
inline constexpr int heal_act_count = 5;
[[nodiscard]] std::string_view name(HealAct act);

struct HealRequest {
  HealAct act = HealAct::check;
  std::string component;       // empty = all
  std::string implementation;  // empty = all
  // Repairs that ended behind this are told of; none = those from now on.
  std::optional<Position> behind = {};
};

struct HealChoice {
  std::string component;
  std::string implementation;
};

// All was looked at by this engine, and nothing is repaired or will be.
[[nodiscard]] bool is_settled(const State& state);
// What is asked for, of those that are chosen. Errors: those of Engine::repair_component() and
// switch_component().
[[nodiscard]] Result<void> act_on(Engine& engine, const HealRequest& request,
                                  const std::vector<HealChoice>& choices);

// A repair that has ended, in words.
struct HealedRepair {
  std::string component;
  std::string implementation;
  std::string issue;
  std::string strategy;
  std::string outcome;
  std::string left;  // what is wrong still; empty = nothing
  std::string message;
};
struct HealUse {
  std::string component;
  std::string implementation;  // empty = nothing can be used
};
struct HealAnswer {
  bool acted = false;    // what was asked for was begun
  bool settled = false;  // and is done
  Position through;      // repairs that ended until here are told of
  std::vector<HealedRepair> repairs;
  std::vector<HealUse> used;
};

// Looks at them, waits until all is settled, does what is asked for, and waits again: for so long
// in all. Errors: not_found (the engine keeps nothing of that name), those of act_on().
[[nodiscard]] Result<HealAnswer> heal(Engine& engine, const HealRequest& request,
                                      std::chrono::milliseconds time_max);

// Both ways. Errors: invalid; unknown_outcome (the answer makes no sense).
[[nodiscard]] nlohmann::ordered_json heal_request_json(const HealRequest& request);
[[nodiscard]] Result<HealRequest> heal_request_of(const nlohmann::ordered_json& json);
[[nodiscard]] nlohmann::ordered_json heal_answer_json(const HealAnswer& answer);
[[nodiscard]] Result<HealAnswer> heal_answer_in(const nlohmann::ordered_json& json);

}  // namespace almanac
