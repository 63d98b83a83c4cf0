#include <almanac/tools/component_commands.h>
#include <almanac/tools/source.h>
#include <almanac/tools/text.h>
#include <almanac/tools/units.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>

namespace almanac {
namespace {

using nlohmann::ordered_json;

struct Totals {
  std::uint64_t helped = 0;
  std::uint64_t failed = 0;
};

Totals totals_of(const Components& components) {
  Totals totals;
  for (const auto& [key, record] : components.strategies) {
    totals.helped += record.helped;
    totals.failed += record.failed;
  }
  return totals;
}

std::string rate(std::uint64_t helped, std::uint64_t failed) {
  if (helped + failed == 0) return "-";
  const auto permille = helped * 1'000 / (helped + failed);
  return fmt::format("{}.{}%", permille / 10, permille % 10);
}

ordered_json repair_json(const State& state, Position started, const Repair& repair) {
  return {{"repair", started.value},
          {"component", state.names.text(repair.component)},
          {"implementation", state.names.text(repair.implementation)},
          {"issue", name(repair.issue)},
          {"strategy", name(repair.strategy)},
          {"attempt", repair.attempt},
          {"outcome", repair.ended ? ordered_json(name(repair.outcome)) : ordered_json()},
          {"left", name(repair.left)},
          {"started_at", format_time(repair.started_at)},
          {"took_us", repair.took.count()}};
}

void print_json(const State& state) {
  const auto [helped, failed] = totals_of(state.components);
  ordered_json json{{"running", state.components.running().has_value()},
                    {"fix_attempts", helped + failed},
                    {"helped", helped},
                    {"strategies", ordered_json::array()},
                    {"recent_fixes", ordered_json::array()}};
  for (const auto& [key, record] : state.components.strategies) {
    json["strategies"].push_back({{"issue", name(key.issue)},
                                  {"strategy", name(key.strategy)},
                                  {"helped", record.helped},
                                  {"failed", record.failed}});
  }
  for (const auto& [started, repair] : state.components.repairs) {
    json["recent_fixes"].push_back(repair_json(state, started, repair));
  }
  fmt::print("{}\n",
             printable_json(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)));
}

void print_tables(const State& state) {
  Table strategies({"ISSUE", "STRATEGY", "HELPED", "FAILED", "RATE"});
  for (const auto& [key, record] : state.components.strategies) {
    strategies.add({std::string(name(key.issue)), std::string(name(key.strategy)),
                    std::to_string(record.helped), std::to_string(record.failed),
                    rate(record.helped, record.failed)});
  }
  Table repairs(
      {"STARTED", "COMPONENT", "IMPLEMENTATION", "ISSUE", "STRATEGY", "OUTCOME", "LEFT", "TOOK"});
  for (const auto& [started, repair] : state.components.repairs) {
    repairs.add({format_time(repair.started_at).substr(0, 19) + "Z",
                 printable(state.names.text(repair.component)),
                 printable(state.names.text(repair.implementation)),
                 std::string(name(repair.issue)), std::string(name(repair.strategy)),
                 std::string(repair.ended ? name(repair.outcome) : "running"),
                 std::string(name(repair.left)), format_compact(repair.took)});
  }
  fmt::print("{}\n{}", strategies.text(terminal_columns()), repairs.text(terminal_columns()));
}

}  // namespace

ExitCode heal_status(const HealStatusCommand& command) {
  auto source = open_source(command.folder, command.at);
  if (!source) return report(source.error());
  if (command.json) {
    print_json(source->state);
  } else if (source->state.components.repairs.empty()) {
    fmt::print("nothing was repaired\n");
  } else {
    print_tables(source->state);
  }
  return ExitCode::ok;
}

}  // namespace almanac
