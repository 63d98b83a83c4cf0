#include <almanac/tools/pool_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/state_json.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <map>
#include <numeric>
#include <string>
#include <string_view>

namespace almanac {
namespace {

using nlohmann::ordered_json;

std::map<std::string, PoolRecord> pools_of(const State& state) {
  std::map<std::string, PoolRecord> pools;
  for (const auto& [id, record] : state.pools.all) pools.emplace(state.names.text(id), record);
  return pools;
}

void print_json(std::string_view name, const PoolRecord& record) {
  ordered_json json{{"pool", name}};
  json.update(pool_json(record));
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

std::uint64_t retired_in_all(const PoolRecord& record) {
  return std::accumulate(record.retired.begin(), record.retired.end(), std::uint64_t{0});
}

// What was last wrong with an instance; nothing where that part of the log has been removed.
std::string instance_trouble(const Log& log, Position position) {
  std::string text;
  (void)log.read_one(position, [&](const Event& event) {
    if (const auto* retired = std::get_if<InstanceRetired>(&event.body)) {
      text = fmt::format("{} {}", name(retired->reason), printable(retired->message));
    } else if (const auto* failed = std::get_if<InstanceFailed>(&event.body)) {
      text = "not made: " + printable(failed->message);
    }
    text = fmt::format("{} at {}", text, format_time(event.at));
  });
  return text;
}

void print(const Source& source, std::string_view pool, const PoolRecord& record) {
  fmt::print("{}\n", printable(pool));
  fmt::print("  instances   {} alive, {} made, {} could not be made\n", record.alive,
             record.created, record.failed);
  for (std::size_t i = 0; i < record.retired.size(); ++i) {
    if (record.retired[i] == 0) continue;
    fmt::print("  {:11} {}\n", name(static_cast<PoolRetirement>(i)), record.retired[i]);
  }
  if (record.exhausted > 0) fmt::print("  exhausted   {}\n", counted(record.exhausted, "time"));
  if (record.trouble)
    fmt::print("  last wrong  {}\n", instance_trouble(*source.log, record.trouble));
}

}  // namespace

ordered_json pool_json(const PoolRecord& record) {
  ordered_json retired;
  for (std::size_t i = 0; i < record.retired.size(); ++i) {
    retired[name(static_cast<PoolRetirement>(i))] = record.retired[i];
  }
  return {{"alive", record.alive},
          {"created", record.created},
          {"failed", record.failed},
          {"retired", std::move(retired)},
          {"exhausted", record.exhausted},
          {"changed", record.changed.value},
          {"changed_at", time_json(record.changed_at)},
          {"trouble", record.trouble.value}};
}

ExitCode pool_list(const PoolListCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto pools = pools_of(source->state);
  Table table({"POOL", "ALIVE", "MADE", "NOT MADE", "RETIRED", "EXHAUSTED", "LAST"});
  for (const auto& [pool, record] : pools) {
    if (command.json) {
      print_json(pool, record);
      continue;
    }
    table.add({printable(pool), std::to_string(record.alive), std::to_string(record.created),
               std::to_string(record.failed), std::to_string(retired_in_all(record)),
               std::to_string(record.exhausted),
               format_time(record.changed_at).substr(0, 19) + "Z"});
  }
  if (command.json) return ExitCode::ok;
  if (pools.empty()) {
    fmt::print("no pools\n");
  } else {
    fmt::print("{}", table.text(terminal_columns()));
  }
  return ExitCode::ok;
}

ExitCode pool_show(const PoolShowCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  const auto pools = pools_of(source->state);
  const auto found = pools.find(command.pool);
  if (found == pools.end()) {
    return report({ErrorCode::not_found,
                   "nothing is known of a pool '" + printable(command.pool) + "'",
                   "`almanac pool list` shows those there are"});
  }
  if (command.json) {
    print_json(found->first, found->second);
  } else {
    print(*source, found->first, found->second);
  }
  return ExitCode::ok;
}

}  // namespace almanac
