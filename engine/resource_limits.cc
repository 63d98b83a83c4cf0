#include <almanac/engine/resource_limits.h>

#include <almanac/engine/limits.h>
#include <almanac/engine/model_wants.h>
#include <almanac/engine/submission.h>
#include <almanac/projections/gpu_memory.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>

namespace almanac {
namespace {

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

Result<void> check_setting(const LimitSetting& setting) {
  if (setting.per_minute > 0 && setting.burst == 0) {
    return fail(ErrorCode::invalid, "a rate without a burst lets nothing through",
                "say how many tokens there are at most, 1 or more");
  }
  if (setting.per_minute == 0 && setting.burst > 0) {
    return fail(ErrorCode::invalid, "a burst without a rate never comes back",
                "say how many tokens come back in a minute");
  }
  return {};
}

// Names that say more than that there is a limit (projections/resource_limits.h).
Result<void> check_configured_name(const std::string& name, const LimitSetting& setting) {
  if (auto checked = check_set_name("limit", name); !checked) return checked;
  if (name.starts_with("queue:")) {
    return fail(ErrorCode::invalid, "the slots of a queue are not set as a limit",
                "set them with the queue");
  }
  if (name == "kind:" || name == "kind:*") {
    return fail(ErrorCode::invalid, "the limit " + in_quotes(name) + " names no kind",
                "write kind:NAME, for each kind");
  }
  if (is_recovery_limit(name) && setting.units > 0) {
    return fail(ErrorCode::invalid, "the limit " + in_quotes(name) + " sets a pace, and no units",
                "give it a rate and a burst");
  }
  if (name == "*" && setting.units > 0) {
    return fail(ErrorCode::invalid, "'*' sets a rate for every service, and no units",
                "set units for each limit, or for a family: FAMILY:*");
  }
  return {};
}

Result<void> check_demanded_name(const std::string& name) {
  if (auto checked = check_name("limit", name); !checked) return checked;
  for (std::string_view implied : {"kind:", "queue:", "recovery:"}) {
    if (name.starts_with(implied)) {
      return fail(ErrorCode::invalid, "the limit " + in_quotes(name) + " cannot be asked for",
                  "leave it out: tasks ask for it by being what they are");
    }
  }
  if (name.ends_with('*')) {
    return fail(ErrorCode::invalid, "the limit " + in_quotes(name) + " cannot be asked for",
                "it sets others: name one of them");
  }
  return {};
}

std::string gib_of(std::uint64_t bytes) {
  char text[32];
  (void)std::snprintf(text, sizeof(text), "%.1f GiB",
                      static_cast<double>(bytes) / static_cast<double>(std::uint64_t{1} << 30U));
  return text;
}

// What none of the GPUs that are known could ever have. Where none is known it waits for one.
Result<void> check_gpu_memory(const State& state, const TaskDemand& demand) {
  if (state.gpu.devices.empty()) return {};
  const std::string_view gpu = gpu_of_demand(demand.limit);
  const std::uint64_t asked = demand.units * bytes_of_mebibyte;
  const auto most = most_memory(state, gpu);
  if (!most) {
    return fail(
        ErrorCode::not_found,
        "it asks for memory of the GPU " + in_quotes(std::string(gpu)) + ", which is unknown",
        "`almanac gpu list` shows those there are");
  }
  if (asked <= *most) return {};
  return fail(ErrorCode::refused,
              "it asks for " + gib_of(asked) + " of " +
                  (gpu.empty() ? std::string("a GPU, and the largest") : "a GPU that") + " has " +
                  gib_of(*most) + ": it could never run",
              "ask for less: `almanac gpu list` shows how much there is");
}

// Models that would only ever take turns.
Result<void> check_together(const State& state, const std::vector<TaskDemand>& demands) {
  std::vector<NameId> models;
  std::string named;
  for (const TaskDemand& demand : demands) {
    const auto id = state.names.find(demand.limit);
    if (!id || !state.models.all.contains(*id)) continue;
    models.push_back(*id);
    named += (named.empty() ? "" : ", ") + in_quotes(demand.limit);
  }
  if (models.size() < 2 || fit_together(state, models)) return {};
  return fail(ErrorCode::refused,
              "it names the models " + named +
                  ", which no GPUs have room for at once: it could "
                  "never run",
              "name fewer of them, or make a task of each");
}

Result<void> check_demand(const State& state, const TaskDemand& demand) {
  if (auto checked = check_demanded_name(demand.limit); !checked) return checked;
  if (demand.units == 0) {
    return fail(ErrorCode::invalid, "it asks for 0 of the limit " + in_quotes(demand.limit),
                "ask for 1 or more, or leave it out");
  }
  if (is_gpu_memory(demand.limit)) return check_gpu_memory(state, demand);
  const LimitSetting setting = setting_of(state.limits, state.names, demand.limit);
  const auto known = state.names.find(demand.limit);
  const bool is_other =
      known && (state.models.all.contains(*known) || guards(state.circuits, state.names, *known));
  if (!setting.is_set() && is_other) return {};
  if (!setting.is_set()) {
    return fail(ErrorCode::not_found,
                "it asks for " + std::to_string(demand.units) + " of the limit " +
                    in_quotes(demand.limit) + ", which is not set",
                "`almanac limits` shows those there are, and `almanac model list` models");
  }
  const auto refuse = [&](std::uint64_t most, std::string_view of) {
    return fail(ErrorCode::refused,
                "it asks for " + std::to_string(demand.units) + " of the limit " +
                    in_quotes(demand.limit) + ", which has " + std::to_string(most) +
                    std::string(of) + ": it could never run",
                "ask for less, or raise the limit first");
  };
  if (setting.units > 0 && demand.units > setting.units) return refuse(setting.units, "");
  if (setting.per_minute > 0 && demand.units > setting.burst) {
    return refuse(setting.burst, " tokens at most");
  }
  return {};
}

}  // namespace

Result<void> check_set_name(std::string_view what, const std::string& name) {
  if (auto checked = check_name(what, name); !checked) return checked;
  if (is_gpu_memory(name)) {
    return fail(ErrorCode::invalid,
                "the name " + in_quotes(name) + " stands for the memory of GPUs",
                "take another: there is as much of that as the GPUs have");
  }
  const bool is_family =
      name == "*" || (name.ends_with(":*") && std::ranges::count(name, ':') == 1);
  if (std::ranges::count(name, '*') <= (is_family ? 1 : 0)) return {};
  const std::string each(what);
  return fail(ErrorCode::invalid, "the " + each + " " + in_quotes(name) + " has a '*' in its name",
              "write FAMILY:* for all FAMILY:…, or * for all that have no other setting");
}

Result<Decision> decide_one(const State&, const ReportRateLimit& command,
                            const DecideContext& context) {
  Decision decision;
  decision.events.push_back(
      {.at = context.now, .body = TokensTaken{.limit = command.service, .until = command.until}});
  return decision;
}

Result<Decision> decide_one(const State& state, const ConfigureLimit& command,
                            const DecideContext& context) {
  const LimitSetting& setting = command.setting;
  if (auto checked = check_configured_name(command.name, setting); !checked) {
    return std::unexpected(checked.error());
  }
  if (auto checked = check_setting(setting); !checked) return std::unexpected(checked.error());
  const auto id = state.names.find(command.name);
  const LimitSetting* before = id ? state.limits.settings.find(*id) : nullptr;
  Decision decision;
  if ((before == nullptr ? LimitSetting() : *before) == setting) return decision;
  decision.events.push_back({.at = context.now,
                             .body = LimitConfigured{.name = command.name,
                                                     .units = setting.units,
                                                     .per_minute = setting.per_minute,
                                                     .burst = setting.burst}});
  return decision;
}

Result<Decision> decide_one(const State& state, const TakeTokens& command,
                            const DecideContext& context) {
  if (auto checked = check_name("limit", command.limit); !checked) {
    return std::unexpected(checked.error());
  }
  if (command.tokens == 0) return fail(ErrorCode::invalid, "no tokens are asked for");
  const LimitSetting rate = rate_of(state.limits, state.names, command.limit);
  if (command.tokens > rate.burst) {
    return fail(ErrorCode::refused,
                std::to_string(command.tokens) + " tokens of " + in_quotes(command.limit) +
                    " are asked for, which never has more than " + std::to_string(rate.burst),
                "ask for less at a time, or raise its burst");
  }
  const auto id = state.names.find(command.limit);
  const bool is_there = !id || tokens_at(state.limits, *id, rate, context.now) >= command.tokens;
  Decision decision{{}, is_there};
  if (is_there) {
    decision.events.push_back(
        {.at = context.now, .body = TokensTaken{command.limit, command.tokens}});
  }
  return decision;
}

Result<void> check_demands(const State& state, const std::vector<TaskDemand>& demands) {
  if (demands.size() > limits::demands_max) {
    return fail(ErrorCode::invalid,
                "it asks for " + std::to_string(demands.size()) + " limits, over the limit of " +
                    std::to_string(limits::demands_max),
                "stay within the limit");
  }
  std::set<std::string_view> named;
  for (const TaskDemand& demand : demands) {
    if (auto checked = check_demand(state, demand); !checked) return checked;
    if (!named.insert(demand.limit).second) {
      return fail(ErrorCode::invalid, "it asks for the limit " + in_quotes(demand.limit) + " twice",
                  "ask once, for the sum");
    }
  }
  const auto is_memory = [](const TaskDemand& demand) { return is_gpu_memory(demand.limit); };
  if (std::ranges::count_if(demands, is_memory) > 1) {
    return fail(ErrorCode::invalid, "it asks for memory of more than one GPU",
                "ask once, of any GPU or of one");
  }
  const auto is_model = [&](const TaskDemand& demand) {
    const auto id = state.names.find(demand.limit);
    return id && state.models.all.contains(*id);
  };
  if (std::ranges::any_of(demands, is_memory) && std::ranges::any_of(demands, is_model)) {
    return fail(ErrorCode::invalid, "it names a model and asks for memory of a GPU",
                "do one of them: a model has memory of its own");
  }
  return check_together(state, demands);
}

std::vector<TaskDemand> demands_of(const TaskSpec& spec) {
  auto demands = spec.demands;
  if (spec.gpu_memory) {
    demands.push_back(
        {gpu_memory_demand(spec.gpu_memory->gpu), mebibytes_of(spec.gpu_memory->bytes)});
  }
  return demands;
}

}  // namespace almanac
