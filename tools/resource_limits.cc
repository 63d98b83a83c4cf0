#include <almanac/tools/operations.h>
#include <almanac/tools/past_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/trial.h>

#include <almanac/projections/lane_claims.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace almanac {
namespace {

struct LimitRow {
  LimitSetting setting;
  std::uint64_t used = 0;
  std::uint64_t level = 0;    // tokens
  std::uint64_t waiting = 0;  // ready tasks that ask for it
};

// By name: those that are set, and those of which something is in use or was taken.
using LimitRows = std::map<std::string, LimitRow>;

LimitRow row_of(const State& state, NameId limit, Time now) {
  LimitRow row{.setting = setting_of(state.limits, state.names, limit),
               .used = units_in_use(state, limit)};
  if (!row.setting.is_set())
    row.setting = rate_of(state.limits, state.names, state.names.text(limit));
  if (row.setting.per_minute > 0) row.level = tokens_at(state.limits, limit, row.setting, now);
  return row;
}

void add_limit(LimitRows& rows, const State& state, NameId limit, Time now) {
  const std::string name(state.names.text(limit));
  if (!rows.contains(name)) rows[name] = row_of(state, limit, now);
}

std::string name_of(const State& state, const LaneClaim& claim) {
  const std::string name(state.names.text(claim.limit));
  return claim.on == ClaimOn::queue_slots ? "queue:" + name : name;
}

LimitRows find_rows(const State& state, Time now) {
  LimitRows rows;
  for (const auto& [limit, setting] : state.limits.settings) add_limit(rows, state, limit, now);
  for (const auto& [limit, bucket] : state.limits.buckets) add_limit(rows, state, limit, now);
  for (const auto& [use, units] : state.tasks.in_use) add_limit(rows, state, use.limit, now);
  for (const auto& [queue, slots] : state.queues.slots) {
    if (slots == 0) continue;
    rows["queue:" + std::string(state.names.text(queue))] = {.setting = {.units = slots},
                                                             .used = state.tasks.running_in(queue)};
  }
  for (const auto& [lane, places] : state.tasks.ready.lanes()) {
    std::string last;
    for (const LaneClaim& claim : claims_of(state, lane)) {
      if (claim.on == ClaimOn::circuit || claim.on == ClaimOn::model) continue;
      if (claim.on != ClaimOn::queue_slots) add_limit(rows, state, claim.limit, now);
      // A limit with units and a rate is claimed twice.
      const auto name = name_of(state, claim);
      if (std::exchange(last, name) != name) rows[name].waiting += places.size();
    }
  }
  return rows;
}

void print_json(const std::string& name, const LimitRow& row) {
  nlohmann::ordered_json json{{"limit", name}};
  if (row.setting.units > 0) json["units"] = row.setting.units;
  json["used"] = row.used;
  if (row.setting.per_minute > 0) {
    json["per_minute"] = row.setting.per_minute;
    json["burst"] = row.setting.burst;
    json["tokens"] = row.level;
  }
  json["waiting"] = row.waiting;
  fmt::print("{}\n", json.dump(-1, ' ', false, decltype(json)::error_handler_t::replace));
}

std::string number_or_dash(bool is_there, std::uint64_t number) {
  return is_there ? std::to_string(number) : "-";
}

ExitCode list_limits(const LimitsCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const State& state = source->state;
  // Buckets fill as time goes by, without an event.
  const Time now = command.at.empty() ? std::max(system_time(), state.time) : state.time;
  const auto rows = find_rows(state, now);
  Table table({"LIMIT", "UNITS", "USED", "PER MINUTE", "BURST", "TOKENS", "WAITING"});
  for (const auto& [name, row] : rows) {
    if (command.json) {
      print_json(name, row);
      continue;
    }
    const bool has_rate = row.setting.per_minute > 0;
    table.add({printable(name), number_or_dash(row.setting.units > 0, row.setting.units),
               std::to_string(row.used), number_or_dash(has_rate, row.setting.per_minute),
               number_or_dash(has_rate, row.setting.burst), number_or_dash(has_rate, row.level),
               std::to_string(row.waiting)});
  }
  if (command.json) return ExitCode::ok;
  if (rows.empty()) {
    fmt::print("no limits\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

}  // namespace

ExitCode resource_limits(const LimitsCommand& command) {
  const std::string& name = command.set.empty() ? command.lift : command.set;
  if (name.empty()) {
    if (command.units == 0 && command.per_minute == 0 && command.burst == 0) {
      return list_limits(command);
    }
    return report({ErrorCode::invalid, "it is not said which limit to set", "name it with --set"});
  }
  const ConfigureLimit configure{
      name,
      {.units = command.units,
       .per_minute = static_cast<std::uint32_t>(command.per_minute),
       .burst = static_cast<std::uint32_t>(
           command.burst > 0 ? command.burst : std::min<std::uint64_t>(command.per_minute, 1))}};
  if (configure.setting.is_set() == command.set.empty()) {
    return report({ErrorCode::invalid, "it is not said what the limit is set to",
                   "give it --units, --per-minute or both; --lift removes a limit"});
  }
  auto state =
      command.set.empty() ? read_state(command.folder) : read_state_or_none(command.folder);
  if (!state) return report(state.error());
  auto accepted = try_out(*state, configure);
  if (!accepted) return report(accepted.error());
  const auto configured = ask_once(command.folder, configure);
  return configured ? ExitCode::ok : report(configured.error());
}

}  // namespace almanac
